"""`midigroove data`: make, verify, count and export datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli import dataset_options as options
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import (
    Json,
    console,
    print_json,
    print_table,
    progress_for_terminal,
)

if TYPE_CHECKING:
    from midigroove_core.datasets.export import ExportSummary
    from midigroove_core.datasets.stats import Stats
    from midigroove_core.datasets.synth import SynthSummary
    from midigroove_core.datasets.verify import VerifyReport

Workers = Annotated[
    int | None,
    number(bounds.WORKERS, help="Processes [default: one a core].", show_default=False),
]


def add(app: typer.Typer) -> None:
    """Adds the group `data`."""
    data = typer.Typer(
        help="Make, verify, count and export datasets.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
    )
    data.command()(synth)
    data.command()(sketch)
    data.command()(verify)
    data.command()(stats)
    data.command()(export)
    app.add_typer(data, name="data")


def synth(
    midi: Annotated[
        Path, typer.Option(help="Folder of drum MIDI (GMD's info.csv is read), or 'builtin'.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the dataset to make.")],
    kits: Annotated[
        str,
        typer.Option(help="A kits .toml file, 'builtin', built-in kits (jazz,tr808), random:20."),
    ] = "builtin",
    max_performances: Annotated[
        int | None,
        number(
            bounds.AT_LEAST_ONE,
            help="So many, in proportion over split, drummer, style [default: all].",
        ),
    ] = None,
    beat_type: Annotated[
        str | None, typer.Option(help="Only beat, or only fill [default: both].")
    ] = None,
    split_by: Annotated[
        str, typer.Option(help="'published' splits, or 'drummer': each in one split.")
    ] = "published",
    headroom_db: Annotated[
        float,
        number(bounds.DECIBELS, help="Turn kits down by so much, so that dense takes do not clip."),
    ] = 0.0,
    stems: Annotated[
        bool, typer.Option("--stems", help="Write kick, snare, toms, hats, cymbals apart as well.")
    ] = False,
    augment: Annotated[
        int,
        number(
            bounds.VERSIONS,
            help="So many altered versions of each kit (speed, EQ, room, noise ...) to train on.",
        ),
    ] = 0,
    channel: Annotated[
        int | None, number(bounds.CHANNEL, help="MIDI channel, 1 to 16 [default: the drums].")
    ] = None,
    track: Annotated[
        str | None, typer.Option(help="Track, by number from 1 or name [default: the drums].")
    ] = None,
    seed: Annotated[
        int, number(bounds.SEED, help="Seed of the choice of performances and of what alters.")
    ] = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Plays drum MIDI on kits: an E-GMD-shaped dataset of wav, MIDI and csv.

    A run that was stopped goes on where it was. Exit code 1 if a take had to be left out.

    Example: midigroove data synth --midi builtin --headroom-db 1 --out DATA
    """
    from midigroove_core.datasets.synth import synthesize

    with progress_for_terminal() as progress:
        summary = synthesize(
            midi, kits, out, max_performances=max_performances, beat_type=beat_type,
            split_by=split_by, headroom_db=headroom_db, stems=stems, augment=augment,
            channel=channel, track=track, seed=seed, workers=workers, progress=progress,
        )  # fmt: skip
    print_json(summary.to_json()) if json else _print_synth(summary)
    raise typer.Exit(1 if summary.skipped else 0)


def sketch(
    out: Annotated[Path, typer.Option(help="Folder of the dataset to make.")],
    dataset: options.DatasetPath = None,
    heard: Annotated[
        float, number(bounds.SHARE, help="Share of kits that are cut without their MIDI.")
    ] = 0.2,
    kind: options.Kind = "auto",
    dataset_root: options.Root = None,
    train_csv: options.TrainCsv = None,
    val_csv: options.ValCsv = None,
    midi: options.MidiChoice = "canonical",
    kit: options.Kits = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Plays each take on a kit that is cut from another take of its kit, for models that hear kits.

    A run that was stopped goes on where it was. Exit code 1 if a take had to be left out.

    Example: midigroove data sketch DATA --out SKETCHES
    """
    from midigroove_core.datasets import sketches as pipeline

    chosen = options.open_selected(
        dataset, kind=kind, root=dataset_root, train_csv=train_csv, val_csv=val_csv, midi=midi,
        kits=kit,
    )  # fmt: skip
    with progress_for_terminal() as progress:
        made = pipeline.sketch(chosen, out, heard=heard, workers=workers, progress=progress)
    if json:
        print_json(made.to_json())
    else:
        console.print(
            f"{made.csv_path}: {made.written} takes sketched, {made.kept} there before, "
            f"{len(made.skipped)} left out",
            soft_wrap=True,
        )
        for key, reason in list(made.skipped.items())[:5]:
            console.print(f"{key}: {reason}", soft_wrap=True)
    raise typer.Exit(1 if made.skipped else 0)


def verify(
    dataset: options.DatasetPath = None,
    report: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("verify.json"),
    listen: Annotated[
        bool, typer.Option(help="Compare onsets heard with the MIDI (most of the time).")
    ] = True,
    max_offset_ms: Annotated[
        float, number(bounds.MILLISECONDS, help="Largest offset that passes.")
    ] = 10.0,
    max_residual_ms: Annotated[
        float, number(bounds.MILLISECONDS, help="Largest spread that passes.")
    ] = 20.0,
    checksums: Annotated[
        Path | None,
        typer.Option(help="Published checksums to compare: of mirdata, md5sum or sha256sum."),
    ] = None,
    kind: options.Kind = "auto",
    dataset_root: options.Root = None,
    train_csv: options.TrainCsv = None,
    val_csv: options.ValCsv = None,
    midi: options.MidiChoice = "canonical",
    max_takes: options.MaxTakes = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Finds missing, silent, clipped, broken, wrongly split and misaligned takes.

    Exit code 1 if anything was found.

    Example: midigroove data verify DATA --report verify.json
    """
    from midigroove_core.atomic import write_json
    from midigroove_core.datasets import verify as pipeline
    from midigroove_core.datasets.verify_take import Limits

    chosen = options.open_selected(
        dataset, kind=kind, root=dataset_root, train_csv=train_csv, val_csv=val_csv, midi=midi,
        max_takes=max_takes, stratify=("drummer", "style", "kit"),
    )  # fmt: skip
    limits = Limits(offset_ms=max_offset_ms, residual_ms=max_residual_ms)
    with progress_for_terminal() as progress:
        found = pipeline.verify(
            chosen, limits=limits, listen=listen, checksums=checksums, workers=workers,
            progress=progress,
        )  # fmt: skip
    write_json(report, found.to_json())
    print_json(found.to_json()) if json else _print_verify(found, report)
    raise typer.Exit(1 if found.findings else 0)


def stats(
    dataset: options.DatasetPath = None,
    kind: options.Kind = "auto",
    dataset_root: options.Root = None,
    train_csv: options.TrainCsv = None,
    val_csv: options.ValCsv = None,
    midi: options.MidiChoice = "canonical",
    beat_type: options.BeatType = None,
    kit: options.Kits = None,
    kit_exclude: options.KitsExclude = None,
    kit_top_n: options.KitTopN = None,
    style: options.Styles = None,
    drummer: options.Drummers = None,
    max_takes: options.MaxTakes = None,
    stratify: options.Stratify = None,
    stratify_mode: options.StratifyMode = "proportional",
    one_kit_per_performance: options.OneKit = False,
    split_mode: options.SplitMode = "published",
    held_out: options.HeldOut = None,
    select_seed: options.Seed = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Counts hours, takes and hits by split, kit, style, drummer and drum class.

    Example: midigroove data stats DATA --beat-type beat
    """
    from midigroove_core.datasets import stats as pipeline

    chosen = options.open_selected(
        dataset, kind=kind, root=dataset_root, train_csv=train_csv, val_csv=val_csv, midi=midi,
        beat_type=beat_type, kits=kit, kits_exclude=kit_exclude, styles=style, drummers=drummer,
        kit_top_n=kit_top_n, max_takes=max_takes, stratify=stratify, stratify_mode=stratify_mode,
        split_mode=split_mode, held_out=held_out,
        one_kit_per_performance=one_kit_per_performance, seed=select_seed,
    )  # fmt: skip
    with progress_for_terminal() as progress:
        counted = pipeline.stats(chosen, workers=workers, progress=progress)
    print_json(counted.to_json()) if json else _print_stats(chosen.name, counted)


def export(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    dataset: options.DatasetPath = None,
    jams: Annotated[
        bool, typer.Option("--jams", help="Write a JAMS file for each take as well.")
    ] = False,
    kind: options.Kind = "auto",
    dataset_root: options.Root = None,
    train_csv: options.TrainCsv = None,
    val_csv: options.ValCsv = None,
    midi: options.MidiChoice = "canonical",
    beat_type: options.BeatType = None,
    kit: options.Kits = None,
    style: options.Styles = None,
    drummer: options.Drummers = None,
    max_takes: options.MaxTakes = None,
    select_seed: options.Seed = 0,
    json: Json = False,
) -> None:
    """Writes the drums of a dataset as plain MIDI files, and as JAMS.

    Exit code 1 if a performance could not be read.

    Example: midigroove data export DATA --jams --out EXPORT
    """
    from midigroove_core.datasets import export as pipeline

    chosen = options.open_selected(
        dataset, kind=kind, root=dataset_root, train_csv=train_csv, val_csv=val_csv, midi=midi,
        beat_type=beat_type, kits=kit, styles=style, drummers=drummer, max_takes=max_takes,
        seed=select_seed,
    )  # fmt: skip
    with progress_for_terminal() as progress:
        summary = pipeline.export(chosen, out, jams=jams, progress=progress)
    print_json(summary.to_json()) if json else _print_export(summary)
    raise typer.Exit(1 if summary.skipped else 0)


def _print_export(summary: ExportSummary) -> None:
    rows: list[list[Any]] = [["MIDI files", summary.midi], ["JAMS files", summary.jams]]
    rows += [["left out", why] for why in summary.skipped.values()]
    print_table(str(summary.out), ["", ""], rows)


def _print_synth(summary: SynthSummary) -> None:
    facts = summary.to_json()
    rows: list[list[Any]] = [[name, facts[name]] for name in ("written", "kept", "audio_hours")]
    rows += [[f"gain of {kit}", gain] for kit, gain in summary.gains.items()]
    rows += [["left out", f"{count}: {reason}"] for reason, count in facts["skipped"].items()]
    print_table(facts["csv"], ["", ""], rows)


def _print_verify(report: VerifyReport, path: Path) -> None:
    facts = report.to_json()
    summary = facts["alignment_summary"]
    if summary:
        print_table("Audio against MIDI", list(summary), [list(summary.values())])
    if report.checksums:
        console.print(f"checksums of {report.checksums} files compared with those published")
    if not report.findings:
        console.print(f"takes: {report.num_takes}, {facts['audio_hours']} h: nothing is wrong")
        console.print(f"How each lies: {path}", markup=False)
        return
    print_table("Findings", ["kind", "count"], [list(item) for item in report.counts.items()])
    first = [[f.kind, f.take, f.detail] for f in report.findings[:50]]
    print_table(f"The first {len(first)} of {len(report.findings)}", ["kind", "take", ""], first)
    console.print(f"All of them: {path}", markup=False)


def _print_stats(name: str, counted: Stats) -> None:
    facts = counted.to_json()
    for group, tallies in {"total": {name: facts["total"]}, **facts["by"]}.items():
        classes = list(facts["total"]["hits_by_class"])
        rows = [
            [
                key,
                t["hours"],
                t["takes"],
                t["performances"],
                t["hits"],
                *t["hits_by_class"].values(),
            ]
            for key, t in tallies.items()
        ]
        columns = [group, "hours", "takes", "performances", "hits", *classes]
        print_table(f"By {group}" if group != "total" else "All", columns, rows)
    for path in counted.unreadable:
        console.print(f"not counted, unreadable: {path}", markup=False)
