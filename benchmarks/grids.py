"""Time to make one grid: `python benchmarks/grids.py`.

A busy ten-minute performance (10 hits and 20 pedal events a second) seen through random 4 s clips
at 44100 / 512 frames a second, after the first call has sorted its hits.
"""

from __future__ import annotations

import time

import numpy as np

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.builtin.paper_grid import PaperGrid
from midigroove_core.clock import FrameClock
from midigroove_core.drums import ROLAND_TD_MAP
from midigroove_core.midi import DrumPerformance

CLOCK = FrameClock(44100, 512)
FRAMES = 345  # 4 s
REPEATS = 2000


def performance(rng: np.random.Generator, seconds: float = 600.0) -> DrumPerformance:
    """Random hits over all mapped pitches, and a hi-hat pedal that never rests."""
    hits, events = int(seconds * 10), int(seconds * 20)
    return DrumPerformance(
        onset_sec=np.sort(rng.uniform(0, seconds, hits)),
        duration_sec=np.full(hits, 0.1),
        pitch=rng.choice(list(ROLAND_TD_MAP), hits),
        velocity=rng.integers(1, 128, hits),
        cc4_sec=np.sort(rng.uniform(0, seconds, events)),
        cc4_value=rng.integers(0, 128, events),
        end_sec=seconds,
    )


def main() -> None:
    rng = np.random.default_rng(0)
    played = performance(rng)
    starts = rng.integers(0, int(596 * CLOCK.frame_rate), REPEATS)
    for featurizer in (ExpressiveGrid(), PaperGrid()):
        began = time.perf_counter()
        featurizer.featurize(played, CLOCK, 0, FRAMES)
        first = time.perf_counter() - began
        times = []
        for start in starts:
            began = time.perf_counter()
            featurizer.featurize(played, CLOCK, int(start), FRAMES)
            times.append(time.perf_counter() - began)
        print(
            f"{featurizer.featurizer_id}: {len(featurizer.feature_names)} x {FRAMES}, "
            f"median {1e3 * np.median(times):.3f} ms, 95th percentile "
            f"{1e3 * np.quantile(times, 0.95):.3f} ms, first call {1e3 * first:.2f} ms"
        )


if __name__ == "__main__":
    main()
