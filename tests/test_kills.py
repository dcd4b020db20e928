"""A kill at a write of any command costs nothing: the next run ends in the same bytes.

Here at some of the writes; `tools/kill_everywhere.py` takes all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLING = Path(__file__).parent / "support" / "killing.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(
    ("name", "every"),
    [("synth", 4), ("render", 2), ("cache", 9), ("cache_overwrite", 12), ("train", 8), ("eval", 8)],
)
def test_killed_runs_end_in_the_same_bytes(name: str, every: int, tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OMP_NUM_THREADS": "1",
        "MIDIGROOVE_CACHE_DIR": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, str(KILLING), name, str(tmp_path / "kills"), str(every)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == [] and found["kills"] >= 2
