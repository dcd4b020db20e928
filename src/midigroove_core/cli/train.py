"""`midigroove train | recipe`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli.defaults import newest_cache, run_folder
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, print_json, print_table, progress_for_terminal, stderr

PANEL = "Models"
_DATA, _MODEL, _RUN = "Clips", "Model and optimizer", "Length and machine"


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(rich_help_panel=PANEL)(train)
    app.command(rich_help_panel=PANEL)(recipe)


def train(
    cache: Annotated[
        str | None, typer.Option(help="Folder of the cache.", show_default="the newest in cache/")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="Folder of the run.", show_default="runs/CACHE"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML with any of these settings; options win over it.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Throw away the run that is there.")
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(
            help="One of the model's; tiny, small, base or paper for parallel (small).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model id (parallel).", rich_help_panel=_MODEL)
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Go on from this checkpoint or run; model and grid are its own if not named.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    sketches: Annotated[
        str | None,
        typer.Option(
            help="Cache of `data sketch`'s dataset, for a model that hears kits.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    featurizer: Annotated[
        str | None, typer.Option(help="Grid id (expressive_grid).", rich_help_panel=_MODEL)
    ] = None,
    learning_rate: Annotated[
        float | None,
        number(bounds.LEARNING_RATE, help="Peak rate (by preset).", rich_help_panel=_MODEL),
    ] = None,
    batch_size: Annotated[
        int | None,
        number(bounds.AT_LEAST_ONE, help="Clips per step (by preset).", rich_help_panel=_MODEL),
    ] = None,
    accumulate: Annotated[
        int | None,
        number(
            bounds.AT_LEAST_ONE,
            help="Cut each batch into so many parts, for less memory (1).",
            rich_help_panel=_RUN,
        ),
    ] = None,
    clips: Annotated[
        str | None, typer.Option(help="beats, seconds or crops (beats).", rich_help_panel=_DATA)
    ] = None,
    beats: Annotated[
        int | None, number(bounds.BEATS, help="Quarter notes per clip (4).", rich_help_panel=_DATA)
    ] = None,
    hop_beats: Annotated[
        int | None,
        number(
            bounds.HOP_BEATS,
            help="Beats from a clip to the next; fewer than --beats overlap (--beats).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    window_sec: Annotated[
        float | None,
        number(
            bounds.SECONDS_ABOVE_0, help="Length with --clips seconds (2).", rich_help_panel=_DATA
        ),
    ] = None,
    hop_sec: Annotated[
        float | None,
        number(
            bounds.SECONDS,
            help="Seconds from such a clip to the next (--window-sec).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    context_sec: Annotated[
        float | None,
        number(
            bounds.SECONDS, help="Left context before a clip, seconds (1).", rich_help_panel=_DATA
        ),
    ] = None,
    crop_sec: Annotated[
        float | None,
        number(
            bounds.SECONDS_ABOVE_0, help="Length of a crop, seconds (3).", rich_help_panel=_DATA
        ),
    ] = None,
    kit: Annotated[
        list[str] | None,
        typer.Option(
            help="Train on this kit alone; repeatable, or with commas (all).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    max_clips: Annotated[
        int | None,
        number(bounds.COUNT, help="Train on so many, drawn (0: all).", rich_help_panel=_DATA),
    ] = None,
    stratify: Annotated[
        list[str] | None,
        typer.Option(
            help="Draw them, and those to measure on, over these: drummer, style, kit, beat_type.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    stratify_mode: Annotated[
        str | None,
        typer.Option(
            help="In proportion to what there is, or uniform (proportional).",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Split to train on (train).", rich_help_panel=_DATA)
    ] = None,
    valid_split: Annotated[
        str | None, typer.Option(help="Split to measure on (validation).", rich_help_panel=_DATA)
    ] = None,
    max_steps: Annotated[
        int | None,
        number(
            bounds.AT_LEAST_ONE,
            help="Length in steps (20000); may be raised later.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    max_minutes: Annotated[
        float | None,
        number(
            bounds.MINUTES,
            help="End after so many minutes, schedule included (0: no limit); may be raised later.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    eval_every: Annotated[
        int | None,
        number(bounds.AT_LEAST_ONE, help="Steps between measurements (500).", rich_help_panel=_RUN),
    ] = None,
    eval_clips: Annotated[
        int | None,
        number(bounds.COUNT, help="Clips to measure on (256; 0: all).", rich_help_panel=_RUN),
    ] = None,
    patience: Annotated[
        int | None,
        number(
            bounds.COUNT,
            help="Stop after so many measurements without a better one (0: never).",
            rich_help_panel=_RUN,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        number(bounds.SEED, help="Of weights, order and dropout (0).", rich_help_panel=_RUN),
    ] = None,
    nonfinite: Annotated[
        str | None,
        typer.Option(
            help="At a loss that is not finite: halt, or skip the step (halt).",
            rich_help_panel=_RUN,
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda or cuda:N (auto).", rich_help_panel=_RUN)
    ] = None,
    threads: Annotated[
        int | None, number(bounds.THREADS, help="CPU threads (0: all).", rich_help_panel=_RUN)
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="auto, float32 or bfloat16 (auto: bfloat16 on GPUs that have it).",
            rich_help_panel=_RUN,
        ),
    ] = None,
    compile: Annotated[
        bool | None, typer.Option("--compile", help="Use torch.compile.", rich_help_panel=_RUN)
    ] = None,
    tensorboard: Annotated[
        bool | None,
        typer.Option("--tensorboard", help="Also write TensorBoard events.", rich_help_panel=_RUN),
    ] = None,
    wandb: Annotated[
        bool | None,
        typer.Option("--wandb", help="Also tell Weights & Biases.", rich_help_panel=_RUN),
    ] = None,
    trackio: Annotated[
        bool | None, typer.Option("--trackio", help="Also tell trackio.", rich_help_panel=_RUN)
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any other setting, such as model_args.layers=6 (docs/training.md).",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Train a model on a cache, or go on with a run: one interrupted, or given a higher limit.

    Example: `midigroove train --cache cache/dac --out runs/dac --preset small`
    """  # fmt: skip
    if config is None and not any(text.startswith(("cache=", "out=")) for text in setting or ()):
        cache = cache or str(newest_cache())
        out = out or str(run_folder(Path(cache)))
    options = {name: value for name, value in locals().items() if name not in _NOT_SETTINGS}
    # Several processes would each say that none of the model's weights are without gradients.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from midigroove_core.training import train as run
    from midigroove_core.training.config import make_config, read_settings

    made = make_config(config, kits=kit, **options, settings=read_settings(setting or []))
    with progress_for_terminal() as progress:
        result = run(made, progress, overwrite=overwrite)
    if os.environ.get("RANK", "0") == "0":
        _print_result(result, json)


_NOT_SETTINGS = {"config", "overwrite", "kit", "setting", "json"}


def _print_result(result: Any, json: bool) -> None:
    if json:
        print_json({k: str(v) if isinstance(v, Path) else v for k, v in vars(result).items()})
        return
    rows = zip(
        result.valid_nll_per_codebook,
        result.unigram_nll_per_codebook,
        result.bigram_nll_per_codebook,
        strict=True,
    )
    figure = (
        f"validation loss {result.valid_loss:.4g}"
        if result.valid_nll is None
        else f"{result.valid_nll:.3f} nats per code"
    )
    title = f"{result.best}: step {result.best_step} of {result.steps}, {figure}"
    if result.valid_nll is None:
        stderr.print(title, markup=False, soft_wrap=True)
        return
    print_table(
        title,
        ("codebook", "model", "unigram", "bigram"),
        [(book, *values) for book, values in enumerate(rows)],
    )


def recipe(
    file: Annotated[Path, typer.Argument(help="A recipe, such as recipes/groove_demo.toml.")],
    dataset: Annotated[
        Path | None, typer.Option(help="Dataset: a folder or a csv; wins over the recipe's.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for cache, run and evaluation.")
    ] = Path("recipe_out"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    steps: Annotated[
        list[str] | None,
        typer.Option("--only", help="cache, train or eval; repeatable (all three)."),
    ] = None,
    json: Json = False,
) -> None:
    """Run an experiment from a file: cache, train, evaluate. Steps that are done are not repeated.

    Example: `midigroove recipe recipes/paper_dac_all_kits_small.toml --dataset EGMD --out out/dac`
    """
    from midigroove_core.recipe import run_recipe

    with progress_for_terminal() as progress:
        made = run_recipe(file, out, dataset=dataset, device=device, only=steps, progress=progress)
    if json:
        print_json(made)
        return
    print_table(str(file), ("made", "where"), list(made.items()))
