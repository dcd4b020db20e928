"""Is the second better than the first, or is that noise?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from midigroove_core.evaluation.base.results import number
from midigroove_core.metrics.statistics import Interval, distinguishable, paired_difference


def compare_paired(
    first: np.ndarray, second: np.ndarray, groups: Sequence[str], better: str, seed: int
) -> dict[str, Any]:
    """`second - first` over the same clips with its interval, and which one is better.

    `verdict` is "first", "second" or "not distinguishable". For metrics that are best at zero the
    distances from zero are compared.
    """
    if better == "zero":
        first, second = np.abs(first), np.abs(second)
    difference = paired_difference(first, second, groups, seed=seed)
    verdict = "not distinguishable"
    if distinguishable(difference):
        second_wins = (difference.mean > 0) == (better == "higher")
        verdict = "second" if second_wins else "first"
    return {**interval_json(difference), "verdict": verdict}


def interval_json(interval: Interval) -> dict[str, Any]:
    """An interval as JSON."""
    return {
        "mean": number(interval.mean),
        "low": number(interval.low),
        "high": number(interval.high),
        "clips": interval.num_clips,
        "performances": interval.num_groups,
    }
