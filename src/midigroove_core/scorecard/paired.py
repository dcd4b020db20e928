"""Is the second better than the first, or is that noise?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from midigroove_core.metrics.info import Better
from midigroove_core.metrics.statistics import Interval, distinguishable, paired_difference
from midigroove_core.scorecard.figures import Figure, Paired, Verdict
from midigroove_core.scorecard.records import number


def compare_paired(
    first: np.ndarray, second: np.ndarray, groups: Sequence[str], better: Better, seed: int
) -> Paired:
    """`second - first` over the same clips with its interval, and which one is better.

    For metrics that are best at zero the distances from zero are compared.
    """
    if better == "zero":
        first, second = np.abs(first), np.abs(second)
    difference = paired_difference(first, second, groups, seed=seed)
    verdict: Verdict = "not distinguishable"
    if distinguishable(difference):
        second_wins = (difference.mean > 0) == (better == "higher")
        verdict = "second" if second_wins else "first"
    return Paired(
        number(difference.mean),
        number(difference.low),
        number(difference.high),
        difference.num_clips,
        difference.num_groups,
        verdict,
    )


def figure(interval: Interval, percent: float | None = None) -> Figure:
    """An interval, rounded."""
    return Figure(
        number(interval.mean),
        number(interval.low),
        number(interval.high),
        interval.num_clips,
        interval.num_groups,
        percent,
    )
