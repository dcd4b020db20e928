"""How long `midigroove render` takes from the shell, start-up included.

    OMP_NUM_THREADS=1 python benchmarks/render.py [--checkpoint FILE]

A groove of 20 seconds through the sampler and, with a checkpoint or the model that ships, through
the model. Wall-clock and CPU time of the whole command.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import load_midi, save_midi

COMMAND = [sys.executable, "-c", "from midigroove_core.cli import main; main()", "render"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path)
    checkpoint = parser.parse_args().checkpoint
    longest = max(builtin_grooves(), key=lambda groove: groove.duration_sec)
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "groove.mid"
        performance = load_midi(longest.path)
        seconds = min(20.0, performance.end_sec)
        save_midi(replace(performance.slice(0.0, seconds), end_sec=seconds), midi)
        model = ["--checkpoint", str(checkpoint)] if checkpoint else []
        for name, options in (("sampler", ["--engine", "sampler"]), ("model", model)):
            out = Path(folder) / f"{name}.wav"
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.perf_counter()
            done = subprocess.run([*COMMAND, str(midi), "-o", str(out), *options], check=False)
            wall = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if done.returncode == 0:
                print(f"{name:8} {seconds:.1f} s of groove in {wall:.1f} s ({cpu:.1f} s of CPU)")


if __name__ == "__main__":
    main()
