"""`midigroove push`: checkpoints, caches and kits to the hub."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from midigroove_core.cli.output import Json, console, print_json, progress_for_terminal, stderr


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(push)


def push(
    path: Annotated[
        Path, typer.Argument(help="A run, a checkpoint, a cache or a folder of one-shots.")
    ],
    repo: Annotated[str, typer.Argument(metavar="USER/NAME", help="Repository on the hub.")],
    private: Annotated[
        bool, typer.Option("--private", help="Only for those who are let in.")
    ] = False,
    revision: Annotated[str, typer.Option(help="Branch, made where it is not there.")] = "main",
    evaluation: Annotated[
        Path | None,
        typer.Option("--eval", help="Folder of an evaluation of it, whose figures the card shows."),
    ] = None,
    license: Annotated[
        str | None,
        typer.Option(help="Licence of what is sent.", show_default="what the checkpoint says"),
    ] = None,
    data: Annotated[
        str, typer.Option(help="A sentence for the card: which data, and its licence.")
    ] = "",
    message: Annotated[str, typer.Option(help="Of the commit.", show_default="what it is")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing: print the card, and list the files.")
    ] = False,
    json: Json = False,
) -> None:
    """Publish a run, a cache or a kit on the Hugging Face hub, with a card.

    Log in first: `hf auth login`. What is there is used as hf://USER/NAME or
    hf://USER/NAME@REVISION wherever a checkpoint, a cache or a kit is named.

    Example: `midigroove push runs/dac ann/drums-dac --eval eval/dac --data "E-GMD, CC BY 4.0"`
    """
    from midigroove_core.publishing import parcel_of
    from midigroove_core.publishing import push as run

    if dry_run:
        parcel = parcel_of(path, repo, evaluation=evaluation, license=license, data=data)
        for note in parcel.notes:
            stderr.print(note, markup=False, soft_wrap=True)
        if json:
            names = [file.name for file in parcel.files]
            return print_json({"what": parcel.layout.what, "files": names, "card": parcel.card})
        for file in parcel.files:
            stderr.print(f"{file.name}: {file.bytes:,} bytes", markup=False, soft_wrap=True)
        return typer.echo(parcel.card, nl=False)
    with progress_for_terminal() as progress:
        done = run(
            path, repo, private=private, revision=revision, evaluation=evaluation, license=license,
            data=data, message=message, progress=progress,
        )  # fmt: skip
    if json:
        return print_json(asdict(done))
    seen = "private" if done.private else "public"
    console.print(
        f"{done.url} ({seen}): {done.what}, {len(done.files)} files, {done.bytes:,} bytes",
        markup=False,
    )
    console.print(f"this state, for ever: {done.address}", markup=False)
