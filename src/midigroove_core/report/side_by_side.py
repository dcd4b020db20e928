"""All rows, kits and settings of several evaluations in one table, whatever their clips are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midigroove_core.csvfile import read_number
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.tables import in_order, plain

ALL = "all"
_SETS = ("kernel_audio_distance", "frechet_distance")


@dataclass(frozen=True)
class SideBySide:
    """Means over each evaluation's own clips; what differs in them is not corrected for.

    Attributes:
        metrics: names, trusted ones alone, and distances between sets.
        lines: evaluation, row, kit ("all" for all of them), clips, then a figure per metric.
    """

    metrics: tuple[str, ...]
    lines: tuple[tuple[str, str, str, int, tuple[float | None, ...]], ...]

    @property
    def columns(self) -> list[str]:
        """Heads of the table."""
        return ["evaluation", "row", "kit", "clips", *self.metrics]

    @property
    def rows(self) -> list[list[object]]:
        """The table's rows as text."""
        return [[*line[:4], *(plain(value) for value in line[4])] for line in self.lines]

    def to_json(self) -> list[dict[str, object]]:
        """A record per line."""
        return [dict(zip(self.columns, (*line[:4], *line[4]), strict=True)) for line in self.lines]


def side_by_side(paths: Sequence[str | Path]) -> SideBySide:
    """Puts evaluations beside each other; those of other clips and splits, too.

    Raises:
        InputError: no evaluation, or a damaged one; names the file.
    """
    found = [Evaluation.open(path) for path in paths]
    there: dict[tuple[int, str, str], tuple[int, dict[str, float | None]]] = {}
    for index, evaluation in enumerate(found):
        for row in evaluation.summary.rows:
            figures = {name: figure.mean for name, figure in row.metrics.items()}
            there[index, row.row, ALL] = row.clips, figures
        trusted = [n for n, info in evaluation.summary.metrics.items() if info.trusted]
        for name in ("per_kit.csv", "sets.csv"):
            if (evaluation.path / name).is_file():
                _add(there, index, evaluation, name, trusted)
    names = {n for e in found for n, info in e.summary.metrics.items() if info.trusted}
    metrics = (*in_order(sorted(names)), *_SETS)
    used = tuple(n for n in metrics if any(f.get(n) is not None for _, f in there.values()))
    lines = [
        (found[index].path.name, row, kit, clips, tuple(figures.get(name) for name in used))
        for (index, row, kit), (clips, figures) in sorted(there.items(), key=_place)
    ]
    return SideBySide(used, tuple(lines))


def _place(item: tuple[tuple[int, str, str], object]) -> tuple[int, bool, str]:
    """Evaluations as named, all kits together first, rows as they come."""
    (index, _, kit), _ = item
    return index, kit != ALL, kit


def _add(
    there: dict[tuple[int, str, str], tuple[int, dict[str, float | None]]],
    index: int,
    evaluation: Evaluation,
    name: str,
    trusted: Sequence[str],
) -> None:
    """The lines of per_kit.csv or sets.csv."""
    for number, line in enumerate(evaluation.table(name, ("kit", "row")), 2):
        where = f"{evaluation.path / name}: line {number}"
        key = index, line["row"], line["kit"]
        clips, figures = there.get(key, (0, {}))
        if line.get("clips"):
            clips = int(read_number(line, "clips", where) or 0)
        wanted = [metric for metric in (*trusted, *_SETS) if metric in line]
        figures = figures | {metric: read_number(line, metric, where) for metric in wanted}
        if clips:
            there[key] = clips, figures
