"""How much faster than real time the sampler plays the built-in grooves, on one core.

    python benchmarks/sampler.py

Kits are loaded, and resampled, before the clock starts; both are printed. What counts is the ratio
of audio to CPU time of this process, which other work on the machine disturbs little.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from midigroove_core.kits.library import builtin_grooves, list_kits, load_kit
from midigroove_core.kits.sampler import render
from midigroove_core.midi import load_midi


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=int, default=44_100, help="sample rate in Hz")
    parser.add_argument("--grooves", type=int, default=12, help="how many grooves, spread evenly")
    args = parser.parse_args()
    infos = builtin_grooves()
    performances = [load_midi(i.path) for i in infos[:: max(1, len(infos) // args.grooves)]]
    audio_sec = sum(performance.end_sec + 2.0 for performance in performances)
    print(f"{len(performances)} grooves, {audio_sec:.0f} s, {args.rate} Hz")
    for info in list_kits():
        started = time.process_time()
        kit = load_kit(info.id).at_rate(args.rate)
        loaded = time.process_time()
        peak = 0.0
        for performance in performances:
            audio = render(performance, kit, sample_rate=args.rate)
            peak = max(peak, float(np.abs(audio).max()))
        ratio = audio_sec / (time.process_time() - loaded)
        print(f"{info.id:12} {ratio:6.0f}x  load {loaded - started:.2f} s  peak {peak:.2f}")


if __name__ == "__main__":
    main()
