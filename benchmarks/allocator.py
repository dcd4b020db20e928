"""What `allocator.keep_freed_memory` saves: `python benchmarks/allocator.py [ROUNDS]`.

Caches twenty takes (built-in grooves on the jazz kit) with the groove codec by `midigroove cache`,
in turn with and without it (MALLOC_TRIM_THRESHOLD_ at glibc's own default keeps it out), and prints
the CPU seconds, the page faults and the peak memory of each command, and the ratio of the medians.
Then the same for one take of ten minutes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from midigroove_core.audio import save_audio
from midigroove_core.midi import save_midi
from midigroove_core.performance import DrumPerformance

COMMAND = [sys.executable, "-c", "from midigroove_core.cli import main; main()"]
WITHOUT = {"MALLOC_TRIM_THRESHOLD_": "131072"}


def run(arguments: list[str], **environment: str) -> tuple[float, int, int]:
    """CPU seconds, page faults and peak MiB of a command."""
    env = {"OMP_NUM_THREADS": "1"} | dict(os.environ) | environment
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*COMMAND, *arguments], env=env, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(arguments)} failed")
    return used.ru_utime + used.ru_stime, used.ru_minflt, used.ru_maxrss // 1024


def long_take(folder: Path) -> Path:
    """Ten minutes of noise with a hit a second."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    save_audio(folder / "long.wav", rng.normal(0, 0.1, 600 * 44100).astype(np.float32), 44100)
    onsets = np.arange(599.0)
    hits = (np.full(599, 0.1), np.full(599, 38), np.full(599, 90))
    save_midi(DrumPerformance(onsets, *hits, end_sec=600.0), folder / "long.mid")
    return folder


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        takes = ["--kits", "jazz", "--max-performances", "20", "--headroom-db", "3"]
        run(["data", "synth", "--midi", "builtin", *takes, "--out", str(root / "takes")])
        for name, data in (("20 takes", root / "takes"), ("10 min", long_take(root / "long"))):
            found: dict[str, list[tuple[float, int, int]]] = {"with": [], "without": []}
            for number in range(rounds if name == "20 takes" else 1):
                for way, environment in (("with", {}), ("without", WITHOUT)):
                    out = str(root / f"{data.name}_{way}_{number}")
                    cached = ["cache", "--dataset", str(data), "--out", out, "--device", "cpu"]
                    found[way].append(run(cached, **environment))
            medians = {
                way: [statistics.median(c) for c in zip(*f, strict=True)]
                for way, f in found.items()
            }
            for way, (cpu, faults, peak) in medians.items():
                print(f"{name:9} {way:8} {cpu:6.2f} s CPU {faults:9,.0f} faults {peak:6.0f} MiB")
            print(f"{name:9} without / with {medians['without'][0] / medians['with'][0]:.3f}")


if __name__ == "__main__":
    main()
