"""`midigroove eval | compare | report`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from midigroove_core import bounds
from midigroove_core.cli.defaults import dataset_to_judge, evaluation_folder, system_text
from midigroove_core.cli.drawing import (
    DRAWING,
    Sample,
    Temperature,
    TopK,
    TopP,
    read_sampling_options,
)
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, print_json, print_table, progress_for_terminal, stderr
from midigroove_core.errors import InputError

if TYPE_CHECKING:
    from midigroove_core.scorecard.cost import Cost
    from midigroove_core.scorecard.scorecard import Scorecard
    from midigroove_core.scorecard.summary import Summary

PANEL = "Evaluation"
_ROWS, _RUN = "Reference rows", "What is kept, and where it runs"
_SWITCHES = "Switches"
"""Apart from others, so that both of their names have room at 80 columns."""


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("eval", rich_help_panel=PANEL)(evaluate)
    app.command(rich_help_panel=PANEL)(compare)
    app.command(rich_help_panel=PANEL)(report)


def evaluate(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the evaluation.", show_default="eval/NAMES"),
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:CHECKPOINT:CACHE[:CODEC]",
            help="A system under test, or the name of a run in runs/; repeatable.",
        ),
    ] = None,
    systems_file: Annotated[
        Path | None, typer.Option(help="A file with one such system a line.")
    ] = None,
    audio: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:FOLDER",
            help="Audio from elsewhere under test, a file per take by its name; repeatable.",
        ),
    ] = None,
    cache: Annotated[
        list[Path] | None,
        typer.Option(help="A codec without a model, by the cache of its codes; repeatable."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the caches.")] = "test",
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="Folder or csv with the recordings.",
            show_default="what EGMD_CSV or EGMD_ROOT names",
        ),
    ] = None,
    reference: Annotated[
        Literal["recording", "oracle"],
        typer.Option(help="Compare with recordings, or without them with the codec's oracle."),
    ] = "recording",
    sample_rate: Annotated[
        int | None,
        number(
            bounds.SCORED_RATE,
            help="Score all audio at this rate, so that codecs compare; 32000 in the baseline.",
            show_default="the highest of the codecs",
        ),
    ] = None,
    intersection: Annotated[
        bool, typer.Option("--intersection", help="Only clips that all systems have.")
    ] = False,
    max_items: Annotated[
        int, number(bounds.COUNT, help="At most so many clips, drawn; 0: all.")
    ] = 0,
    beats: Annotated[int, number(bounds.BEATS, help="Length of a clip in quarter notes.")] = 4,
    hop_beats: Annotated[
        int,
        number(
            bounds.HOP_BEATS,
            help="Beats from a clip to the next; fewer than --beats overlap.",
            show_default="--beats",
        ),
    ] = 0,
    window_sec: Annotated[
        float,
        number(
            bounds.SECONDS, help="Length of a clip in seconds, on no beat.", show_default="--beats"
        ),
    ] = 0.0,
    hop_sec: Annotated[
        float,
        number(
            bounds.SECONDS,
            help="Seconds from such a clip to the next.",
            show_default="--window-sec",
        ),
    ] = 0.0,
    audio_metrics: Annotated[
        bool, typer.Option(help="Score audio, not only codes.", rich_help_panel=_SWITCHES)
    ] = True,
    metric: Annotated[
        list[str] | None, typer.Option(help="A figure of a plugin beside core's; repeatable.")
    ] = None,
    embedding: Annotated[
        str, typer.Option(help="Embedding id for set distances; none for none.")
    ] = "log_mel",
    embedding_path: Annotated[
        str | None, typer.Option(help="Weights of the embedding.", show_default="where it looks")
    ] = None,
    same_loudness: Annotated[
        bool,
        typer.Option(help="Match loudness before set distances.", rich_help_panel=_SWITCHES),
    ] = True,
    long_items: Annotated[
        int, number(bounds.COUNT, help="Long takes to render whole, to hear the joins; 0: none.")
    ] = 2,
    knee_items: Annotated[
        int, number(bounds.COUNT, help="Clips for the oracle per number of levels; 0: none.")
    ] = 32,
    add_oracle: Annotated[
        bool, typer.Option(help="The true codes, decoded.", rich_help_panel=_ROWS)
    ] = True,
    add_silence: Annotated[bool, typer.Option(help="Silence.", rich_help_panel=_ROWS)] = True,
    add_random: Annotated[bool, typer.Option(help="Random codes.", rich_help_panel=_ROWS)] = True,
    add_unigram: Annotated[
        bool, typer.Option(help="Codes drawn by frequency.", rich_help_panel=_ROWS)
    ] = True,
    add_nearest: Annotated[
        bool, typer.Option(help="The training clip with the nearest grid.", rich_help_panel=_ROWS)
    ] = True,
    add_sampler: Annotated[
        bool, typer.Option(help="The kit, played plainly.", rich_help_panel=_ROWS)
    ] = True,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    sample: Sample = None,
    seed: Annotated[
        int, number(bounds.SEED, help="Of clips and draws.", rich_help_panel=DRAWING)
    ] = 0,
    seeds: Annotated[
        int,
        number(
            bounds.AT_LEAST_ONE,
            help="Draw every clip with so many seeds, to see the luck of the draw.",
            rich_help_panel=DRAWING,
        ),
    ] = 1,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or cuda:N.", rich_help_panel=_RUN)
    ] = "auto",
    decode_device: Annotated[
        str | None,
        typer.Option(help="Where codecs decode.", show_default="as --device", rich_help_panel=_RUN),
    ] = None,
    sketches: Annotated[
        Path | None,
        typer.Option(help="Cache of `data sketch`'s dataset, for models that hear kits."),
    ] = None,
    codec_path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[CODEC_ID=]PATH", help="Weights of a codec; repeatable.", rich_help_panel=_RUN
        ),
    ] = None,
    save_preds: Annotated[
        str,
        typer.Option(
            metavar="N|all", help="Keep the audio of so many clips.", rich_help_panel=_RUN
        ),
    ] = "8",
    pred_dir: Annotated[
        Path | None,
        typer.Option(help="Where.", show_default="OUT/preds", rich_help_panel=_RUN),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace an evaluation of other settings or files."),
    ] = False,
    pred_include_ref: Annotated[
        bool, typer.Option(help="Keep the reference rows' audio too.", rich_help_panel=_SWITCHES)
    ] = True,
    json: Json = False,
) -> None:
    """Score systems against the MIDI and the recordings, beside rows that give figures a meaning.

    Example: `midigroove eval --system groove:runs/groove/best.safetensors:cache/groove
    --dataset DATA --out eval/first`
    """
    from midigroove_core.evaluation import AudioSpec, EvalConfig, SystemSpec
    from midigroove_core.evaluation import evaluate as run
    from midigroove_core.evaluation.base.config import read_systems_file
    from midigroove_core.scorecard.rows import RowKind

    wanted = {
        "oracle": add_oracle, "silence": add_silence, "random": add_random,
        "unigram": add_unigram, "nearest": add_nearest, "sampler": add_sampler,
    }  # fmt: skip
    systems = tuple(SystemSpec.parse(system_text(text)) for text in system or ())
    if systems_file is not None:
        systems += tuple(read_systems_file(systems_file))
    folders = tuple(AudioSpec.parse(text) for text in audio or ())
    named = [*(spec.name for spec in systems), *(spec.name for spec in folders)]
    named += [path.name for path in cache or ()]
    out = out or evaluation_folder(named)
    if dataset is None and reference == "recording" and audio_metrics:
        dataset = dataset_to_judge()
    paths = [text.rpartition("=") for text in codec_path or []]
    config = EvalConfig(
        systems=systems, audio=folders,
        caches=tuple(cache or ()), out=out, split=split,
        dataset=dataset, reference=reference, sample_rate=sample_rate,
        intersection=intersection, max_items=max_items, beats=beats, hop_beats=hop_beats,
        window_sec=window_sec, hop_sec=hop_sec,
        audio_metrics=audio_metrics, metrics=tuple(metric or ()),
        knee_items=knee_items, long_items=long_items,
        save_preds=_read_save_preds(save_preds),
        rows=tuple(RowKind(name) for name, value in wanted.items() if value),
        embedding="" if embedding == "none" else embedding, embedding_path=embedding_path,
        same_loudness=same_loudness,
        sampling=read_sampling_options(sample, temperature, top_k, top_p),
        seed=seed, seeds=seeds, device=device, decode_device=decode_device,
        codec_paths={codec: path for codec, _, path in paths}, sketches=sketches,
        pred_dir=pred_dir,
        pred_include_ref=pred_include_ref, overwrite=overwrite,
    )  # fmt: skip
    with progress_for_terminal() as progress:
        result = run(config, progress=progress)
    if os.environ.get("RANK", "0") == "0":  # of several processes one speaks
        print_scorecard(result, json)


def _read_save_preds(text: str) -> int | Literal["all"]:
    if text == "all":
        return "all"
    if not text.isdigit():
        raise InputError(f"--save-preds must be a whole number or all, got {text!r}")
    return int(text)


def print_scorecard(result: Scorecard, json: bool) -> None:
    """The tables, or summary.json; then what was left out, and where it all lies."""
    if json:
        print_json(result.summary.to_json())
    else:
        _print_summary(result.summary, result.cost)
    _say_rest(result)


def compare(
    evaluations: Annotated[list[Path], typer.Argument(help="Folders that eval wrote.")],
    intersection: Annotated[
        bool, typer.Option("--intersection", help="Compare clips that all have.")
    ] = False,
    kits: Annotated[
        bool,
        typer.Option(
            "--kits", help="One table of all rows and kits instead, whatever their clips are."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Compare systems of several evaluations, or say why they cannot be compared.

    Example: `midigroove compare eval/first eval/second`
    """
    from midigroove_core.report.compare import compare_evaluations
    from midigroove_core.report.side_by_side import side_by_side
    from midigroove_core.scorecard.tables import DIFFERENCE_COLUMNS, difference_row

    if kits:
        table = side_by_side(evaluations)
        if json:
            print_json(table.to_json())
        else:
            print_table("Side by side", table.columns, table.rows)
        return
    found = compare_evaluations(evaluations, intersection=intersection)
    if json:
        print_json(found.to_json())
        return
    for note in found.notes:
        stderr.print(f"note: {note}", markup=False, soft_wrap=True)
    print_table("Means", found.columns, found.mean_rows)
    lines = [difference_row(line, found.metrics[line.metric]) for line in found.differences]
    print_table("Paired differences (95 %)", DIFFERENCE_COLUMNS, lines)


def report(
    evaluations: Annotated[list[Path], typer.Argument(help="Folders that eval wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")] = Path(
        "report.html"
    ),
    listening_test: Annotated[
        bool,
        typer.Option("--listening-test", help="Write a blind listening test of the first instead."),
    ] = False,
    votes: Annotated[
        list[Path] | None,
        typer.Option(help="Answers of the listening test; repeatable.", show_default="none"),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Folder for every plot and table of the first: PNG, CSV, Markdown."),
    ] = None,
    latex: Annotated[
        bool, typer.Option("--latex", help="With --export: LaTeX tables too.")
    ] = False,
    title: Annotated[str, typer.Option(help="Of the page.")] = "midigroove evaluation",
    preds: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the audio of the first, where eval --pred-dir put it.",
            show_default="in the evaluation",
        ),
    ] = None,
) -> None:
    """Make one HTML file to see and hear an evaluation in; it needs no network.

    Example: `midigroove report eval/first -o report.html`
    """
    from midigroove_core.report import export_papers, write_listening_test, write_report

    if latex and export is None:
        raise InputError("--latex needs a folder to write to: --export FOLDER")
    with progress_for_terminal() as progress:
        if listening_test:
            write_listening_test(evaluations[0], out, preds=preds)
        else:
            write_report(
                evaluations, out, votes=votes or (), title=title, preds=preds, progress=progress
            )
    if export is not None:
        files = export_papers(evaluations[0], export, latex=latex)
        stderr.print(f"wrote {len(files)} files to {export}", markup=False, soft_wrap=True)
    stderr.print(f"wrote {out}", markup=False, soft_wrap=True)


def _print_summary(summary: Summary, cost: Cost) -> None:
    from midigroove_core.scorecard.tables import (
        codec_table,
        difference_table,
        drum_table,
        long_table,
        main_tables,
        order_table,
    )

    tables = [*main_tables(summary), drum_table(summary), long_table(summary, cost)]
    tables += [codec_table(summary, cost), difference_table(summary), order_table(summary)]
    for table in tables:
        if table is not None and table.rows:
            print_table(table.title, table.columns, table.rows)


def _say_rest(result: Scorecard) -> None:
    for reason, count in result.summary.skipped.items():
        stderr.print(f"left out: {count} x {reason} (skipped.jsonl names each)", markup=False)
    stderr.print(f"wrote {result.out}; open it with: midigroove report {result.out}", markup=False)
