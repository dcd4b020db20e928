"""Pitches of one drum map written as pitches of another, by what they mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from midigroove_core.drums import DrumMap
from midigroove_core.kits.oneshots import FALLBACKS
from midigroove_core.midi import DrumPerformance


def remap(performance: DrumPerformance, source: DrumMap, target: DrumMap) -> DrumPerformance:
    """The same hits with pitches that mean in `target` what theirs mean in `source`.

    A pitch that means the same in both stays. An articulation that `target` does not have (Roland
    modules have no splash) becomes what a kit without it would play.
    """
    table = np.array([_translated(pitch, source, target) for pitch in range(128)], dtype=np.int64)
    return replace(performance, pitch=table[performance.pitch])


def _translated(pitch: int, source: DrumMap, target: DrumMap) -> int:
    wanted = source.articulation(pitch)
    if target.articulation(pitch) == wanted:
        return pitch
    for articulation in (wanted, *FALLBACKS[wanted], "other"):
        for candidate in range(128):
            if target.articulation(candidate) == articulation:
                return candidate
    return pitch
