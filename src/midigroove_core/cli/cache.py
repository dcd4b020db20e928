"""`midigroove cache | codec-stats`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from midigroove_core import bounds
from midigroove_core.cli.dataset_options import read_max_takes
from midigroove_core.cli.defaults import cache_folder, dataset_to_cache
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, print_json, print_table, progress_for_terminal
from midigroove_core.cli.tables import flat_rows

PANEL = "Data and caches"
_FILTERS = "Which takes"
_RANKS = "Several processes"
_PROBE = "Probe"


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(rich_help_panel=PANEL)(cache)
    app.command("codec-stats", rich_help_panel=PANEL)(codec_stats)


def cache(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the cache.", show_default="cache/CODEC"),
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="Dataset: a folder or a csv.",
            show_default="what EGMD_CSV or EGMD_ROOT names, else the built-in grooves",
        ),
    ] = None,
    codec: Annotated[str, typer.Option(help="Codec id or family.")] = "groove_32khz",
    codec_path: Annotated[
        str | None, typer.Option(help="Directory or file with the codec's weights.")
    ] = None,
    codec_option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Argument of the codec, such as num_codebooks=4."),
    ] = None,
    bandwidth: Annotated[
        float | None,
        number(bounds.KBIT_PER_SEC, help="Bandwidth in kbit/s, for codecs that have a choice."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    batch: Annotated[
        int | None,
        number(bounds.AT_LEAST_ONE, help="Windows encoded together (1 on a CPU, else 8)."),
    ] = None,
    workers: Annotated[
        int | None,
        number(bounds.COUNT, help="Processes that read audio (0 on a CPU, else up to 8)."),
    ] = None,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="Bring each take's peak to -1 dBFS.")
    ] = False,
    resample: Annotated[
        str,
        typer.Option(help="soxr, or device: where the codec is, for GPUs that wait (torchaudio)."),
    ] = "soxr",
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first take that cannot be used.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Throw away the cache that is there.")
    ] = False,
    kind: Annotated[
        Literal["auto", "egmd", "gmd", "folder"], typer.Option(help="What --dataset is.")
    ] = "auto",
    dataset_root: Annotated[
        Path | None, typer.Option(help="Folder that paths in the csv are relative to.")
    ] = None,
    train_csv: Annotated[Path | None, typer.Option(help="Instead of --dataset.")] = None,
    val_csv: Annotated[Path | None, typer.Option(help="Instead of --dataset.")] = None,
    midi: Annotated[
        Literal["canonical", "kit"],
        typer.Option(help="One MIDI for all kits of a performance, or each kit's own."),
    ] = "canonical",
    beat_type: Annotated[
        str | None, typer.Option(help="beat or fill.", rich_help_panel=_FILTERS)
    ] = None,
    kit: Annotated[
        list[str] | None,
        typer.Option(help="Keep this kit; repeatable, or with commas.", rich_help_panel=_FILTERS),
    ] = None,
    kit_exclude: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave this kit out; repeatable, or with commas.", rich_help_panel=_FILTERS
        ),
    ] = None,
    kit_top_n: Annotated[
        int | None,
        number(
            bounds.AT_LEAST_ONE,
            help="Keep so many kits, those with the most takes in training.",
            rich_help_panel=_FILTERS,
        ),
    ] = None,
    style: Annotated[
        list[str] | None, typer.Option(help="Keep this style.", rich_help_panel=_FILTERS)
    ] = None,
    drummer: Annotated[
        list[str] | None, typer.Option(help="Keep this drummer.", rich_help_panel=_FILTERS)
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="Keep this split.", rich_help_panel=_FILTERS)
    ] = None,
    max_takes: Annotated[
        str | None,
        typer.Option(
            metavar="N|SPLIT=N,...",
            help="At most so many takes, drawn within each split: 500, or train=400,test=50.",
            rich_help_panel=_FILTERS,
        ),
    ] = None,
    stratify: Annotated[
        list[str] | None,
        typer.Option(
            help="Draw them over these: drummer, style, kit, beat_type; with commas.",
            rich_help_panel=_FILTERS,
        ),
    ] = None,
    stratify_mode: Annotated[
        Literal["proportional", "uniform"],
        typer.Option(
            help="In proportion to what there is, or each alike.", rich_help_panel=_FILTERS
        ),
    ] = "proportional",
    one_kit: Annotated[
        bool,
        typer.Option("--one-kit", help="Each performance on one kit.", rich_help_panel=_FILTERS),
    ] = False,
    split_mode: Annotated[
        Literal["published", "leave_kit_out", "leave_drummer_out"],
        typer.Option(help="How splits are drawn.", rich_help_panel=_FILTERS),
    ] = "published",
    held_out: Annotated[
        list[str] | None,
        typer.Option(help="Kit or drummer of --split-mode.", rich_help_panel=_FILTERS),
    ] = None,
    seed: Annotated[int, number(bounds.SEED, help="Of --max-takes.", rich_help_panel=_FILTERS)] = 0,
    rank: Annotated[
        int, number(bounds.COUNT, envvar="RANK", help="This process.", rich_help_panel=_RANKS)
    ] = 0,
    world: Annotated[
        int,
        number(
            bounds.AT_LEAST_ONE, envvar="WORLD_SIZE", help="Of so many.", rich_help_panel=_RANKS
        ),
    ] = 1,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Encode what ranks that have ended left undone, and complete the cache.",
            rich_help_panel=_RANKS,
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Encode a dataset once, so that training and evaluation read codes instead of audio.

    Give the same command again after a kill or a full disk: it goes on where it was, and the
    result is the same to the byte.

    Example: `midigroove cache --codec dac --dataset DATA --out cache/dac`
    """
    from midigroove_core.cache.build import build_cache
    from midigroove_core.coding.open import open_codec
    from midigroove_core.takes import open_dataset, select

    options = [*(codec_option or ()), *([f"bandwidth={bandwidth}"] if bandwidth else ())]
    out = out or cache_folder(codec, options)
    # Before a dataset is made, or a large one is listed, for a codec that is not there.
    opened = open_codec(codec, options=options, path=codec_path)
    if dataset is None and train_csv is None and val_csv is None:
        with progress_for_terminal() as progress:
            dataset = dataset_to_cache(progress)
    data = open_dataset(
        dataset, kind=kind, root=dataset_root, train_csv=train_csv, val_csv=val_csv, midi=midi
    )
    with progress_for_terminal() as progress:
        data = select(
            data, beat_type=beat_type, kits=kit or (), kits_exclude=kit_exclude or (),
            styles=style or (), drummers=drummer or (), splits=split or (), kit_top_n=kit_top_n,
            max_takes=read_max_takes(max_takes), stratify=stratify or (),
            stratify_mode=stratify_mode, one_kit_per_performance=one_kit,
            split_mode=split_mode, held_out=held_out or (), seed=seed, progress=progress,
        )  # fmt: skip
        summary = build_cache(
            data, opened, out, device=device, batch=batch, workers=workers, rank=rank,
            world=world, finish=finish, strict=strict, normalize=normalize, resample=resample,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    _print_summary(summary, json)


def _print_summary(summary: Any, json: bool) -> None:
    if json:
        print_json({**vars(summary), "path": str(summary.path)})
        return
    rows: list[tuple[str, object]] = [
        ("cache", summary.path if summary.finished else f"{summary.path} (not finished yet)"),
        ("takes", summary.cached),
        *((f"left out: {reason}", count) for reason, count in sorted(summary.skipped.items())),
    ]
    if summary.encoded:
        rows += [
            ("encoded in this run", summary.encoded),
            ("audio (min)", summary.audio_sec / 60),
            ("time (s)", summary.wall_sec),
            ("times real time", summary.audio_sec / summary.wall_sec),
            ("of it inside the codec (%)", 100 * summary.encode_sec / summary.wall_sec),
        ]
    print_table("Cache", ("", ""), rows)


def codec_stats(
    paths: Annotated[list[Path], typer.Argument(metavar="CACHE...", help="One cache or several.")],
    max_takes: Annotated[
        int, number(bounds.AT_LEAST_TWO, help="Takes of each split to look at.")
    ] = 400,
    intersection: Annotated[
        bool, typer.Option("--intersection", help="Only takes that all caches have.")
    ] = False,
    featurizer: Annotated[str, typer.Option(help="Grid that the probe reads.")] = "expressive_grid",
    probe: Annotated[bool, typer.Option(help="Fit a probe from grid to code.")] = True,
    probe_steps: Annotated[
        int, number(bounds.AT_LEAST_ONE, help="Batches it sees.", rich_help_panel=_PROBE)
    ] = 150,
    probe_batch: Annotated[
        int, number(bounds.AT_LEAST_ONE, help="Frames in each.", rich_help_panel=_PROBE)
    ] = 512,
    probe_hidden: Annotated[
        int,
        number(bounds.COUNT, help="Width of a hidden layer; 0: linear.", rich_help_panel=_PROBE),
    ] = 0,
    probe_lr: Annotated[
        float, number(bounds.LEARNING_RATE, help="Learning rate.", rich_help_panel=_PROBE)
    ] = 0.02,
    seed: Annotated[int, number(bounds.SEED, help="Of the choice of takes and of the probe.")] = 0,
    json: Json = False,
) -> None:
    """Say how a codec's codes behave: entropy, use, change rate, and how learnable they are.

    Example: `midigroove codec-stats cache/dac`
    """
    from midigroove_core.cache.codec_stats import codec_statistics, common_takes
    from midigroove_core.cache.probe import ProbeConfig

    config = ProbeConfig(probe_steps, probe_batch, probe_hidden, probe_lr)
    takes = common_takes(paths) if intersection else None
    with progress_for_terminal() as progress:
        found = [
            codec_statistics(
                path, max_takes=max_takes, featurizer=featurizer if probe else None, probe=config,
                takes=takes, seed=seed, progress=progress,
            )
            for path in paths
        ]  # fmt: skip
    if json:
        print_json(found[0] if len(found) == 1 else found)
        return
    for one in found:
        rows = one.pop("codebooks")
        title = f"Codebooks of {one['cache']}" if len(found) > 1 else "Codebooks"
        print_table(title, tuple(rows[0]), [tuple(row.values()) for row in rows])
    if len(found) == 1:
        print_table("Together", ("", ""), flat_rows(found[0]))
        return
    columns = [list(flat_rows(one)) for one in found]
    names = [name for name, _ in columns[0]]
    lines = [(name, *(dict(column).get(name, "") for column in columns)) for name in names[1:]]
    print_table("Beside each other", ("", *(str(path) for path in paths)), lines)
