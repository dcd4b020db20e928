"""Kills synth, render, cache, train and eval at every write, and compares what the next run makes.

    python tools/kill_everywhere.py [SCENARIO ...]

A line for each scenario: writes, kills, and what was wrong after them. docs/reliability.md has the
figures.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.killing import SCENARIOS, kill_everywhere

if __name__ == "__main__":
    failed = False
    for name in sys.argv[1:] or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            found = kill_everywhere(SCENARIOS[name], Path(folder) / "kills")
        print(f"{name}: {found['kills']} kills at {found['writes']} writes: ", end="")
        print("; ".join(found["wrong"]) or "all ended in the same bytes", flush=True)
        failed |= bool(found["wrong"])
    sys.exit(failed)
