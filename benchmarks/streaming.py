"""How soon a long performance sounds, and what it takes: time, and memory at its most.

    python benchmarks/streaming.py [--minutes 10] [--checkpoint CHECKPOINT]

The grooves that ship, one after the other, to a file that long; `midigroove.stream` plays it. The
engine is loaded and warm, as a page or a player holds it. On Linux: memory is the process's peak.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import midigroove
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Silent
from midigroove_core.rendering.config import make_config
from midigroove_core.rendering.render import open_engine


def long_performance(minutes: float) -> DrumPerformance:
    """Grooves in a row."""
    hits, end_sec = [], 0.0
    while end_sec < 60 * minutes:
        for info in builtin_grooves():
            played = midigroove.load_midi(info.path)
            hits.append((played.onset_sec + end_sec, played.duration_sec, played.pitch,
                         played.velocity))  # fmt: skip
            end_sec += played.end_sec
    onset, duration, pitch, velocity = (np.concatenate(parts) for parts in zip(*hits, strict=True))
    keep = onset < 60 * minutes
    return DrumPerformance(onset_sec=onset[keep], duration_sec=duration[keep], pitch=pitch[keep],
                           velocity=velocity[keep], end_sec=60 * minutes)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--checkpoint")
    args = parser.parse_args()
    settings = {"checkpoint": args.checkpoint} if args.checkpoint else {}
    engine = open_engine(make_config(settings), Silent())
    list(midigroove.stream(long_performance(0.1), opened=engine, **settings))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    performance = long_performance(args.minutes)
    began, cpu, first, samples = time.perf_counter(), time.process_time(), 0.0, 0
    for block in midigroove.stream(performance, opened=engine, **settings):
        first = first or time.perf_counter() - began
        samples += block.shape[1]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    seconds = samples / engine.sample_rate
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"first sound after {first:.2f} s; {seconds:.1f} s of audio in {wall:.1f} s of wall time")
    print(f"{cpu / seconds:.3f} s of CPU a second; peak {peak:.0f} MB, {before:.0f} MB before")


if __name__ == "__main__":
    main()
