"""How long `midigroove --help` takes beside a bare typer program with one command.

Both start in turn, in fresh processes; the median of each and their ratio are printed, which is to
stay below 1.5 with whatever plugins are installed.

    python benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BARE = """
import typer

app = typer.Typer()

@app.command()
def hello(name: str = "you") -> None:
    "Say hello."

app()
"""
PROGRAMS = {
    "bare typer": [sys.executable, "-c", BARE, "--help"],
    "midigroove": [sys.executable, "-m", "midigroove_core", "--help"],
}


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    runs = int(sys.argv[1]) if sys.argv[1:] else 15
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs + 1):
        for name, command in PROGRAMS.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(found[1:]) for name, found in times.items()}
    for name, median in medians.items():
        print(f"{name:12} {median * 1000:6.0f} ms")
    print(f"{'ratio':12} {medians['midigroove'] / medians['bare typer']:6.2f}")


if __name__ == "__main__":
    main()
