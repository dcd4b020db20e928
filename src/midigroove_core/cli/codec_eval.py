"""`midigroove codec-eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli.evaluate import PANEL, print_scorecard
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, progress_for_terminal


def add(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command("codec-eval", rich_help_panel=PANEL)(codec_eval)


def codec_eval(
    codec: Annotated[
        list[str],
        typer.Option(
            metavar="CODEC",
            help="Such as dac, or encodec:bandwidth=6; repeatable.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the evaluation.")],
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="Folder or csv with the recordings.",
            show_default="what EGMD_CSV or EGMD_ROOT names",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which takes.")] = "test",
    max_takes: Annotated[
        int, number(bounds.COUNT, help="At most so many takes, drawn; 0: all.")
    ] = 0,
    max_items: Annotated[
        int, number(bounds.COUNT, help="At most so many clips, drawn; 0: all.")
    ] = 0,
    knee_items: Annotated[
        int, number(bounds.COUNT, help="Clips for the oracle per number of levels; 0: none.")
    ] = 32,
    sample_rate: Annotated[
        int | None,
        number(
            bounds.SCORED_RATE,
            help="Score all audio at this rate.",
            show_default="the highest of the codecs",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="A figure of a plugin beside core's; repeatable.")
    ] = None,
    embedding: Annotated[
        str, typer.Option(help="Embedding id for set distances; none for none.")
    ] = "log_mel",
    caches: Annotated[
        Path | None, typer.Option(help="Folder of their codes.", show_default="OUT-caches")
    ] = None,
    memory: Annotated[
        bool, typer.Option(help="See how much memory each takes, in a process of its own.")
    ] = True,
    codec_path: Annotated[
        list[str] | None,
        typer.Option(metavar="[CODEC_ID=]PATH", help="Weights of a codec; repeatable."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    save_preds: Annotated[int, number(bounds.COUNT, help="Keep the audio of so many clips.")] = 8,
    seed: Annotated[int, number(bounds.SEED, help="Of takes and clips.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an evaluation of other settings or files.")
    ] = False,
    json: Json = False,
) -> None:
    """Judge codecs without a model: what they lose, by bit rate, and how fast they are.

    Example: `midigroove codec-eval --codec dac --codec groove --dataset DATA --out eval/codecs`
    """
    from midigroove_core.evaluation.codecs import evaluate_codecs

    paths = [text.rpartition("=") for text in codec_path or []]
    chosen: dict[str, Any] = {
        "max_items": max_items, "knee_items": knee_items, "sample_rate": sample_rate,
        "embedding": "" if embedding == "none" else embedding, "device": device,
        "metrics": tuple(metric or ()), "save_preds": save_preds, "seed": seed,
        "overwrite": overwrite,
        "codec_paths": {name: path for name, _, path in paths},
    }  # fmt: skip
    with progress_for_terminal() as progress:
        result = evaluate_codecs(
            codec, out, dataset=dataset, split=split, max_takes=max_takes, caches=caches,
            memory=memory,
            progress=progress, **chosen,
        )  # fmt: skip
    print_scorecard(result, json)
