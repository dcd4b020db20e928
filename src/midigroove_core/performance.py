"""`DrumPerformance`: notes in seconds, velocity, CC4, and the tempo and meter under them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAME_BEAT = 1e-9
"""Beats below a bar line that still count as on it: rounding of tick -> seconds -> beats."""


@dataclass(frozen=True, eq=False)
class DrumPerformance:
    """One drum performance; arrays of one group have equal lengths and are sorted by time.

    Beats are quarter notes throughout, whatever the meter's denominator.

    Attributes:
        onset_sec: [N] hit times, >= 0; hits at one time are sorted by pitch.
        duration_sec: [N] gate lengths, >= 0 (drum modules send a constant, so they mean little).
        pitch: [N] MIDI pitches 0..127, as the file has them (no drum map applied).
        velocity: [N] 1..127.
        cc4_sec, cc4_value: [M] hi-hat pedal positions; high = pedal down = closed.
        choke_sec, choke_pitch: [H] when a ringing cymbal is grabbed, and its pitch.
        tempo_sec, tempo_beats, tempo_bpm: [P >= 1] tempo map; segment i starts at tempo_sec[i] =
            tempo_beats[i] quarter notes; tempo_sec[0] == tempo_beats[0] == 0.
        meter_beats, meter_numerator, meter_denominator: [Q >= 1] time signatures; a bar starts at
            each meter_beats[i]. meter_beats[0] is 0, or below 0 in a slice that starts inside a
            bar: the place of that bar's downbeat.
        end_sec: end of the performance (the file's, at least the last note's end).
        oddities: what was odd about the file, a line each; not in `to_arrays`, empty in slices.
    """

    onset_sec: Floats
    duration_sec: Floats
    pitch: Ints
    velocity: Ints
    cc4_sec: Floats = field(default_factory=lambda: np.zeros(0))
    cc4_value: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    choke_sec: Floats = field(default_factory=lambda: np.zeros(0))
    choke_pitch: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tempo_sec: Floats = field(default_factory=lambda: np.zeros(1))
    tempo_beats: Floats = field(default_factory=lambda: np.zeros(1))
    tempo_bpm: Floats = field(default_factory=lambda: np.full(1, 120.0))
    meter_beats: Floats = field(default_factory=lambda: np.zeros(1))
    meter_numerator: Ints = field(default_factory=lambda: np.full(1, 4))
    meter_denominator: Ints = field(default_factory=lambda: np.full(1, 4))
    end_sec: float = 0.0
    oddities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        groups = (
            ("onset_sec", "duration_sec", "pitch", "velocity"),
            ("cc4_sec", "cc4_value"),
            ("choke_sec", "choke_pitch"),
            ("tempo_sec", "tempo_beats", "tempo_bpm"),
            ("meter_beats", "meter_numerator", "meter_denominator"),
        )
        for names in groups:
            lengths = {len(getattr(self, name)) for name in names}
            if len(lengths) != 1:
                raise InputError(f"DrumPerformance: {', '.join(names)} differ in length")
        for name in ("onset_sec", "cc4_sec", "choke_sec", "tempo_sec", "meter_beats"):
            if np.any(np.diff(getattr(self, name)) < 0):
                raise InputError(f"DrumPerformance: {name} is not sorted")
        self._check_values()
        if len(self.tempo_sec) == 0 or len(self.meter_beats) == 0:
            raise InputError("DrumPerformance: needs at least one tempo and one meter")

    def _check_values(self) -> None:
        """What is no number, or no pitch, would train and render without a word."""
        for name in _FLOATS:
            if not np.isfinite(getattr(self, name)).all():
                raise InputError(f"DrumPerformance: {name} is not finite")
        for name, (low, high) in _RANGES.items():
            values = getattr(self, name)
            if len(values) and not low <= values.min() <= values.max() <= high:
                raise InputError(f"DrumPerformance: {name} is not from {low} to {high}")

    @property
    def num_hits(self) -> int:
        """Number of hits N."""
        return len(self.onset_sec)

    @property
    def mean_bpm(self) -> float:
        """Quarter notes per minute over the whole performance."""
        if self.end_sec <= 0:
            return float(self.tempo_bpm[0])
        return float(self.seconds_to_beats(self.end_sec)) * 60.0 / self.end_sec

    def bpm_at(self, sec: ArrayLike) -> Floats:
        """Quarter notes per minute at times in seconds; same shape as `sec`."""
        return self.tempo_bpm[_segment(self.tempo_sec, sec)]

    def seconds_to_beats(self, sec: ArrayLike) -> Floats:
        """Times in seconds as quarter notes from time 0; same shape as `sec`."""
        i = _segment(self.tempo_sec, sec)
        elapsed = np.asarray(sec, dtype=np.float64) - self.tempo_sec[i]
        return self.tempo_beats[i] + elapsed * self.tempo_bpm[i] / 60.0

    def beats_to_seconds(self, beats: ArrayLike) -> Floats:
        """Quarter notes from time 0 as times in seconds; same shape as `beats`."""
        i = _segment(self.tempo_beats, beats)
        elapsed = np.asarray(beats, dtype=np.float64) - self.tempo_beats[i]
        return self.tempo_sec[i] + elapsed * 60.0 / self.tempo_bpm[i]

    def bar_position(self, sec: ArrayLike) -> tuple[Ints, Floats]:
        """The bar that each time falls into and its place in that bar.

        Args:
            sec: times in seconds, any shape.

        Returns:
            bar: the bar's number from 0 (the bar at meter_beats[0]), negative before it.
            position: place in [0, 1) of the bar, by its own meter.
        """
        beats = self.seconds_to_beats(sec)
        bar_beats, bars_before = self._bars()
        i = _segment(self.meter_beats - _SAME_BEAT, beats)
        bars = (beats - self.meter_beats[i]) / bar_beats[i]
        bar = np.floor(bars + _SAME_BEAT)
        position = np.clip(bars - bar, 0.0, np.nextafter(1.0, 0.0))
        return bars_before[i] + bar.astype(np.int64), position

    def bar_start_sec(self, bar: int) -> float:
        """When a bar begins, by its number from 0; bars go on after the last meter."""
        bar_beats, bars_before = self._bars()
        i = max(0, int(np.searchsorted(bars_before, bar, side="right")) - 1)
        beats = float(self.meter_beats[i]) + (bar - int(bars_before[i])) * float(bar_beats[i])
        return float(self.beats_to_seconds(beats))

    def _bars(self) -> tuple[Floats, Ints]:
        """Of each meter the length of a bar in beats and the bars before it."""
        bar_beats = self.meter_numerator * 4.0 / self.meter_denominator
        bars_before = np.zeros(len(bar_beats), dtype=np.int64)
        whole = np.ceil(np.diff(self.meter_beats) / bar_beats[:-1] - _SAME_BEAT)
        bars_before[1:] = np.cumsum(whole).astype(np.int64)
        return bar_beats, bars_before

    def played_at(
        self, onset_sec: NDArray[np.float64], velocity: NDArray[np.int64]
    ) -> DrumPerformance:
        """The same hits at other times [N] and velocities [N], in order again."""
        order = np.lexsort((self.pitch, onset_sec))
        return replace(
            self,
            onset_sec=onset_sec[order],
            duration_sec=self.duration_sec[order],
            pitch=self.pitch[order],
            velocity=velocity[order],
            end_sec=max(self.end_sec, float(onset_sec.max(initial=0.0))),
        )

    def slice(self, start_sec: float, end_sec: float) -> DrumPerformance:
        """The hits of [start_sec, end_sec), with times counted from start_sec.

        A note that began before `start_sec` is not a hit of the slice. The pedal's position, the
        tempo and the place in the bar are carried in from before; a choke acts on hits before it.
        """
        hits = (self.onset_sec >= start_sec) & (self.onset_sec < end_sec)
        onset = self.onset_sec[hits] - start_sec
        length = max(0.0, end_sec - start_sec)
        cc4_sec, cc4_value = _carried(self.cc4_sec, self.cc4_value, start_sec, end_sec)
        first = int(_segment(self.tempo_sec, start_sec))
        tempo = slice(first, max(first + 1, int(np.searchsorted(self.tempo_sec, end_sec))))
        chokes = (self.choke_sec >= start_sec) & (self.choke_sec < end_sec)
        start_beats = float(self.seconds_to_beats(start_sec))
        tempo_sec = np.maximum(self.tempo_sec[tempo] - start_sec, 0.0)
        tempo_beats = np.maximum(self.tempo_beats[tempo] - start_beats, 0.0)
        tempo_sec[0] = tempo_beats[0] = 0.0
        end_beats = float(self.seconds_to_beats(end_sec))
        first = int(_segment(self.meter_beats - _SAME_BEAT, start_beats))
        meter = slice(first, max(first + 1, int(np.searchsorted(self.meter_beats, end_beats))))
        bar_beats = self.meter_numerator[first] * 4.0 / self.meter_denominator[first]
        meter_beats = self.meter_beats[meter] - start_beats
        phase = float(self.bar_position(start_sec)[1])
        meter_beats[0] = -phase * bar_beats if phase > 0 else 0.0
        return DrumPerformance(
            onset_sec=onset,
            duration_sec=np.minimum(self.duration_sec[hits], length - onset),
            pitch=self.pitch[hits],
            velocity=self.velocity[hits],
            cc4_sec=cc4_sec,
            cc4_value=cc4_value,
            choke_sec=self.choke_sec[chokes] - start_sec,
            choke_pitch=self.choke_pitch[chokes],
            tempo_sec=tempo_sec,
            tempo_beats=tempo_beats,
            tempo_bpm=self.tempo_bpm[tempo],
            meter_beats=meter_beats,
            meter_numerator=self.meter_numerator[meter],
            meter_denominator=self.meter_denominator[meter],
            end_sec=length,
        )

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every attribute as an array (float64 or int64, `end_sec` of shape [1]); exact."""
        return {name: np.atleast_1d(np.asarray(getattr(self, name))) for name in array_names()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> DrumPerformance:
        """The performance that `to_arrays` was called on.

        Raises:
            InputError: an array is missing; names it.
        """
        values: dict[str, NDArray[np.generic]] = {}
        for name in array_names():
            if name not in arrays:
                raise InputError(f"DrumPerformance: array {name!r} is missing")
            values[name] = arrays[name]
        end_sec = float(values.pop("end_sec")[0])
        return cls(**values, end_sec=end_sec)  # type: ignore[arg-type]


_FLOATS = (
    "onset_sec", "duration_sec", "cc4_sec", "choke_sec", "tempo_sec", "tempo_beats", "tempo_bpm",
    "meter_beats", "end_sec",
)  # fmt: skip
_RANGES = {
    "pitch": (0, 127),
    "velocity": (1, 127),
    "cc4_value": (0, 127),
    "choke_pitch": (0, 127),
    "meter_numerator": (1, 2**31),
    "meter_denominator": (1, 2**31),
}


def array_names() -> list[str]:
    """Names of the arrays of `DrumPerformance.to_arrays`."""
    return [f.name for f in fields(DrumPerformance) if f.name != "oddities"]


def _segment(starts: Floats, at: ArrayLike) -> Ints:
    """Index of the last start at or before each place; 0 before the first."""
    found = np.searchsorted(starts, np.asarray(at, dtype=np.float64), side="right") - 1
    return np.maximum(found, 0)


def _carried(sec: Floats, value: Ints, start_sec: float, end_sec: float) -> tuple[Floats, Ints]:
    """Controller events of [start, end) from `start`, led by the value that held at `start`."""
    inside = (sec >= start_sec) & (sec < end_sec)
    times, values = sec[inside] - start_sec, value[inside]
    before = int(np.searchsorted(sec, start_sec, side="left"))
    if before > 0 and not (len(times) and times[0] == 0.0):
        times, values = np.append(0.0, times), np.append(value[before - 1], values)
    return times, values
