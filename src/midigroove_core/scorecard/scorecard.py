"""What `evaluate` returns: the figures, as rows and as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from midigroove_core.scorecard.cost import Cost
from midigroove_core.scorecard.figures import Figure
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import Summary
from midigroove_core.scorecard.tables import drum_table, main_tables


@dataclass(frozen=True)
class ScorecardRow:
    """A row of the scorecard.

    Attributes:
        row: name.
        kind: a system, or which reference.
        clips: scored.
        figures: metric -> mean with interval; a metric that the row has not is not there.
    """

    row: str
    kind: RowKind
    clips: int
    figures: dict[str, Figure]

    def mean(self, metric: str) -> float | None:
        """A metric's mean; None where the row has none."""
        found = self.figures.get(metric)
        return None if found is None else found.mean


@dataclass(frozen=True)
class Scorecard:
    """An evaluation that was written.

    Attributes:
        out: its directory.
        summary: summary.json.
        cost: cost.json.
    """

    out: Path
    summary: Summary
    cost: Cost

    def table(self) -> list[ScorecardRow]:
        """A row per system and reference, from silence to the recording."""
        return [ScorecardRow(x.row, x.kind, x.clips, x.metrics) for x in self.summary.rows]

    def columns(self, name: str = "clips.csv") -> dict[str, NDArray[Any]]:
        """One of its csv files by columns, as `pandas.DataFrame` and its like take them.

        Raises:
            InputError: no such file is there any more.
        """
        return Evaluation.open(self.out).columns(name)

    def __str__(self) -> str:
        """The tables as text, as `midigroove eval` prints them."""
        tables = [*main_tables(self.summary), drum_table(self.summary)]
        return "\n\n".join(table.to_text() for table in tables if table.rows)
