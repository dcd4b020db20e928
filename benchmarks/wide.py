"""Memory of a render with 65,536 codes to choose from: `python benchmarks/wide.py [MINUTES]`.

Caches, trains for one step and renders ten minutes (or so many as asked for) by the command line,
with a codec of one row of 65,536 entries (from the tests), and prints CPU seconds and peak memory
of the render. The logits of the whole would take 10 GB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from midigroove_core.midi import save_midi
from midigroove_core.performance import DrumPerformance

TESTS = Path(__file__).resolve().parents[1] / "tests"
CODE = """
import sys
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from midigroove_core.cli import main
main()
"""
TINY = ("dim=32", "layers=1", "heads=2", "head_dim=16")


def install_codec(folder: Path) -> None:
    """A distribution whose plugin is the codec of the tests."""
    sys.path.insert(0, str(TESTS))
    from support.loudness_codecs import LOUDNESS_PLUGIN

    (folder / "wide_plugin.py").write_text(LOUDNESS_PLUGIN)
    info = folder / "wide_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wide-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[midigroove]\nwide_plugin = wide_plugin\n")


def run(folder: Path, *arguments: object) -> tuple[float, int]:
    """CPU seconds and peak MiB of a command."""
    command = [sys.executable, "-c", CODE, str(folder), str(TESTS), *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MIDIGROOVE_LOAD_PLUGINS": "wide_plugin"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{arguments[0]} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        install_codec(root)
        from support.toy_systems import make_toy_dataset

        data = make_toy_dataset(root / "data", train=1, test=1, end_sec=4.0)
        cache, checkpoint = root / "cache", root / "run" / "best.safetensors"
        run(root, "cache", "--codec", "wide_toy", "--dataset", data, "--out", cache)
        sizes = [part for size in TINY for part in ("--set", f"model_args.{size}")]
        run(
            root, "train", "--cache", cache, "--out", root / "run", "--preset", "tiny",
            "--max-steps", 1, "--eval-every", 1, "--batch-size", 2, "--device", "cpu",
            "--valid-split", "test", *sizes,
        )  # fmt: skip
        onsets = np.arange(0.0, 60 * minutes - 1, 0.25)
        gate, pitch, velocity = (np.full(len(onsets), value) for value in (0.1, 38, 90))
        long = DrumPerformance(onsets, gate, pitch, velocity, end_sec=60 * minutes)
        save_midi(long, root / "long.mid")
        rendering = ("render", root / "long.mid", "--checkpoint", checkpoint, "--device", "cpu")
        cpu, peak = run(root, *rendering, "-o", root / "long.wav")
        print(f"{minutes:g} min with 65,536 entries: {cpu:.0f} s of CPU, peak {peak} MiB")


if __name__ == "__main__":
    main()
