"""`midigroove notate`: a performance as a drum part in notation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from midigroove_core.cli.output import Json, console, print_json


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(notate)


def notate(
    performance: Annotated[
        Path, typer.Argument(help="A MIDI file, or a score.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .musicxml file to write.")] = Path(
        "groove.musicxml"
    ),
    grid: Annotated[
        str,
        typer.Option(help="auto, or one division for all beats: 8, 16, 32, 8t, 16t (triplets)."),
    ] = "auto",
    title: Annotated[
        str | None, typer.Option(help="Over the part.", show_default="the file's name")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a drum part that notation programs open, and say what was rounded.

    Example: `midigroove notate groove.mid -o groove.musicxml`
    """
    from midigroove_core.readers import load_performance
    from midigroove_core.score import notate as score

    rounding = score.notate(
        load_performance(performance), out, grid=grid, title=title, overwrite=overwrite
    )
    if json:
        print_json(rounding.to_json())
        return
    console.print(
        f"{out}: {rounding.num_hits} hits, {rounding.num_graces} of them grace notes; moved by "
        f"{rounding.mean_ms} ms on average, {rounding.max_ms} ms at most; {rounding.num_merged} "
        f"fell together with another hit, {rounding.num_pedal} pedal positions are not written",
        markup=False,
        soft_wrap=True,
    )
