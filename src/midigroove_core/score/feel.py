"""`Feel`: a drummer's timing and dynamics, taken from one performance and laid on another.

A performance is compared with its own grid of 16th notes. For each 16th of the bar and each drum
class it keeps the median of how early or late the hits are (milliseconds) and of how loud they are
against the class as a whole (a factor). A score's hit is moved and scaled by the values of its
place; where the performance never played that class at that place, by those of all its hits there;
where it never played at all, by nothing. Nothing is drawn at random.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from midigroove_core.drums import CLASS_OF_ARTICULATION, GM_MAP
from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance

SIXTEENTHS = 4
"""Places of a quarter note."""

MAX_SHIFT_BEATS = 0.125
"""Half a 16th: a hit further off than that belongs to another place."""


@dataclass(frozen=True)
class _Place:
    shift_sec: float
    factor: float


@dataclass(frozen=True)
class Feel:
    """Timing and dynamics by (drum class, 16th of the bar); class "" stands for all hits."""

    places: Mapping[tuple[str, int], _Place]

    @classmethod
    def of(cls, performance: DrumPerformance) -> Feel:
        """What a performance does to the grid.

        Raises:
            InputError: it has no hits.
        """
        if performance.num_hits == 0:
            raise InputError("feel: the performance has no hits")
        slots, off_beats = _slots(performance)
        bpm = performance.bpm_at(performance.onset_sec)
        shift = off_beats * 60.0 / bpm
        classes = [_class(int(pitch)) for pitch in performance.pitch]
        loud: dict[str, list[float]] = defaultdict(list)
        for name, velocity in zip(classes, performance.velocity.tolist(), strict=True):
            loud[name].append(velocity)
            loud[""].append(velocity)
        found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
        for index, name in enumerate(classes):
            slot, velocity = int(slots[index]), float(performance.velocity[index])
            for key in (name, ""):
                found[key, slot].append((float(shift[index]), velocity / np.median(loud[key])))
        return cls(
            {
                key: _Place(*(float(value) for value in np.median(np.array(values), axis=0)))
                for key, values in found.items()
            }
        )

    def apply(self, performance: DrumPerformance) -> DrumPerformance:
        """The performance with this timing and these dynamics; a hit is never before time 0."""
        slots, _ = _slots(performance)
        onset = performance.onset_sec.copy()
        velocity = performance.velocity.astype(np.float64)
        for index, pitch in enumerate(performance.pitch.tolist()):
            slot = int(slots[index])
            place = self.places.get((_class(pitch), slot)) or self.places.get(("", slot))
            if place is not None:
                onset[index] = max(onset[index] + place.shift_sec, 0.0)
                velocity[index] *= place.factor
        loudness = np.clip(np.rint(velocity), 1, 127).astype(np.int64)
        return performance.played_at(onset, loudness)


def _class(pitch: int) -> str:
    return CLASS_OF_ARTICULATION[
        GM_MAP.get(pitch, {22: "hat_closed", 26: "hat_open"}.get(pitch, "other"))
    ]


def _slots(performance: DrumPerformance) -> tuple[np.ndarray, np.ndarray]:
    """The 16th of its bar that each hit belongs to, and quarter notes that it is off it."""
    beats = performance.seconds_to_beats(performance.onset_sec)
    nearest = np.rint(beats * SIXTEENTHS) / SIXTEENTHS
    on_grid = performance.beats_to_seconds(np.maximum(nearest, 0.0))
    _, position = performance.bar_position(on_grid)
    i = np.searchsorted(performance.meter_beats - 1e-9, np.maximum(nearest, 0.0), side="right") - 1
    i = np.maximum(i, 0)
    bar_beats = performance.meter_numerator[i] * 4.0 / performance.meter_denominator[i]
    slots = np.rint(position * bar_beats * SIXTEENTHS).astype(np.int64)
    return slots, np.clip(beats - nearest, -MAX_SHIFT_BEATS, MAX_SHIFT_BEATS)
