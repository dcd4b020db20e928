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
NUM_PERMUTATIONS = 10_000


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
    sums, counts = _group_sums(numbers, groups)
    if counts.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0)
    num_clips = int(counts.sum())
    mean = float(numbers[~np.isnan(numbers)].mean())
    if counts.size == 1:
        return Interval(mean, float("nan"), float("nan"), num_clips, 1)
    means = _resampled_means(sums, counts, num_resamples, seed)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(mean, float(low), float(high), num_clips, int(counts.size))


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
    that are equal will look different: `permutation_p` and `holm` are for tables.
    """
    return difference.excludes_zero


def permutation_p(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[object],
    *,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> float:
    """Two-sided p-value that `second - first` `[N]` is 0, from swapping the two in whole groups.

    Were there no difference, which of the two is called first in a performance would not matter
    (Fisher's randomization test; Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses",
    2005). Every way of swapping is tried where there are no more than `num_permutations`, else so
    many are drawn with the seed and what was found counts as one of them (Phipson and Smyth, 2010,
    https://doi.org/10.2202/1544-6115.1585). Fewer than six groups never give less than 0.05.

    Returns:
        NaN with fewer than two groups that are defined.

    Raises:
        ValueError: lengths differ, or an infinite value.
    """
    ours, theirs = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(f"paired values have different shapes: {ours.shape} and {theirs.shape}")
    sums = _group_sums(theirs - ours, groups)[0]
    if sums.size < 2:
        return float("nan")
    # Sums that differ by rounding alone are as large as what was found.
    least = abs(float(sums.sum())) - 1e-9 * float(np.abs(sums).sum())
    if 2**sums.size <= num_permutations:
        swaps = np.arange(2**sums.size)[:, None] >> np.arange(sums.size) & 1
        return float(np.mean(np.abs((1 - 2 * swaps) @ sums) >= least))
    generator = np.random.default_rng(seed)
    reached = 1
    for start in range(0, num_permutations - 1, 256):  # keeps memory small for many groups
        count = min(256, num_permutations - 1 - start)
        signs = 1.0 - 2.0 * generator.integers(0, 2, (count, sums.size), dtype=np.int8)
        reached += int(np.count_nonzero(np.abs(signs @ sums) >= least))
    return reached / num_permutations


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P-values `[N]` corrected for N being looked at: Holm's step-down method; NaN stays NaN.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 1979, https://www.jstor.org/stable/4615733. The chance that any of those under 0.05
    is an accident is then at most 5 %, whatever the tests have to do with each other.
    """
    values = np.asarray(p_values, dtype=np.float64)
    found = np.full(values.shape, np.nan)
    defined = np.flatnonzero(np.isfinite(values))
    order = defined[np.argsort(values[defined], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    found[order] = np.minimum(1.0, np.maximum.accumulate(factors * values[order]))
    return found


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


def _group_sums(
    numbers: NDArray[np.float64], groups: Sequence[object]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sum and number of the defined values of each group that has any."""
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
    return sums[counts > 0], counts[counts > 0]


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
