"""`midigroove demo`: the whole pipeline as a story."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, console, print_json, print_table, progress_for_terminal


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to fill.")] = Path("demo"),
    minutes: Annotated[
        float, number(bounds.MINUTES, help="How long the fresh model is trained.")
    ] = 2.0,
    seed: Annotated[int, number(bounds.SEED, help="Of training and sampling.")] = 0,
    json: Json = False,
) -> None:
    """Show the whole pipeline, from human performances to scored audio, in three to five minutes.

    Works offline with what ships in the package.

    Example: `midigroove demo --out demo`
    """
    from midigroove_core.demo import DemoConfig, run_demo

    with progress_for_terminal() as progress:
        result = run_demo(DemoConfig(out, minutes=minutes, seed=seed), progress)
    if json:
        return print_json(_as_json(result))
    print_table(
        "\nMeans over held-out clips (arrows: which way is better)", result.columns, result.rows
    )
    for sentence in result.words:
        console.print(f"- {sentence}", markup=False)
    console.print("\nMade:")
    for path, what in result.files:
        console.print(f"  {path}: {what}", markup=False, soft_wrap=True)
    console.print(f"\n{sum(result.seconds.values()):.0f} s in all.")


def _as_json(result: Any) -> dict[str, Any]:
    return {
        "out": str(result.out),
        "rows": [dict(zip(["row", *result.columns[1:]], row, strict=True)) for row in result.rows],
        "words": result.words,
        "files": [{"path": str(path), "what": what} for path, what in result.files],
        "seconds": result.seconds,
    }
