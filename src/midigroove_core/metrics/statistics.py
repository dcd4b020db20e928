"""Is A better than B, or is that noise? Intervals over performances, not over clips.

Clips of one performance, and one performance on 43 kits, are not independent samples. So whole
performances are drawn with replacement (the cluster bootstrap: Davison and Hinkley, "Bootstrap
Methods and their Application", 1997, section 3.8; Field and Welsh, 2007,
https://doi.org/10.1111/j.1467-9868.2007.00593.x) and intervals are percentiles of what they give.
Everything is deterministic for a seed. NaN means "undefined for this clip" and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

NUM_RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over clips with its bootstrap interval.

    Attributes:
        mean: over all clips; NaN without any.
        low, high: the interval; NaN with fewer than two performances.
        num_clips, num_groups: how many clips and performances it rests on.
    """

    mean: float
    low: float
    high: float
    num_clips: int
    num_groups: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0.0 or self.high < 0.0


def bootstrap_mean(
    values: ArrayLike,
    groups: Sequence[object],
    *,
    num_resamples: int = NUM_RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Mean of `values` `[N]` with an interval from resampled groups.

    Args:
        values: one number per clip; NaN is left out.
        groups: the performance each clip comes from `[N]`: strings, numbers or tuples.
        num_resamples: draws of as many performances as there are.
        confidence: width of the interval, in (0, 1).
        seed: of numpy's default generator.

    Raises:
        ValueError: lengths differ, or an infinite value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or numbers.size != len(groups):
        raise ValueError(f"{len(groups)} groups for values of shape {numbers.shape}")
    if np.isinf(numbers).any():
        raise ValueError("values must not be infinite")
    index_of = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    members = np.array([index_of[group] for group in groups], dtype=np.int64)
    defined = ~np.isnan(numbers)
    numbers, members = numbers[defined], members[defined]
    counts = np.bincount(members, minlength=len(index_of))
    sums = np.bincount(members, weights=numbers, minlength=len(index_of)).astype(np.float64)
    sums = sums[counts > 0]
    counts = counts[counts > 0]
    if counts.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0)
    mean = float(numbers.mean())
    if counts.size == 1:
        return Interval(mean, float("nan"), float("nan"), numbers.size, 1)
    means = _resampled_means(sums, counts, num_resamples, seed)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(mean, float(low), float(high), int(numbers.size), int(counts.size))


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[object],
    *,
    num_resamples: int = NUM_RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Mean of `second - first` over the same clips `[N]`, with its interval.

    Clips where either is NaN are left out. See `distinguishable`.

    Raises:
        ValueError: lengths differ, or an infinite value.
    """
    ours, theirs = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(f"paired values have different shapes: {ours.shape} and {theirs.shape}")
    return bootstrap_mean(
        theirs - ours, groups, num_resamples=num_resamples, confidence=confidence, seed=seed
    )


def distinguishable(difference: Interval) -> bool:
    """Whether a paired difference is more than noise: its interval excludes zero.

    False with fewer than two performances. With many systems compared at 95 %, one pair in twenty
    that are equal will look different: ask for more confidence then.
    """
    return difference.excludes_zero


def percent_of_oracle(
    value: float,
    silence: float,
    oracle: float,
    better: Literal["higher", "lower", "zero"] = "higher",
) -> float:
    """Where `value` lies between silence (0 %) and the codec oracle (100 %).

    May be below 0 or above 100. NaN if silence and oracle score the same, or if one is NaN. For
    metrics whose best value is zero, distances from zero are compared.
    """
    if better == "zero":
        value, silence, oracle = abs(value), abs(silence), abs(oracle)
    span = oracle - silence
    return 100.0 * (value - silence) / span if span != 0.0 else float("nan")


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.int64], num_resamples: int, seed: int
) -> NDArray[np.float64]:
    """Means over clips of drawn groups: `[num_resamples]`."""
    generator = np.random.default_rng(seed)
    shares = np.full(counts.size, 1.0 / counts.size)
    means = np.empty(num_resamples)
    for start in range(0, num_resamples, 256):  # keeps the draws small for thousands of groups
        stop = min(num_resamples, start + 256)
        drawn = generator.multinomial(counts.size, shares, size=stop - start)
        means[start:stop] = (drawn @ sums) / (drawn @ counts)
    return means
