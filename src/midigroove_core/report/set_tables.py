"""The report's tables of distances between sets."""

from __future__ import annotations

from collections.abc import Sequence

from midigroove_core.metrics.info import SET_METRICS
from midigroove_core.report.formats import Cell, Table
from midigroove_core.scorecard.records import SetDistances
from midigroove_core.scorecard.tables import floor_text, head, set_text

_NOTE = (
    "Floor: halves of the recordings, whole performances on either side, against each other. "
    "A distance below it means nothing. Prefer the kernel distance."
)


def set_cells(sets: SetDistances, systems: Sequence[str], *, per_kit: bool) -> Table:
    """Over all clips, or kit by kit."""
    rows: list[list[Cell]] = []
    marks: dict[int, str] = {}
    for floor in sets.floors:
        if bool(floor.kit) == per_kit:
            label = "real against real (floor)"
            kit = [Cell(floor.kit, floor.kit)] if per_kit else []
            found = Cell(floor_text(floor), floor.kernel_audio_distance)
            rest = [Cell("-")] * (len(SET_METRICS) - 1)
            rows.append([Cell(label, label), *kit, found, *rest])
    for line in sets.lines:
        if bool(line.kit) == per_kit:
            if line.row in systems:
                marks[len(rows)] = "system"
            values = {name: getattr(line, name) for name in SET_METRICS}
            cells = [
                Cell(set_text(line, name), value, muted=not SET_METRICS[name].trusted)
                for name, value in values.items()
            ]
            kit = [Cell(line.kit, line.kit)] if per_kit else []
            rows.append([Cell(line.row, line.row), *kit, *cells])
    return _table(sets, rows, marks, per_kit)


def _table(
    sets: SetDistances, rows: list[list[Cell]], marks: dict[int, str], per_kit: bool
) -> Table:
    columns = [head(info) for info in SET_METRICS.values()]
    level = (
        "Every clip was brought to the loudness of its reference first."
        if sets.same_loudness
        else "Clips were compared at their own loudness."
    )
    notes = [_NOTE, level, *(f"{info.label}: {info.note}" for info in SET_METRICS.values())]
    note = "\n".join(notes)
    if per_kit:
        title = f"Does each kit sound like its recordings? ({sets.embedding})"
        return Table("sets_per_kit", title, ["row", "kit", *columns], rows, note, marks)
    title = f"Does the whole sound like the recordings? ({sets.embedding})"
    return Table("sets", title, ["row", *columns], rows, note, marks)
