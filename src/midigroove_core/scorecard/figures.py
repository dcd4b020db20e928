"""Lines of summary.json: means, differences, and what breaks the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["first", "second", "not distinguishable"]

SIGNIFICANCE = 0.05
"""What a corrected p-value must be under for one row to be called better."""


@dataclass(frozen=True)
class Figure:
    """A mean over clips (or takes) with its 95 % interval over performances.

    Attributes:
        mean, low, high: None where undefined.
        clips, performances: over how many.
        percent: of the way from silence to the codec oracle; None without these rows.
        deviation: standard deviation over clips (or takes); None with fewer than two.
        over_seeds: standard deviation of the mean over sampling seeds; None with one seed.
    """

    mean: float | None
    low: float | None
    high: float | None
    clips: int
    performances: int
    percent: float | None = None
    deviation: float | None = None
    over_seeds: float | None = None


@dataclass(frozen=True)
class Paired:
    """`second - first` over the same clips.

    Attributes:
        mean, low, high: with its 95 % interval; None where undefined.
        clips, performances: over how many.
        verdict: which is better by this interval alone, or "not distinguishable".
    """

    mean: float | None
    low: float | None
    high: float | None
    clips: int
    performances: int
    verdict: Verdict


@dataclass(frozen=True)
class Difference:
    """Two rows in one metric.

    Attributes:
        first, second: rows.
        metric: name.
        found: the difference with its interval, looked at alone.
        p: of a permutation test over performances; None with fewer than two.
        p_holm: the same, corrected for all trusted figures in the table (Holm); None for others.
    """

    first: str
    second: str
    metric: str
    found: Paired
    p: float | None
    p_holm: float | None = None

    @property
    def is_significant(self) -> bool:
        """Whether it stands as one of a table of differences."""
        return self.p_holm is not None and self.p_holm < SIGNIFICANCE

    @property
    def better(self) -> str:
        """The better row by name, or "not distinguishable": interval and corrected test agree."""
        names = {"first": self.first, "second": self.second}
        verdict = self.found.verdict if self.is_significant else "not distinguishable"
        return names.get(verdict, verdict)


@dataclass(frozen=True)
class Disorder:
    """A trusted metric that puts two rows in the wrong order, beyond noise.

    Attributes:
        metric: name.
        better: the row that should be.
        but: the row that is.
        mean, low, high: of `but - better`.
        marks: whether the metric is to blame.
    """

    metric: str
    better: str
    but: str
    mean: float | None
    low: float | None
    high: float | None
    marks: bool


@dataclass(frozen=True)
class Range:
    """Mean over a handful of takes, with the lowest and the highest."""

    mean: float | None
    least: float | None
    most: float | None
