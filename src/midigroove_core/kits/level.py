"""How loud a kit is: the bars that kits are levelled on, and the level that they get."""

from __future__ import annotations

import numpy as np

from midigroove_core.drums import load_drum_map
from midigroove_core.kits import sampler
from midigroove_core.kits.oneshots import Kit
from midigroove_core.performance import DrumPerformance

LEVEL_DB = -33.0
"""RMS of `reference_bars` on every kit that ships, re full scale.

The level leaves room for the loudest of the Groove MIDI Dataset's performances, so a kit needs no
limiter and velocities mean the same in every file (docs/kits.md has the peaks).
"""


def reference_bars() -> DrumPerformance:
    """Four bars at 110 bpm with ghost notes, accents and a crash: what kits are levelled on."""
    hits: list[tuple[float, int, int]] = []
    for bar in range(4):
        hits += [(bar * 4, 49, 105)] if bar == 0 else []
        hits += [(bar * 4 + beat, 36, 95) for beat in (0.0, 1.5, 2.0)]
        hits += [(bar * 4 + beat, 38, 100) for beat in (1.0, 3.0)]
        hits += [(bar * 4 + beat, 38, 35) for beat in (1.75, 2.25, 3.75)]
        hits += [(bar * 4 + i / 2, 42, 90 if i % 2 == 0 else 60) for i in range(7)]
        hits += [(bar * 4 + 3.5, 46, 85), (bar * 4 + 2.5, 51, 80)]
    hits += [(15.0 + i / 4, pitch, 100) for i, pitch in enumerate((48, 45, 43))]
    beats, pitches, velocities = (np.array(column) for column in zip(*sorted(hits), strict=True))
    onsets = beats * 60 / 110
    return DrumPerformance(onsets, np.full(len(onsets), 0.1), pitches, velocities, end_sec=9.0)


def level_db(kit: Kit) -> float:
    """RMS of the reference bars on a kit, in dB re full scale."""
    audio = sampler.render(reference_bars(), kit, drum_map=load_drum_map("gm"))
    return 10 * float(np.log10(np.square(audio, dtype=np.float64).mean() + 1e-20))
