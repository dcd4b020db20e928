"""Figures per row and clip, what was left out, and what it took."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass
class Scores:
    """Figures per row, clip and draw; NaN where undefined, `scored` where there are any.

    A system may be drawn with several seeds; what is asked for is then the mean over its draws.

    Attributes:
        metrics: column names.
        num_clips: number of clips N.
    """

    metrics: tuple[str, ...]
    num_clips: int
    _values: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    _scored: dict[str, list[NDArray[np.bool_]]] = field(default_factory=dict)

    def add(self, row: str, clip: int, values: Mapping[str, float], draw: int = 0) -> None:
        """Stores the figures of one clip; figures stored before are kept unless named again."""
        own, scored = self._values.setdefault(row, []), self._scored.setdefault(row, [])
        while len(own) <= draw:
            own.append(np.full((self.num_clips, len(self.metrics)), np.nan))
            scored.append(np.zeros(self.num_clips, bool))
        for name, value in values.items():
            own[draw][clip, self.metrics.index(name)] = value
        scored[draw][clip] = True

    def absorb(self, other: Scores) -> None:
        """Stores the figures of another table, of other clips."""
        for row, draws in other._values.items():
            for draw, values in enumerate(draws):
                for clip in np.flatnonzero(other._scored[row][draw]).tolist():
                    found = dict(zip(self.metrics, values[clip].tolist(), strict=True))
                    self.add(row, clip, found, draw)

    def draws(self, row: str) -> int:
        """How often a row was drawn: with how many seeds."""
        return len(self._values.get(row, ()))

    def values(self, row: str, metric: str) -> NDArray[np.float64]:
        """One metric of one row, mean over its draws: [N], NaN where undefined or not scored."""
        return mean_of_draws(self.draw_values(row, metric))

    def draw_values(self, row: str, metric: str) -> NDArray[np.float64]:
        """One metric of one row, draw by draw: [D, N], NaN where undefined or not scored."""
        place = self.metrics.index(metric)
        found = [values[:, place] for values in self._values.get(row, ())]
        return np.array(found).reshape(len(found), self.num_clips)

    def scored(self, row: str, draw: int | None = None) -> NDArray[np.bool_]:
        """Which clips have figures for that row, in one draw or in any: [N]."""
        found = self._scored.get(row, [])
        chosen = found if draw is None else found[draw : draw + 1]
        return np.any(np.array(chosen).reshape(len(chosen), self.num_clips), axis=0)

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
    return len({line.clip for line in skips if line.row in ("", row)})


def mean_of_draws(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over draws of `[D, N]` where there are figures: `[N]`, NaN where there are none."""
    if len(values) == 1:
        return values[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of all NaN
        found: NDArray[np.float64] = np.nanmean(values, axis=0)
    return found


def spread_over_seeds(values: NDArray[np.float64]) -> float:
    """Standard deviation, over draws, of the mean over clips of `[D, N]`; NaN with fewer than two.

    Only clips that every draw has a figure for count, so that draws differ by luck alone.
    """
    everywhere = np.isfinite(values).all(axis=0)
    if len(values) < 2 or not everywhere.any():
        return float("nan")
    return float(values[:, everywhere].mean(axis=1).std(ddof=1))


def skips_by_reason(skips: Sequence[Skip]) -> dict[str, int]:
    """How often each reason occurred, with numbers in reasons folded together."""
    counts: dict[str, int] = {}
    for line in skips:
        reason = line.reason.split(":")[0]
        counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items()))


Part = Literal["predict", "decode", "score"]
PARTS: tuple[Part, ...] = ("predict", "decode", "score")


@dataclass
class Spent:
    """Seconds spent on a row; kept apart from the results, which are the same bytes every time.

    Attributes:
        of_clips: clip's number -> seconds per part. What was done for several clips at once is
            divided between them evenly.
        audio_sec: of audio that came of it.
    """

    of_clips: dict[int, dict[Part, float]] = field(default_factory=dict)
    audio_sec: float = 0.0

    def add(self, part: Part, seconds: float, clips: Sequence[int]) -> None:
        """What was done for these clips together."""
        for clip in clips:
            own = self.of_clips.setdefault(clip, {})
            own[part] = own.get(part, 0.0) + seconds / len(clips)

    def total(self, part: Part) -> float:
        """Over all clips."""
        return sum(own.get(part, 0.0) for own in self.of_clips.values())

    def absorb(self, other: Spent) -> None:
        """What another process spent, on other clips."""
        for clip, parts in other.of_clips.items():
            for part, seconds in parts.items():
                self.add(part, seconds, (clip,))
        self.audio_sec += other.audio_sec
