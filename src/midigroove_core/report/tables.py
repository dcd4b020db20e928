"""The report's tables: what the page shows, sorts and lets one save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midigroove_core.evaluation.output.files import Evaluation
from midigroove_core.evaluation.output.tables import (
    GROUPS,
    cell,
    difference_row,
    head,
    long_table,
    order_table,
    plain,
)
from midigroove_core.metrics.info import SET_METRICS
from midigroove_core.report.formats import Cell, Table

PERCENT_CAP = 100.0

DETAILS = (
    (
        "Onsets in detail",
        (
            "onset_precision_50ms", "onset_recall_50ms", "onset_precision_25ms",
            "onset_recall_25ms", "onset_precision_10ms", "onset_recall_10ms",
            "onset_offset_mean_ms", "onset_offset_std_ms",
        ),
    ),
)  # fmt: skip
"""Groups of metrics that only the report shows."""


def summary_tables(summary: dict[str, Any]) -> list[Table]:
    """One table per question, a row per system and reference."""
    tables = []
    for number, (title, wanted) in enumerate((*GROUPS, *DETAILS), start=1):
        metrics = [name for name in wanted if name in summary["metrics"]]
        rows: list[list[Cell]] = []
        marks: dict[int, str] = {}
        for row in summary["rows"]:
            if not any(name in row["metrics"] for name in metrics):
                continue
            if row["kind"] == "system":
                marks[len(rows)] = "system"
            first = [Cell(row["row"], row["row"]), Cell(str(row["clips"]), row["clips"])]
            rows.append(first + [_metric_cell(row, name, summary) for name in metrics])
        if rows:
            heads = [head(summary["metrics"][name]) for name in metrics]
            note = "\n".join(
                f"{summary['metrics'][name]['label']}: {summary['metrics'][name]['note']}"
                for name in metrics
            )
            tables.append(
                Table(f"summary_{number}", title, ["row", "clips", *heads], rows, note, marks)
            )
    return tables


def _metric_cell(row: dict[str, Any], name: str, summary: dict[str, Any]) -> Cell:
    entry = row["metrics"].get(name)
    if entry is None or entry["mean"] is None:
        return Cell("-")
    percent = entry["percent"]
    bar = None if percent is None else min(PERCENT_CAP, max(0.0, percent))
    muted = not summary["metrics"][name]["trusted"]
    return Cell(cell(entry), entry["mean"], None if muted else bar, muted)


def other_tables(evaluation: Evaluation) -> dict[str, Table]:
    """The tables of the later sections, by the section they belong to."""
    summary = evaluation.summary
    found: dict[str, Table] = {}
    if summary["sets"]:
        found["sets"] = _sets(summary, per_kit=False)
        kits_alone = _sets(summary, per_kit=True)
        if kits_alone.rows:
            found["kit_sets"] = kits_alone
    percent = _percent(summary)
    if percent.rows:
        found["percent"] = percent
    differences = _differences(summary)
    if differences.rows:
        found["differences"] = differences
    order = _order(summary)
    if order.rows:
        found["order"] = order
    if summary["classes"]:
        found["classes"] = _classes(summary)
    if summary.get("heard_with"):
        found["heard"] = _heard(summary)
    kits = _kits(evaluation)
    if kits.rows:
        found["kits"] = kits
    if summary["codes"]:
        found["codes"] = _from_dicts("codes", "Codes, per codebook", summary["codes"])
    long = _long(evaluation)
    if long is not None:
        found["long"] = long
    if summary["knee"]:
        found["knee"] = _knee(summary)
    if evaluation.cost.get("rows"):
        found["cost"] = _from_dicts("cost", "Cost", evaluation.cost["rows"])
    return found


_SETS_NOTE = (
    "Floor: halves of the recordings, whole performances on either side, against each other. "
    "A distance below it means nothing. Prefer the kernel distance."
)


def _sets(summary: dict[str, Any], *, per_kit: bool) -> Table:
    rows: list[list[Cell]] = []
    marks: dict[int, str] = {}
    for line in summary["sets"]:
        if bool(line["kit"]) != per_kit:
            continue
        if line["row"] in _systems(summary):
            marks[len(rows)] = "system"
        label = "real against real (floor)" if line["row"] == "floor" else line["row"]
        cells = [
            Cell(plain(line.get(name)), line.get(name), muted=not info.trusted)
            for name, info in SET_METRICS.items()
        ]
        if line["row"] == "floor":
            high = plain(line["kernel_audio_distance_p95"])
            cells[0] = Cell(f"{cells[0].text} (95 % below {high})", cells[0].value)
        kit = [Cell(line["kit"], line["kit"])] if per_kit else []
        rows.append([*kit, Cell(label, label), *cells])
    columns = ["row", "kernel distance ↓", "Frechet ↓", "Frechet, extrapolated ↓"]
    if per_kit:
        title = f"Does each kit sound like its recordings? ({summary['embedding']})"
        return Table("sets_per_kit", title, ["kit", *columns], rows, _SETS_NOTE, marks)
    title = f"Does the whole sound like the recordings? ({summary['embedding']})"
    return Table("sets", title, columns, rows, _SETS_NOTE, marks)


def _systems(summary: dict[str, Any]) -> list[str]:
    return [row["row"] for row in summary["rows"] if row["kind"] == "system"]


def _percent(summary: dict[str, Any]) -> Table:
    facts = summary["metrics"]
    there = {
        name
        for row in summary["rows"]
        for name, entry in row["metrics"].items()
        if entry["percent"] is not None
    }
    metrics = [name for _, group in GROUPS for name in group if name in there]
    metrics = [name for name in metrics if facts[name]["trusted"]]
    rows: list[list[Cell]] = []
    marks: dict[int, str] = {}
    for row in summary["rows"]:
        values = [(row["metrics"].get(name) or {}).get("percent") for name in metrics]
        cells = [Cell("-" if v is None else str(round(v)), v) for v in values]
        if row["kind"] == "system":
            marks[len(rows)] = "system"
        if metrics:
            rows.append([Cell(row["row"], row["row"]), *cells])
    note = "Silence is 0 and the codec oracle 100: what a row makes of what the codec can do."
    columns = ["row", *(facts[name]["label"] for name in metrics)]
    title = "Percent of the way from silence to the oracle"
    return Table("percent", title, columns, rows, note, marks)


def _differences(summary: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = []
    marks: dict[int, str] = {}
    for line in summary["differences"]:
        info = summary["metrics"].get(line["metric"])
        if info is None or not info["trusted"]:
            continue
        texts = difference_row(line, info)
        values = [None, None, None, line["mean"], line["low"], None]
        if line["verdict"] == "not distinguishable":
            marks[len(rows)] = "muted"
        rows.append(
            [Cell(str(t), str(t) if v is None else v) for t, v in zip(texts, values, strict=True)]
        )
    columns = ["first", "second", "metric", "second - first", "95 % interval", "better"]
    note = (
        "Paired over the same clips; intervals from resampling whole performances. For figures "
        "that are best at zero, distances from zero are compared."
    )
    return Table("differences", "Is the difference real?", columns, rows, note, marks)


def _order(summary: dict[str, Any]) -> Table:
    columns, lines = order_table(summary)
    rows = [[Cell(str(text), str(text)) for text in line] for line in lines]
    note = (
        "Recording before oracle, oracle before systems, these before chance, silence last: where "
        "a figure says otherwise, beyond noise. All other trusted figures keep this order."
    )
    return Table("order", "Which figures break the order of the rows", columns, rows, note)


def _classes(summary: dict[str, Any]) -> Table:
    rows = []
    for line in summary["classes"]:
        muted = not line["trusted"]
        numbers = [
            Cell(plain(line[name]), line[name], muted=muted)
            for name in ("f1", "precision", "recall")
        ]
        counts = [Cell(str(line[name]), line[name], muted=muted) for name in ("hits", "heard")]
        names = [Cell(line[name], line[name], muted=muted) for name in ("class", "row")]
        rows.append([*names, *numbers, *counts])
    note = "Grey: a class in which the recording itself scores under 0.7, or that is never played."
    columns = ["drum", "row", "F1 ↑", "precision ↑", "recall ↑", "hits asked", "hits heard"]
    return Table("per_class", "Each drum", columns, rows, note)


def _heard(summary: dict[str, Any]) -> Table:
    rows = []
    for line in summary["heard_with"]:
        texts = [line["kit"], line["how"], ", ".join(line["absent"]) or "-"]
        rows.append([*(Cell(t, t) for t in texts), Cell(str(len(line["unusable"])))])
    columns = ["kit", "templates", "drums without one", "takes passed over"]
    return Table("heard_with", "What each kit's drums were heard with", columns, rows)


def _kits(evaluation: Evaluation) -> Table:
    facts = evaluation.summary["metrics"]
    lines = evaluation.table("per_kit.csv")
    wanted = [
        name for name, info in facts.items() if info["trusted"] and lines and name in lines[0]
    ]
    rows = []
    for line in lines:
        numbers = [float(line[name]) if line[name] else None for name in wanted]
        cells = [Cell(plain(value), value) for value in numbers]
        first = [Cell(line["kit"], line["kit"]), Cell(line["row"], line["row"])]
        rows.append([*first, Cell(line["clips"], float(line["clips"])), *cells])
    columns = ["kit", "row", "clips", *(head(facts[name]) for name in wanted)]
    return Table("per_kit", "Each kit", columns, rows)


def _long(evaluation: Evaluation) -> Table | None:
    found = long_table(evaluation.summary, evaluation.cost)
    if found is None:
        return None
    title, columns, lines = found
    rows = [
        [*(Cell(str(v), str(v)) for v in line[:2]), *(_number_cell(str(v)) for v in line[2:])]
        for line in lines
    ]
    marks = {i: "system" for i, line in enumerate(lines) if line[0] == line[1]}
    infos = evaluation.summary["long"]["metrics"].values()
    notes = [f"{info['label']}: {info['note']}" for info in infos]
    notes.append(
        "Every other line is the reference at the same moments, where it has no joins: a system "
        "that is no higher has joins that cannot be heard. Joins near a hit are not counted. In "
        "brackets the lowest and the highest take."
    )
    return Table("long", title, columns, rows, "\n".join(notes), marks)


def _number_cell(text: str) -> Cell:
    """A cell that sorts by the number that it begins with."""
    return Cell(text) if text == "-" else Cell(text, float(text.split()[0]))


def _knee(summary: dict[str, Any]) -> Table:
    metrics = [name for name in summary["knee"][0] if name in summary["metrics"]]
    wanted = [name for name in metrics if summary["metrics"][name]["trusted"]]
    rows = [
        [
            Cell(line["oracle"], line["oracle"]),
            Cell(str(line["codebooks"]), line["codebooks"]),
            *(Cell(plain(line[name]), line[name]) for name in wanted),
        ]
        for line in summary["knee"]
    ]
    heads = [head(summary["metrics"][name]) for name in wanted]
    return Table("knee", "What each codebook is worth", ["row", "codebooks", *heads], rows)


def _from_dicts(name: str, title: str, lines: Sequence[dict[str, Any]]) -> Table:
    columns = list(dict.fromkeys(key for line in lines for key in line))
    rows = [[_any_cell(line.get(column)) for column in columns] for line in lines]
    return Table(name, title, [column.replace("_", " ") for column in columns], rows)


def _any_cell(value: Any) -> Cell:
    if isinstance(value, float):
        return Cell(plain(value), value)
    return Cell("-" if value is None else str(value), value)
