"""Reads evaluation directories, and says in one line what is wrong with one; no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import read_json
from midigroove_core.csvfile import read_csv, read_number
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.scorecard.cost import Cost
from midigroove_core.scorecard.kept import Kept
from midigroove_core.scorecard.manifest import MANIFEST, Manifest
from midigroove_core.scorecard.summary import Summary

TEXT_COLUMNS = frozenset(
    ("clip", "row", "take", "performance", "kit", "drummer", "style", "drum", "system", "codebook",
     "oracle", "cache", "codec", "joins_of")
)  # fmt: skip
"""Columns of csv files that hold names; codebooks are numbers or "all"."""

BOOL_COLUMNS = frozenset(("trusted",))


@dataclass(frozen=True, eq=False)
class ClipFigures:
    """clips.csv of one row.

    Attributes:
        clips, performances: ids `[N]`.
        values: metric -> `[N]`, NaN where undefined.
    """

    clips: list[str]
    performances: list[str]
    values: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation directory. What is read of it is of one evaluation, or an error says that
    another one took its place meanwhile.

    Attributes:
        path: the directory.
        manifest, summary: its JSON files.
        cost: cost.json; empty where it is gone.
    """

    path: Path
    manifest: Manifest
    summary: Summary
    cost: Cost
    _state: tuple[int, ...] = ()
    _tables: dict[str, list[dict[str, str]]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Evaluation:
        """Opens a directory that `eval` wrote.

        Raises:
            InputError: not an evaluation, or one with a damaged or lost file; names it, and the
                path in it.
            MismatchError: written by a version with another schema, or replaced meanwhile.
        """
        path = Path(path)
        state = _state_of(path)
        if not state:
            raise InputError(
                f"{path}: is no evaluation (no {MANIFEST}); midigroove eval writes one"
            )
        names = [path / name for name in (MANIFEST, "summary.json", "cost.json")]
        manifest = Manifest.from_json(read_json(names[0]), str(names[0]))
        summary = Summary.from_json(read_json(names[1]), str(names[1]))
        cost = Cost()
        if names[2].is_file():
            cost = Cost.from_json(read_json(names[2]), str(names[2]))
        found = cls(path, manifest, summary, cost, state)
        found.check_same()
        return found

    def check_same(self) -> None:
        """Raises MismatchError when another evaluation took this one's place since it was opened:
        what was read before and after is not of one evaluation.
        """
        if _state_of(self.path) != self._state:
            raise MismatchError(
                f"{self.path}: was replaced by another evaluation while it was read; try again"
            )

    @property
    def systems(self) -> list[str]:
        """Names of the systems under test."""
        return self.summary.systems

    def kept(self, folder: Path | None = None) -> tuple[Path, Kept | None]:
        """The folder with its audio, and the index; None where nothing was kept.

        Args:
            folder: where the audio is, when it was put elsewhere.

        Raises:
            InputError: a damaged index, or one that points out of its folder.
        """
        place = folder or self.path / "preds"
        found = Kept.read(place)
        self.check_same()
        return place, found

    def table(self, name: str, wanted: tuple[str, ...] = ()) -> list[dict[str, str]]:
        """The lines of one of its csv files, each with the columns `wanted`.

        Raises:
            InputError: the file is gone, cannot be read or lacks a column.
            MismatchError: another evaluation took the place of this one.
        """
        if name not in self._tables:
            try:
                found = read_csv(self.path / name, wanted)
            finally:
                self.check_same()
            self._tables[name] = found
        return self._tables[name]

    def columns(self, name: str) -> dict[str, NDArray[Any]]:
        """One of its csv files by columns: numbers as float64, NaN where a cell is empty.

        Raises:
            InputError: the file is gone or damaged; names the line.
        """
        lines, path = self.table(name), self.path / name
        found: dict[str, NDArray[Any]] = {}
        for column in lines[0] if lines else ():
            if column in TEXT_COLUMNS:
                found[column] = np.array([line[column] for line in lines], np.str_)
            elif column in BOOL_COLUMNS:
                found[column] = np.array([line[column] == "True" for line in lines])
            else:
                found[column] = _numbers(lines, column, path)
        return found

    def clip_figures(self, row: str) -> ClipFigures:
        """Every figure per clip of one row.

        Raises:
            InputError: clips.csv is gone, damaged (names the line) or not whole.
        """
        path = self.path / "clips.csv"
        lines = self.table("clips.csv", ("clip", "row", "performance"))
        own = [(place, line) for place, line in enumerate(lines, 2) if line["row"] == row]
        summary = self.summary.row(row)
        if summary is not None and len(own) != summary.clips:
            raise InputError(
                f"{path}: has {len(own)} clips of {row}, and summary.json says {summary.clips}: "
                f"lines are gone or were added; evaluate again"
            )
        performances = [line["performance"] for _, line in own]
        return ClipFigures([line["clip"] for _, line in own], performances, self._values(path, own))

    def seed_figures(self, row: str) -> list[ClipFigures]:
        """The same, sampling seed by sampling seed; empty for a row that was drawn once.

        Raises:
            InputError: seeds.csv is gone or damaged (names the line).
        """
        if self.summary.seeds < 2:
            return []
        path = self.path / "seeds.csv"
        lines = self.table("seeds.csv", ("clip", "row", "seed"))
        performance = {x["clip"]: x["performance"] for x in self.table("clips.csv")}
        of_seed: dict[str, list[tuple[int, dict[str, str]]]] = {}
        for place, line in enumerate(lines, 2):
            if line["row"] == row:
                of_seed.setdefault(line["seed"], []).append((place, line))
        return [
            ClipFigures(
                [line["clip"] for _, line in own],
                [performance.get(line["clip"], "") for _, line in own],
                self._values(path, own),
            )
            for own in of_seed.values()
        ]

    def _values(
        self, path: Path, lines: list[tuple[int, dict[str, str]]]
    ) -> dict[str, NDArray[np.float64]]:
        """Metric -> figures of these lines, with their places in the file for messages."""
        there = [name for name in self.summary.metrics if lines and name in lines[0][1]]
        return {
            name: _numbers([x for _, x in lines], name, path, [n for n, _ in lines])
            for name in there
        }


def _numbers(
    lines: Sequence[dict[str, str]], column: str, path: Path, places: Sequence[int] = ()
) -> NDArray[np.float64]:
    """One column of a csv file's lines `[N]`; `places` in the file are for messages."""
    numbered = zip(places or range(2, len(lines) + 2), lines, strict=True)
    read = [read_number(line, column, f"{path}: line {place}") for place, line in numbered]
    return np.array([np.nan if value is None else value for value in read], np.float64)


def _state_of(path: Path) -> tuple[int, ...]:
    """What tells one evaluation at a place from the next one there; () for none."""
    try:
        found = (path / MANIFEST).stat()
    except (OSError, ValueError):
        return ()
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
