"""`midigroove distances`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from midigroove_core.cli.evaluate import PANEL
from midigroove_core.cli.output import (
    Json,
    print_json,
    print_table,
    progress_for_terminal,
    stderr,
)


def add(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(rich_help_panel=PANEL)(distances)


def distances(
    reference: Annotated[
        Path, typer.Argument(help="Folder of audio, or an evaluation, whose reference is taken.")
    ],
    estimated: Annotated[
        list[Path], typer.Argument(help="Folders of audio; of evaluations every kept row.")
    ],
    embedding: Annotated[str, typer.Option(help="Embedding id.")] = "log_mel",
    embedding_path: Annotated[
        str | None, typer.Option(help="Weights of the embedding.", show_default="where it looks")
    ] = None,
    clip_sec: Annotated[
        float, typer.Option(help="Cut files into pieces of so many seconds; 0: whole.")
    ] = 5.0,
    same_loudness: Annotated[
        bool, typer.Option(help="Bring every piece to one loudness first.")
    ] = True,
    max_vectors: Annotated[int, typer.Option(help="At most so many per set.")] = 4000,
    draws: Annotated[int, typer.Option(help="Random halvings behind the floor.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    json: Json = False,
) -> None:
    """Say how alike sets of audio sound: kernel and Frechet distances, density and coverage.

    Example: `midigroove distances recordings bounces eval/first`
    """
    from midigroove_core.evaluation.distances import measure_distances
    from midigroove_core.scorecard.tables import set_table

    with progress_for_terminal() as progress:
        found = measure_distances(
            reference, estimated, embedding=embedding, embedding_path=embedding_path,
            clip_sec=clip_sec, same_loudness=same_loudness, max_vectors=max_vectors, draws=draws,
            seed=seed, device=device, progress=progress,
        )  # fmt: skip
    if json:
        print_json(asdict(found))
        return
    table = set_table(found)
    print_table(f"Does it sound like {reference}? ({found.embedding})", table.columns, table.rows)
    short = [line.embeddings for line in found.lines if line.frechet_distance_infinity is None]
    if short:
        stderr.print(
            f"not extrapolated: {min(short)} vectors are too few for a space of that size; add "
            f"audio, or cut it shorter with --clip-sec",
            markup=False,
        )
