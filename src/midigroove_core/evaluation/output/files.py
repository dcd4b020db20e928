"""Reads evaluation directories, and says in one line what is wrong with one; no torch."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import read_json
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.evaluation.base.config import SCHEMA


@dataclass(frozen=True)
class Evaluation:
    """An evaluation directory.

    Attributes:
        path: the directory.
        manifest, summary: its JSON files.
        cost: cost.json, {} where it is gone.
    """

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]
    cost: dict[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Evaluation:
        """Opens a directory that `eval` wrote.

        Raises:
            InputError: not an evaluation, an unfinished one, or one that lost a file.
            MismatchError: written by a version with another schema.
        """
        path = Path(path)
        if not (path / "manifest.json").is_file():
            why = "was not finished" if (path / "unfinished").is_file() else "is no evaluation"
            raise InputError(f"{path}: {why} (no manifest.json); run midigroove eval --out {path}")
        manifest = read_json(path / "manifest.json")
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if schema != SCHEMA:
            raise MismatchError(
                f"{path}: written with schema {schema!r}, this version reads {SCHEMA}; "
                f"evaluate again, or use the version of midigroove that wrote it"
            )
        cost = read_json(path / "cost.json") if (path / "cost.json").is_file() else {}
        return cls(path, manifest, read_json(path / "summary.json"), cost)

    @property
    def systems(self) -> list[str]:
        """Names of the systems under test."""
        return [row["row"] for row in self.summary["rows"] if row["kind"] == "system"]

    def table(self, name: str) -> list[dict[str, str]]:
        """The lines of one of its csv files.

        Raises:
            InputError: the file is gone or cannot be read.
        """
        try:
            with open(self.path / name, encoding="utf-8", newline="") as handle:
                return list(csv.DictReader(handle))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{self.path / name}: cannot be read ({error})") from error

    def clip_values(self, row: str) -> tuple[list[str], list[str], dict[str, NDArray[np.float64]]]:
        """Clip ids `[N]`, their performances `[N]` and metric -> values `[N]` of one row."""
        lines = [line for line in self.table("clips.csv") if line["row"] == row]
        metrics = [name for name in self.summary["metrics"] if lines and name in lines[0]]
        values = {
            name: np.array([float(line[name]) if line[name] else np.nan for line in lines])
            for name in metrics
        }
        return [line["clip"] for line in lines], [line["performance"] for line in lines], values
