"""Reads evaluation directories, and says in one line what is wrong with one; no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import read_json
from midigroove_core.csvfile import read_csv, read_number
from midigroove_core.errors import InputError
from midigroove_core.evaluation.output.cost import Cost
from midigroove_core.evaluation.output.folder import MANIFEST
from midigroove_core.evaluation.output.manifest import Manifest
from midigroove_core.evaluation.output.predictions import Kept
from midigroove_core.evaluation.output.summary import Summary


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
    """An evaluation directory.

    Attributes:
        path: the directory.
        manifest, summary: its JSON files.
        cost: cost.json; empty where it is gone.
    """

    path: Path
    manifest: Manifest
    summary: Summary
    cost: Cost
    _tables: dict[str, list[dict[str, str]]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Evaluation:
        """Opens a directory that `eval` wrote.

        Raises:
            InputError: not an evaluation, or one with a damaged or lost file; names it, and the
                path in it.
            MismatchError: written by a version with another schema.
        """
        path = Path(path)
        if not (path / MANIFEST).is_file():
            raise InputError(
                f"{path}: is no evaluation (no {MANIFEST}); run midigroove eval --out {path}"
            )
        names = [path / name for name in (MANIFEST, "summary.json", "cost.json")]
        manifest = Manifest.from_json(read_json(names[0]), str(names[0]))
        summary = Summary.from_json(read_json(names[1]), str(names[1]))
        cost = Cost()
        if names[2].is_file():
            cost = Cost.from_json(read_json(names[2]), str(names[2]))
        return cls(path, manifest, summary, cost)

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
        return place, Kept.read(place)

    def table(self, name: str, wanted: tuple[str, ...] = ()) -> list[dict[str, str]]:
        """The lines of one of its csv files, each with the columns `wanted`.

        Raises:
            InputError: the file is gone, cannot be read or lacks a column.
        """
        if name not in self._tables:
            self._tables[name] = read_csv(self.path / name, wanted)
        return self._tables[name]

    def clip_figures(self, row: str) -> ClipFigures:
        """Every figure per clip of one row.

        Raises:
            InputError: clips.csv is gone or damaged; names the line.
        """
        path = self.path / "clips.csv"
        lines = self.table("clips.csv", ("clip", "row", "performance"))
        own = [(place, line) for place, line in enumerate(lines, 2) if line["row"] == row]
        there = [name for name in self.summary.metrics if own and name in own[0][1]]
        values = {
            name: np.array(
                [
                    np.nan if value is None else value
                    for value in (read_number(x, name, f"{path}: line {n}") for n, x in own)
                ],
                np.float64,
            )
            for name in there
        }
        return ClipFigures(
            [line["clip"] for _, line in own], [line["performance"] for _, line in own], values
        )
