"""What was measured, clip by clip, and the tables it is written to."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import dump_json, write_text


@dataclass(frozen=True)
class Row:
    """One line of the tables: a system or a reference.

    Attributes:
        name: what tables call it.
        kind: "system" or "reference".
        codec_id: whose codes it plays; None for rows without a codec.
        oracle: name of the oracle row it is measured against; None without one.
    """

    name: str
    kind: str
    codec_id: str | None = None
    oracle: str | None = None


@dataclass
class Scores:
    """Figures per row and clip; NaN where undefined, `scored` where there are any.

    Attributes:
        metrics: column names.
        num_clips: number of clips N.
    """

    metrics: tuple[str, ...]
    num_clips: int
    _values: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _scored: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def add(self, row: str, clip: int, values: Mapping[str, float]) -> None:
        """Stores the figures of one clip; figures stored before are kept unless named again."""
        if row not in self._values:
            self._values[row] = np.full((self.num_clips, len(self.metrics)), np.nan)
            self._scored[row] = np.zeros(self.num_clips, bool)
        for name, value in values.items():
            self._values[row][clip, self.metrics.index(name)] = value
        self._scored[row][clip] = True

    def values(self, row: str, metric: str) -> NDArray[np.float64]:
        """One metric of one row: [N], NaN where undefined or not scored."""
        if row not in self._values:
            return np.full(self.num_clips, np.nan)
        return self._values[row][:, self.metrics.index(metric)]

    def scored(self, row: str) -> NDArray[np.bool_]:
        """Which clips have figures for that row: [N]."""
        return self._scored.get(row, np.zeros(self.num_clips, bool))

    def metrics_of(self, row: str) -> list[str]:
        """Metrics with a figure for at least one clip of that row."""
        return [name for name in self.metrics if np.isfinite(self.values(row, name)).any()]


@dataclass
class Skips:
    """What was left out, with the reason."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def add(self, clip: str, row: str, reason: str) -> None:
        """One clip of one row; `row` is "" when the clip is left out for all."""
        self.lines.append({"clip": clip, "row": row, "reason": reason})

    def count(self, row: str) -> int:
        """Clips left out for a row (those left out for all included)."""
        return sum(line["row"] in ("", row) for line in self.lines)

    def by_reason(self) -> dict[str, int]:
        """How often each reason occurred, with numbers in reasons folded together."""
        counts: dict[str, int] = {}
        for line in self.lines:
            reason = line["reason"].split(":")[0]
            counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items()))

    def write(self, path: Path) -> None:
        """One JSON object a line."""
        lines = [dump_json(line, indent=None) + "\n" for line in self.lines]
        write_text(path, "".join(lines))


def number(value: float) -> float | None:
    """For JSON: six significant digits, None for NaN.

    Sums in another order (another build of numpy, another number of threads) differ in the last
    bits; nobody needs them, and without them files compare equal.
    """
    value = float(value)
    return None if not math.isfinite(value) else float(f"{value:.6g}")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a table; floats with six significant digits, NaN and None as empty cells."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_text(path, buffer.getvalue())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}" if math.isfinite(float(value)) else ""
    return str(value)
