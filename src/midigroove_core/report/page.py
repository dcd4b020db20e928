"""The report page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from midigroove_core.atomic import dump_json, write_text
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.progress import Progress, Silent
from midigroove_core.report.clips import (
    clip_figures,
    ordered_rows,
    picture,
    player_data,
)
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.report.formats import Cell, Table
from midigroove_core.report.listening import Ballot, read_votes, votes_table
from midigroove_core.report.media import load_clips
from midigroove_core.report.plots import Plot, make_plots
from midigroove_core.report.tables import (
    DIFFERENCE_NOTE,
    difference_cells,
    other_tables,
    summary_tables,
)
from midigroove_core.report.templates import render
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.summary import Summary
from midigroove_core.scorecard.tables import DIFFERENCE_COLUMNS, plain


def write_report(
    evaluations: Sequence[str | Path],
    out: str | Path,
    *,
    votes: Sequence[str | Path] = (),
    title: str = "midigroove evaluation",
    preds: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Writes one self-contained HTML file, whole or not at all.

    Args:
        evaluations: one or more directories that `eval` wrote; of several, systems are compared,
            or the page says why they cannot be.
        out: the file.
        votes: results of the listening test of one of them.
        title: of the page.
        preds: where the audio of the first is, when it was put elsewhere.
        progress: told about each evaluation.

    Raises:
        InputError: a directory that is no evaluation, or votes that are none.
        MismatchError: votes of another listening test.
    """
    progress = progress or Silent()
    if not evaluations:
        raise InputError("a report needs an evaluation: midigroove report eval/first")
    found = [Evaluation.open(path) for path in evaluations]
    ballots = read_votes(votes, found, preds)
    parts, data = [], {}
    progress.start("Drawing evaluations", len(found))
    for number, evaluation in enumerate(found):
        prefix = "" if len(found) == 1 else f"e{number + 1}_"
        part = _part(evaluation, prefix, ballots.get(number, []), None if number else preds)
        for place, clip in enumerate(part["clips"], start=1):
            data[f"{prefix}{place}"] = clip.pop("data")
        evaluation.check_same()  # its audio was read file by file
        parts.append(part)
        progress.advance(evaluation=str(evaluation.path))
    progress.finish()
    text = render(
        "report.html.j2",
        title=title,
        evaluations=parts,
        comparison=_comparison(evaluations) if len(found) > 1 else None,
        data=Markup(json_for_script(data)),
    )
    write_text(out, text)
    return Path(out)


def json_for_script(value: Any) -> str:
    """JSON that cannot end the <script> element it stands in."""
    return dump_json(value, indent=None).replace("<", "\\u003c")


def _part(
    evaluation: Evaluation, prefix: str, ballots: Sequence[Ballot], preds: Path | None
) -> dict[str, Any]:
    summary = evaluation.summary
    plots: dict[str, list[Plot]] = {name: [] for name in ("summary", "codes", "knee", "training")}
    plots |= make_plots(evaluation)
    tables = other_tables(evaluation)
    clips = _clips(evaluation, preds)
    votes = votes_table(ballots) if ballots else None
    sections = [("summary", "Summary"), ("clips", "Clips"), ("drums", "Drums and kits"),
                ("codes", "Codes"), ("long", "Long renders"), ("knee", "Codec"),
                ("votes", "Listening test"), ("about", "Cost")]  # fmt: skip
    there = {
        "summary": True, "clips": bool(clips), "drums": "drums" in tables or "kits" in tables,
        "codes": "codes" in tables, "long": "long" in tables, "knee": "codecs" in tables,
        "votes": votes is not None, "about": True,
    }  # fmt: skip
    lead = f"{evaluation.path.name}: " if prefix else ""
    return {
        "name": evaluation.path.name,
        "prefix": prefix,
        "sections": [(key, lead + name) for key, name in sections if there[key]],
        "story": _story(summary),
        "warnings": _warnings(summary),
        "summary": summary_tables(summary),
        "tables": tables,
        "plots": plots,
        "clips": clips,
        "votes": votes,
        "cost_line": _cost_line(evaluation),
        "manifest": dump_json(evaluation.manifest.to_json()),
    }


def _clips(evaluation: Evaluation, preds: Path | None) -> list[dict[str, Any]]:
    folder, kept = evaluation.kept(preds)
    figures = clip_figures(evaluation) if kept is not None else {}
    audio = evaluation.summary.audio
    reference = None if audio is None else audio.reference
    clips = []
    for clip in load_clips(folder, kept, reference):
        rows = ordered_rows(clip, evaluation)
        if rows:
            title = f"{clip['kit']} · {clip['style']} · {clip['drummer']} · {clip['bpm']:g} bpm"
            whole = {**clip, "title": title, "rows": rows}
            clips.append({**whole, **picture(whole), "data": player_data(whole, figures)})
    return clips


def _story(summary: Summary) -> str:
    reference = {
        None: "Only codes were scored.",
        "recording": "The reference is the recording itself.",
    }.get(
        None if summary.audio is None else summary.audio.reference,
        "The reference is the codec oracle, not the recordings.",
    )
    return (
        f"{summary.clips} clips of {summary.takes} takes of {summary.performances} "
        f"performances, split {summary.split}. {reference} Figures are means over clips, with "
        f"± half of their 95 % interval over performances.{_seeds(summary)} Bars run from silence "
        f"(none) to the codec oracle (full). Grey figures are not to be trusted."
    )


def _seeds(summary: Summary) -> str:
    if summary.seeds < 2:
        return ""
    return (
        f" Systems were drawn with {summary.seeds} seeds: figures are means over them, and in "
        f"brackets stands the standard deviation from seed to seed."
    )


def _warnings(summary: Summary) -> list[str]:
    lines = [f"Left out: {count} x {why}." for why, count in summary.skipped.items()]
    if summary.performances < 10:
        lines.append(
            f"Only {summary.performances} performances: intervals are somewhat too narrow."
        )
    return lines


def _cost_line(evaluation: Evaluation) -> str:
    cost = evaluation.cost
    text = f"The evaluation took {plain(cost.wall_sec)} s"
    memory = cost.peak_memory_mib
    return text + (f" and at most {memory:.0f} MiB of memory." if memory else ".")


def _comparison(paths: Sequence[str | Path]) -> dict[str, Any]:
    try:
        found = compare_evaluations(paths, intersection=True)
    except MismatchError as error:
        return {"notes": [str(error)], "tables": []}
    means = [[Cell(str(v), str(v)) for v in row] for row in found.mean_rows]
    rows = [difference_cells(line, found.metrics[line.metric]) for line in found.differences]
    tables = [
        Table("means", "Means over the same clips", found.columns, means),
        Table("differences", "Paired differences", list(DIFFERENCE_COLUMNS), rows, DIFFERENCE_NOTE),
    ]
    return {"notes": list(found.notes), "tables": tables}
