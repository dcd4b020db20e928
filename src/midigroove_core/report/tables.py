"""The report's tables: what the page shows, sorts and lets one save. The row comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from midigroove_core.csvfile import read_number
from midigroove_core.metrics.drums import TRUSTED_F1
from midigroove_core.metrics.info import MetricInfo
from midigroove_core.report.formats import Cell, Table
from midigroove_core.report.set_tables import set_cells
from midigroove_core.scorecard.cost import Cost, CostLine
from midigroove_core.scorecard.figures import Difference
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.records import (
    CodesLine,
    DrumLine,
    HeardWith,
    KneeLine,
)
from midigroove_core.scorecard.summary import RowSummary, Summary
from midigroove_core.scorecard.tables import (
    DIFFERENCE_COLUMNS,
    GROUPS,
    added_group,
    codec_table,
    difference_row,
    head,
    in_order,
    is_trusted,
    long_table,
    order_table,
    plain,
    row_cell,
)

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
    (
        "By the definitions of grid2drum",
        (
            "grid2drum_mel_mae_db", "reference_onset_f1_30ms", "grid2drum_flux_cosine",
            "grid2drum_band_balance_l1", "grid2drum_centroid_mae_hz",
        ),
    ),
    (
        "Tone in detail",
        ("band_balance_difference_db", "centroid_difference_octaves", "crest_difference_db"),
    ),
)  # fmt: skip
"""Groups of metrics that only the report shows."""


def summary_tables(summary: Summary) -> list[Table]:
    """One table per question, a row per system and reference."""
    tables = []
    groups = (*GROUPS, *DETAILS, added_group(summary))
    for number, (title, wanted) in enumerate(groups, start=1):
        metrics = [name for name in wanted if name in summary.metrics]
        rows: list[list[Cell]] = []
        marks: dict[int, str] = {}
        for row in summary.rows:
            if not any(name in row.metrics for name in metrics):
                continue
            if row.is_system:
                marks[len(rows)] = "system"
            first = [Cell(row.row, row.row), Cell(str(row.clips), row.clips)]
            rows.append(first + [_metric_cell(row, name, summary) for name in metrics])
        if rows:
            infos = [summary.metrics[name] for name in metrics]
            note = "\n".join(f"{info.label}: {info.note}" for info in infos)
            columns = ["row", "clips", *map(head, infos)]
            tables.append(Table(f"summary_{number}", title, columns, rows, note, marks))
    return tables


def _metric_cell(row: RowSummary, name: str, summary: Summary) -> Cell:
    figure = row.metrics.get(name)
    if figure is None or figure.mean is None:
        return Cell("-")
    percent = figure.percent
    bar = None if percent is None else min(PERCENT_CAP, max(0.0, percent))
    muted = not summary.metrics[name].trusted
    return Cell(row_cell(row, name), figure.mean, None if muted else bar, muted)


def other_tables(evaluation: Evaluation) -> dict[str, Table]:
    """The tables of the later sections, by the section they belong to; none is empty."""
    summary, cost = evaluation.summary, evaluation.cost
    found: dict[str, Table | None] = {
        "percent": _percent(summary),
        "differences": _differences(summary),
        "order": _order(summary),
        "kits": _kits(evaluation),
        "codes": _codes(summary.codes),
        "long": _long(evaluation),
        "cost": _cost(cost.rows),
    }
    audio = summary.audio
    if audio is not None:
        found |= {
            "drums": _drums(audio.drums, summary),
            "heard": _heard(audio.heard_with),
            "knee": _knee(audio.knee, summary),
            "codecs": _codecs(summary, cost),
        }
        if audio.sets is not None:
            systems = summary.systems
            found["sets"] = set_cells(audio.sets, systems, per_kit=False)
            found["kit_sets"] = set_cells(audio.sets, systems, per_kit=True)
    return {name: table for name, table in found.items() if table is not None and table.rows}


def _percent(summary: Summary) -> Table:
    there = {
        name
        for row in summary.rows
        for name, figure in row.metrics.items()
        if figure.percent is not None
    }
    metrics = [
        name
        for _, group in (*GROUPS, added_group(summary))
        for name in group
        if name in there and is_trusted(summary, name)
    ]
    rows: list[list[Cell]] = []
    marks: dict[int, str] = {}
    for row in summary.rows if metrics else ():
        figures = [row.metrics.get(name) for name in metrics]
        values = [None if figure is None else figure.percent for figure in figures]
        if row.is_system:
            marks[len(rows)] = "system"
        cells = [Cell("-" if v is None else str(round(v)), v) for v in values]
        rows.append([Cell(row.row, row.row), *cells])
    note = "Silence is 0 and the codec oracle 100: what a row makes of what the codec can do."
    columns = ["row", *(summary.metrics[name].label for name in metrics)]
    title = "Percent of the way from silence to the oracle"
    return Table("percent", title, columns, rows, note, marks)


def _differences(summary: Summary) -> Table:
    rows: list[list[Cell]] = []
    marks: dict[int, str] = {}
    pairs = list(dict.fromkeys((line.first, line.second) for line in summary.differences))
    names = in_order(summary.metrics)
    for line in sorted(
        summary.differences,
        key=lambda d: (pairs.index((d.first, d.second)), names.index(d.metric)),
    ):
        if not is_trusted(summary, line.metric):
            continue
        if not line.is_significant:
            marks[len(rows)] = "muted"
        rows.append(difference_cells(line, summary.metrics[line.metric]))
    title = "Is the difference real?"
    return Table("differences", title, list(DIFFERENCE_COLUMNS), rows, DIFFERENCE_NOTE, marks)


DIFFERENCE_NOTE = (
    "Paired over the same clips; intervals from resampling whole performances, p from swapping the "
    "two in whole performances, then corrected for all lines of the table (Holm): one is better "
    "where that is under 0.05. Fewer than six performances cannot show anything. For figures that "
    "are best at zero, distances from zero are compared."
)


def difference_cells(line: Difference, info: MetricInfo) -> list[Cell]:
    """One line of a table of differences."""
    texts = difference_row(line, info)
    found = line.found
    values = (None, None, None, found.mean, found.low, line.p, line.p_holm, None)
    return [
        Cell(str(text), str(text) if value is None else value)
        for text, value in zip(texts, values, strict=True)
    ]


def _order(summary: Summary) -> Table:
    found = order_table(summary)
    rows = [[Cell(str(text), str(text)) for text in line] for line in found.rows]
    note = (
        "Recording before oracle, oracle before systems, these before chance, silence last: where "
        "a figure says otherwise, beyond noise. All other trusted figures keep this order."
    )
    return Table("order", "Which figures break the order of the rows", found.columns, rows, note)


def _drums(lines: Sequence[DrumLine], summary: Summary) -> Table:
    rows, reference = [], "" if summary.audio is None else summary.audio.reference
    ceilings = {line.drum: line.f1 for line in lines if line.row == reference}
    for line in lines:
        muted = not line.trusted
        names = [Cell(name, name, muted=muted) for name in (line.row, line.drum)]
        numbers = [
            Cell(plain(value), value, muted=muted)
            for value in (line.f1, ceilings.get(line.drum), line.precision, line.recall)
        ]
        counts = [Cell(str(value), value, muted=muted) for value in (line.hits, line.heard)]
        rows.append([*names, *numbers, *counts])
    note = (
        f"Grey: a drum in which the {reference} itself scores under {TRUSTED_F1}, or that is never "
        f"played. Its own F1 is what can be heard: above that, differences mean nothing."
    )
    own = f"F1 of the {reference}"
    columns = ["row", "drum", "F1 ↑", own, "precision ↑", "recall ↑", "hits asked", "hits heard"]
    marks = _system_marks(summary, [{"row": line.row} for line in lines])
    return Table("per_drum", "Each drum", columns, rows, note, marks)


def _heard(lines: Sequence[HeardWith]) -> Table:
    rows = []
    for line in lines:
        texts = [line.kit, line.how, ", ".join(line.absent) or "-"]
        rows.append([*(Cell(t, t) for t in texts), Cell(str(len(line.unusable)))])
    columns = ["kit", "templates", "drums without one", "takes passed over"]
    return Table("heard_with", "What each kit's drums were heard with", columns, rows)


def _kits(evaluation: Evaluation) -> Table:
    facts = evaluation.summary.metrics
    path = evaluation.path / "per_kit.csv"
    lines = evaluation.table("per_kit.csv", ("kit", "row", "clips"))
    there = [name for name, info in facts.items() if info.trusted and lines and name in lines[0]]
    wanted, rows, marks = in_order(there), [], _system_marks(evaluation.summary, lines)
    for place, line in enumerate(lines, 2):
        where = f"{path}: line {place}"
        clips, *numbers = (read_number(line, name, where) for name in ("clips", *wanted))
        first = [Cell(line["row"], line["row"]), Cell(line["kit"], line["kit"])]
        rows.append([*first, *(Cell(plain(value), value) for value in (clips, *numbers))])
    columns = ["row", "kit", "clips", *(head(facts[name]) for name in wanted)]
    return Table("per_kit", "Each kit", columns, rows, "", marks)


def _system_marks(summary: Summary, lines: Iterable[dict[str, str]]) -> dict[int, str]:
    """Lines of systems under test."""
    systems = set(summary.systems)
    return {place: "system" for place, line in enumerate(lines) if line["row"] in systems}


def _codes(lines: Sequence[CodesLine]) -> Table:
    names = [field.name for field in fields(CodesLine)]
    there = [name for name in names if any(getattr(line, name) is not None for line in lines)]
    rows = []
    for line in lines:
        book = "all" if line.codebook is None else str(line.codebook)
        cells = [_any_cell(getattr(line, name)) for name in there[2:]]
        rows.append([Cell(line.system, line.system), Cell(book, line.codebook), *cells])
    columns = ["row", *(name.replace("_", " ") for name in there[1:])]
    note = "Codebook 0 is the coarsest."
    return Table("codes", "Codes, per codebook", columns, rows, note)


def _long(evaluation: Evaluation) -> Table | None:
    long = None if evaluation.summary.audio is None else evaluation.summary.audio.long
    found = long_table(evaluation.summary, evaluation.cost)
    if found is None or long is None:
        return None
    rows = [
        [*(Cell(str(v), str(v)) for v in line[:2]), *(_number_cell(str(v)) for v in line[2:])]
        for line in found.rows
    ]
    marks = {i: "system" for i, line in enumerate(found.rows) if line[0] == line[1]}
    notes = [f"{info.label}: {info.note}" for info in long.metrics.values()]
    notes.append(
        "Every other line is the reference at the same moments, where it has no joins: a system "
        "that is no higher has joins that cannot be heard. Joins near a hit are not counted. In "
        "brackets the lowest and the highest take."
    )
    return Table("long", found.title, found.columns, rows, "\n".join(notes), marks)


def _number_cell(text: str) -> Cell:
    """A cell that sorts by the number that it begins with."""
    return Cell(text) if text == "-" else Cell(text, float(text.split()[0]))


def _codecs(summary: Summary, cost: Cost) -> Table | None:
    found = codec_table(summary, cost)
    if found is None:
        return None
    rows = [
        [*(Cell(str(v), str(v)) for v in line[:2]), *(_number_cell(str(v)) for v in line[2:])]
        for line in found.rows
    ]
    note = (
        "The oracle: true codes, decoded. Bits per second if every code were equally likely. "
        "Times real time: seconds of work for a second of audio, below 1 is faster than it plays. "
        "Memory: what its weights and ten seconds of audio add to a process of its own, or take of "
        "a GPU's, at the most."
    )
    return Table("codecs", found.title, found.columns, rows, note)


def _knee(lines: Sequence[KneeLine], summary: Summary) -> Table | None:
    if not lines:
        return None
    wanted: dict[str, MetricInfo] = {
        name: summary.metrics[name]
        for name in in_order(lines[0].metrics)
        if is_trusted(summary, name)
    }
    rows = []
    for line in lines:
        values = [line.metrics.get(name) for name in wanted]
        bits = None if line.bits_per_second is None else line.bits_per_second / 1000
        first = [
            Cell(line.oracle, line.oracle), Cell(str(line.levels), line.levels),
            Cell(plain(bits), bits),
        ]  # fmt: skip
        rows.append([*first, *(Cell(plain(value), value) for value in values)])
    columns = ["row", "levels", "kbit/s", *map(head, wanted.values())]
    return Table("knee", "What each level is worth", columns, rows)


def _cost(lines: Iterable[CostLine]) -> Table:
    names = [field.name for field in fields(CostLine)]
    rows = [[_any_cell(getattr(line, name)) for name in names] for line in lines]
    return Table("cost", "Cost", [name.replace("_", " ") for name in names], rows)


def _any_cell(value: float | str | None) -> Cell:
    if isinstance(value, float):
        return Cell(plain(value), value)
    return Cell("-" if value is None else str(value), value)
