"""Is the second better than the first, or is that noise?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from midigroove_core.metrics.info import Better, MetricInfo
from midigroove_core.metrics.statistics import (
    Interval,
    distinguishable,
    holm,
    paired_difference,
    permutation_p,
)
from midigroove_core.scorecard.figures import Difference, Figure, Paired, Verdict
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


def make_difference(
    names: tuple[str, str],
    metric: str,
    values: tuple[np.ndarray, np.ndarray],
    groups: Sequence[str],
    better: Better,
    seed: int,
) -> Difference:
    """One line of a table of differences, not yet corrected for the others; see `correct`.

    Args:
        names: first and second.
        metric: name.
        values: of both over the same clips `[N]`.
        groups: the performance of each clip.
        better: which way.
        seed: of the draws.
    """
    found = compare_paired(*values, groups, better, seed)
    if better == "zero":
        values = (np.abs(values[0]), np.abs(values[1]))
    p = number(permutation_p(*values, groups, seed=seed))
    return Difference(*names, metric, found, p)


def correct(
    differences: Sequence[Difference], facts: Mapping[str, MetricInfo]
) -> tuple[Difference, ...]:
    """The differences with p-values corrected over all that are of trusted metrics."""
    trusted = [line.metric in facts and facts[line.metric].trusted for line in differences]
    own = [
        line.p if ours and line.p is not None else np.nan
        for line, ours in zip(differences, trusted, strict=True)
    ]
    return tuple(
        replace(line, p_holm=number(value))
        for line, value in zip(differences, holm(own), strict=True)
    )


def figure(
    interval: Interval,
    percent: float | None = None,
    deviation: float | None = None,
    over_seeds: float | None = None,
) -> Figure:
    """An interval, rounded."""
    return Figure(
        number(interval.mean),
        number(interval.low),
        number(interval.high),
        interval.num_clips,
        interval.num_groups,
        percent,
        deviation,
        over_seeds,
    )
