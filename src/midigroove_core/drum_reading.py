"""A performance read with a drum map: which hits are drums, and what the hi-hat pedal says.

The one place that decides what becomes of a pitch: one that the map does not list is left out, and
`Reading.lines` says so; a hat that the map reads by its pedal gets the pitch that its position
means. Engines, datasets and `inspect` read files through it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import DrumMap
from midigroove_core.performance import DrumPerformance, Ints

STRUCK_AND_HELD_SEC = 0.08
"""How long a cymbal rings that is struck and held, where a map has notes for that."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a map makes of a performance.

    Attributes:
        performance: the hits that are drums, with pitches of the map; pedal values high when down.
        unlisted: pitch -> hits that the map does not list, which were left out.
        by_pedal: hits on a hat whose pedal said otherwise than their pitch.
        lines: what was left out, for people; empty where nothing was.
    """

    performance: DrumPerformance
    unlisted: dict[int, int]
    by_pedal: int
    lines: tuple[str, ...]


def read_with(performance: DrumPerformance, drum_map: DrumMap) -> Reading:
    """Reads a performance with a map."""
    listed = np.isin(performance.pitch, list(drum_map.pitches))
    grabs = np.isin(performance.pitch, list(drum_map.chokes))
    unlisted = count_pitches(performance.pitch[~listed & ~grabs])
    read, by_pedal = read_pedal(performance, drum_map)
    if grabs.any():
        read = _with_grabs(read, grabs, drum_map)
    if not listed.all():
        read = keep_hits(read, listed)
    lines = []
    if unlisted:
        total = sum(unlisted.values())
        are = "hit is" if total == 1 else "hits are"
        listing = ", ".join(f"{pitch} ({n})" for pitch, n in unlisted.items())
        lines.append(
            f"{total:,} {are} no drum of the map {drum_map.name}: pitches {listing}; left out"
        )
    return Reading(read, unlisted, by_pedal, tuple(lines))


def _with_grabs(
    performance: DrumPerformance, grabs: NDArray[np.bool_], drum_map: DrumMap
) -> DrumPerformance:
    """The performance with chokes where notes [N] are grabs; what is struck is held later."""
    sec, pitch = performance.choke_sec.tolist(), performance.choke_pitch.tolist()
    notes = zip(
        performance.onset_sec[grabs].tolist(), performance.pitch[grabs].tolist(), strict=True
    )
    for onset, note in notes:
        for cut in drum_map.chokes[note]:
            sec.append(onset + (STRUCK_AND_HELD_SEC if note in drum_map.pitches else 0.0))
            pitch.append(cut)
    order = np.argsort(sec, kind="stable")
    return replace(
        performance,
        choke_sec=np.array(sec, dtype=np.float64)[order],
        choke_pitch=np.array(pitch, dtype=np.int64)[order],
    )


def keep_hits(performance: DrumPerformance, keep: NDArray[np.bool_]) -> DrumPerformance:
    """The performance with some of its hits [N]; pedal, chokes and end stay."""
    return replace(
        performance,
        onset_sec=performance.onset_sec[keep],
        duration_sec=performance.duration_sec[keep],
        pitch=performance.pitch[keep],
        velocity=performance.velocity[keep],
    )


def count_pitches(pitch: Ints) -> dict[int, int]:
    """Pitch -> number of hits, by pitch."""
    pitches, counts = np.unique(pitch, return_counts=True)
    return dict(zip(pitches.tolist(), counts.tolist(), strict=True))


def read_pedal(performance: DrumPerformance, drum_map: DrumMap) -> tuple[DrumPerformance, int]:
    """The performance with what the map says of the pedal worked in, and the hats it moved.

    Pedal values become high when down. With `hat_pedal` "cc4", a hit on an open or closed hat is
    closed where the pedal is at `closed_at` or further down, else open, and gets the lowest pitch
    that means so in the map; before the first value of the pedal its pitch stays.
    """
    if not drum_map.reads_pedal:
        return performance, 0
    value = performance.cc4_value
    if drum_map.pedal_down == "low":
        value = 127 - value
        performance = replace(performance, cc4_value=value)
    pitch_of = {name: pitch for pitch, name in sorted(drum_map.pitches.items(), reverse=True)}
    if drum_map.hat_pedal != "cc4" or not len(value):
        return performance, 0
    hats = [p for p, name in drum_map.pitches.items() if name in ("hat_closed", "hat_open")]
    held = np.searchsorted(performance.cc4_sec, performance.onset_sec, side="right") - 1
    moved = np.isin(performance.pitch, hats) & (held >= 0)
    closed = value[np.maximum(held, 0)] >= drum_map.closed_at
    pitch = performance.pitch.copy()
    means_open = np.isin(pitch, [p for p in hats if drum_map.pitches[p] == "hat_open"])
    for name, wanted in (("hat_closed", closed), ("hat_open", ~closed)):
        # A pitch that says the same already stays: hats have variants by pitch.
        wrong = moved & wanted & (means_open == (name == "hat_closed"))
        if name not in pitch_of and wrong.any():
            wrong[:] = False
        else:
            pitch[wrong] = pitch_of.get(name, 0)
    changed = int(np.count_nonzero(pitch != performance.pitch))
    return replace(performance, pitch=pitch), changed
