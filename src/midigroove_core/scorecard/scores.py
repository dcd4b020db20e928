"""Figures per row and clip, what was left out, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


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


@dataclass(frozen=True)
class Skip:
    """What was left out; a line of skipped.jsonl.

    Attributes:
        clip: clip id.
        row: "" when the clip is left out for all rows.
        reason: in one line.
    """

    clip: str
    row: str
    reason: str


def skips_of(skips: Sequence[Skip], row: str) -> int:
    """Clips left out for a row (those left out for all included)."""
    return sum(line.row in ("", row) for line in skips)


def skips_by_reason(skips: Sequence[Skip]) -> dict[str, int]:
    """How often each reason occurred, with numbers in reasons folded together."""
    counts: dict[str, int] = {}
    for line in skips:
        reason = line.reason.split(":")[0]
        counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items()))


@dataclass
class Spent:
    """Seconds spent on a row; kept apart from the results, which are the same bytes every time."""

    predict_sec: float = 0.0
    decode_sec: float = 0.0
    score_sec: float = 0.0
    audio_sec: float = 0.0
