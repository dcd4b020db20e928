"""What an evaluation found of one checkpoint, for its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from midigroove_core.atomic import sha256_of_file
from midigroove_core.errors import MismatchError
from midigroove_core.metrics.info import SET_METRICS
from midigroove_core.publishing import markdown
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.records import SystemFacts
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import RowSummary
from midigroove_core.scorecard.tables import GROUPS, head, main_tables

_ROWS = {
    RowKind.SILENCE: "no sound at all: whatever it scores is worth nothing",
    RowKind.RANDOM: "random codes through the codec",
    RowKind.UNIGRAM: "codes drawn by how often the training has them",
    RowKind.NEAREST: "the codes of the training clip whose grid is nearest",
    RowKind.SAMPLER: "one-shots played by the MIDI, without a model or a codec",
    RowKind.ORACLE: "the true codes, decoded: the best that a model on this codec can do",
    RowKind.RECORDING: "the recording itself: what the measures say of the real thing",
}
"""What the reference rows are, for people who have not read docs/evaluation.md."""


def system_in(evaluation: Evaluation, checkpoint: Path) -> SystemFacts:
    """The system of an evaluation that is this checkpoint, by the sum of its file.

    Raises:
        MismatchError: it is not among those that were judged.
    """
    sha = sha256_of_file(checkpoint)
    for system in evaluation.manifest.systems:
        if system.checkpoint_sha256 == sha:
            return system
    judged = [
        f"{one.checkpoint} {one.checkpoint_sha256[:12]}" for one in evaluation.manifest.systems
    ]
    raise MismatchError(
        f"{evaluation.path}: judges other files ({', '.join(judged) or 'no checkpoint'}), not "
        f"{checkpoint.name} {sha[:12]}; evaluate this one, and the card shows that"
    )


def figures(evaluation: Evaluation, system: SystemFacts, name: str) -> str:
    """The tables, with reference rows and intervals, and how to read them.

    Args:
        evaluation: the folder.
        system: which of its systems the card is about.
        name: what the card calls it.
    """
    summary = evaluation.summary
    rows = {row.row: row.kind for row in summary.rows}
    known = [
        f"- {markdown.plain(row)}: {_ROWS[kind]}" for row, kind in rows.items() if kind in _ROWS
    ]
    others = [row for row, kind in rows.items() if kind is RowKind.SYSTEM and row != system.name]
    misleading = GROUPS[-1][0]
    infos = [*summary.metrics.values(), *SET_METRICS.values()]
    doubted = {head(info) for info in infos if not info.trusted}
    tables = [
        markdown.text_table(one, system.name, doubted)
        for one in main_tables(summary)
        if not one.title.startswith(misleading)
    ]
    own = markdown.plain(system.name)
    said = (
        f"On {summary.clips} clips of {evaluation.manifest.clips.length}, of "
        f"{summary.performances} performances of the split {markdown.plain(summary.split)}, drawn "
        f"with {_settings(system.sampling)}. A figure is a mean over clips, ± half its "
        f"{summary.confidence * 100:g} % interval over performances. **{own}** is "
        f"{markdown.plain(name)}{_beside(others)}. Figures in *italics* are not to be "
        f"trusted here, whoever is ahead."
    )
    meaning = "The rows that give the others a meaning:\n\n" + "\n".join(known)
    return "\n\n".join([said, meaning, *tables])


def _beside(others: list[str]) -> str:
    return f"; {markdown.listing(others)} was judged beside it" if others else ""


def _settings(sampling: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sampling.items()) or "its own settings"


def results(evaluation: Evaluation, system: SystemFacts, name: str) -> list[dict[str, Any]]:
    """`model-index`: the figures as the hub reads them, trusted ones alone."""
    summary = evaluation.summary
    row: RowSummary | None = summary.row(system.name)
    metrics = [
        {"type": key, "name": _named(info.label, info.unit), "value": found.mean}
        for key, info in summary.metrics.items()
        if row is not None and info.trusted
        and (found := row.metrics.get(key)) is not None and found.mean is not None
    ]  # fmt: skip
    if not metrics:
        return []
    dataset = {
        "type": "audio", "name": str(system.cache_dataset.get("name", "")), "split": summary.split,
    }  # fmt: skip
    task = {"type": "audio-to-audio", "name": "drum MIDI to audio"}
    return [{"name": name, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]


def _named(label: str, unit: str) -> str:
    return f"{label}, {unit}" if unit else label
