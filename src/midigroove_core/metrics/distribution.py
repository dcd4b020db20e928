"""Does it sound like the kit? Distances between two sets of embeddings, in plain numpy.

Sets are `[N, D]`: one row per window or clip, reference first. Prefer `kernel_audio_distance`: it
is unbiased, so it orders systems from about 80 clips on, where the Frechet distance is still
dominated by the number of clips. Always show `split_floor`, what real against real scores: a
distance under it means nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

KAD_SCALE = 100.0

Matrix = NDArray[np.float64]


def validate_sets(reference: ArrayLike, estimated: ArrayLike) -> tuple[Matrix, Matrix]:
    """Both sets as float64 `[N, D]`.

    Raises:
        ValueError: not two-dimensional, different D, fewer than two rows, or not finite.
    """
    sets = []
    for name, values in (("reference", reference), ("estimated", estimated)):
        matrix = np.asarray(values, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[0] < 2 or matrix.shape[1] == 0:
            raise ValueError(f"{name} embeddings must be [N >= 2, D], not {matrix.shape}")
        if not np.isfinite(matrix).all():
            raise ValueError(f"{name} embeddings have NaN or infinite values")
        sets.append(matrix)
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"embedding sizes differ: {sets[0].shape[1]} and {sets[1].shape[1]}")
    return sets[0], sets[1]


def median_bandwidth(reference: ArrayLike) -> float:
    """Median distance between the rows of `[N, D]`: the usual width of a Gaussian kernel."""
    rows = np.asarray(reference, dtype=np.float64)
    squared = _squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
    return float(np.sqrt(max(float(np.median(squared)), 1e-24)))


def kernel_audio_distance(
    reference: ArrayLike, estimated: ArrayLike, bandwidth: float | None = None
) -> float:
    """Unbiased squared MMD with a Gaussian kernel, times 100, as in KAD.

    Gretton et al., "A Kernel Two-Sample Test", JMLR 2012,
    https://jmlr.org/papers/v13/gretton12a.html; Chung et al., "KAD: No More FAD! An Effective and
    Efficient Evaluation Metric for Audio Generation", 2025, https://arxiv.org/abs/2502.15602, whose
    bandwidth is the median distance within the reference.

    Args:
        reference, estimated: embeddings `[N, D]`, `[M, D]`.
        bandwidth: of the kernel; the reference's median distance if not given. Use one value for
            all systems compared.

    Returns:
        About 0 (a little below or above) for sets of one distribution, larger the more they differ.
    """
    first, second = validate_sets(reference, estimated)
    width = median_bandwidth(first) if bandwidth is None else bandwidth
    scale = -0.5 / width**2

    def kernel(left: Matrix, right: Matrix) -> Matrix:
        return np.exp(scale * _squared_distances(left, right))

    return KAD_SCALE * _unbiased_mmd(first, second, kernel)


def polynomial_kernel_distance(reference: ArrayLike, estimated: ArrayLike) -> float:
    """Unbiased squared MMD with the kernel (x.y / D + 1)^3, as in the kernel inception distance.

    Binkowski et al., "Demystifying MMD GANs", 2018, https://arxiv.org/abs/1801.01401. Depends on
    the embedding's scale: standardise it first.
    """
    first, second = validate_sets(reference, estimated)

    def kernel(left: Matrix, right: Matrix) -> Matrix:
        return (left @ right.T / left.shape[1] + 1.0) ** 3

    return _unbiased_mmd(first, second, kernel)


def frechet_distance(reference: ArrayLike, estimated: ArrayLike) -> float:
    """Squared Frechet distance between Gaussians fitted to both sets.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Dowson and Landau, 1982,
    https://doi.org/10.1016/0047-259X(82)90077-X; for audio Kilgour et al., "Frechet Audio
    Distance", 2019, https://arxiv.org/abs/1812.08466. Biased upwards by small sets: see
    `frechet_distance_infinity`.
    """
    first, second = validate_sets(reference, estimated)
    shift = first.mean(axis=0) - second.mean(axis=0)
    # tr((C1 C2)^(1/2)) is the sum of singular values of A1 A2^T when Ci = Ai^T Ai: no matrix root,
    # no complex rounding errors, and fewer rows than dimensions do no harm.
    roots = [_centred(values) for values in (first, second)]
    cross = scipy.linalg.svdvals(roots[0] @ roots[1].T).sum()
    spread = sum(float(np.square(root).sum()) for root in roots)
    return max(0.0, float(shift @ shift) + spread - 2.0 * float(cross))


def frechet_distance_infinity(
    reference: ArrayLike, estimated: ArrayLike, *, num_sizes: int = 15, seed: int = 0
) -> float:
    """Frechet distance extrapolated to infinitely many estimated rows.

    Chong and Forsyth, "Effectively Unbiased FID and Inception Score", 2020,
    https://arxiv.org/abs/1911.07023; for audio Gui et al., "Adapting Frechet Audio Distance for
    Generative Music Evaluation", 2024, https://arxiv.org/abs/2311.01616. A line in 1 / N through
    distances of subsets, drawn without replacement (drawing with replacement repeats rows, which
    looks like less variety), read at 0.

    The bias is a line in 1 / N only where N is well above D: from fewer rows the result is an
    accident, and far below 0 where both sets are of the same performances. So that is refused.

    Raises:
        ValueError: fewer estimated rows than `least_rows`; see also `validate_sets`.
    """
    first, second = validate_sets(reference, estimated)
    least = least_rows(second.shape[1])
    if len(second) < least:
        raise ValueError(f"extrapolation needs at least {least} estimated rows, not {len(second)}")
    generator = np.random.default_rng(seed)
    sizes = np.unique(np.linspace(max(10, len(second) // 4), len(second), num_sizes).astype(int))
    distances = []
    for size in sizes:
        subset = generator.choice(len(second), size, replace=False)
        distances.append(frechet_distance(first, second[subset]))
    return float(np.polyfit(1.0 / sizes, distances, 1)[1])


def least_rows(size: int) -> int:
    """How many rows of that size `frechet_distance_infinity` needs: twice as many, 20 or more."""
    return max(20, 2 * size)


def density_and_coverage(
    reference: ArrayLike, estimated: ArrayLike, *, neighbours: int = 5
) -> tuple[float, float]:
    """How near the estimated rows are to the reference's, and how much of it they reach.

    Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020,
    https://arxiv.org/abs/2002.09797. Around each reference row lies a ball out to its
    `neighbours`-th neighbour in the reference. Density: in how many balls an estimated row lies,
    over `neighbours`. Coverage: the share of balls with an estimated row in them.

    Returns:
        density, about 1 for sets of one distribution, more where all estimated rows lie where the
        reference is densest; coverage in [0, 1], near 1 for sets of one distribution.

    Raises:
        ValueError: no more than `neighbours` reference rows; see also `validate_sets`.
    """
    first, second = validate_sets(reference, estimated)
    if len(first) <= neighbours:
        raise ValueError(f"{len(first)} reference rows have no {neighbours} neighbours each")
    within = _squared_distances(first, first)
    np.fill_diagonal(within, 0.0)
    radius = np.partition(within, neighbours, axis=1)[:, neighbours]
    inside = _squared_distances(first, second) <= radius[:, None]
    return float(inside.sum(axis=0).mean() / neighbours), float(inside.any(axis=1).mean())


def split_floor(
    reference: ArrayLike,
    distance: Callable[[Matrix, Matrix], float] = kernel_audio_distance,
    *,
    groups: ArrayLike | None = None,
    num_splits: int = 20,
    seed: int = 0,
) -> tuple[float, float]:
    """What real against real scores: mean and 95th percentile over random halves.

    Args:
        reference: embeddings `[N, D]`.
        distance: function of two sets.
        groups: the performance of each row `[N]`: windows of one performance stay in one half.
        num_splits: how many random halvings.
        seed: of numpy's default generator.

    Raises:
        ValueError: fewer than four rows, or fewer than two groups.
    """
    rows = np.asarray(reference, dtype=np.float64)
    labels = np.arange(len(rows)) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(labels.max()) + 1 if len(labels) else 0
    if len(rows) < 4 or count < 2 or len(labels) != len(rows):
        raise ValueError(f"{len(rows)} rows in {count} groups cannot be split into halves")
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(num_splits):
        half = np.isin(labels, generator.permutation(count)[: count // 2])
        if 2 <= np.count_nonzero(half) <= len(rows) - 2:
            values.append(distance(rows[half], rows[~half]))
    if not values:
        raise ValueError("no split leaves two rows on each side")
    return float(np.mean(values)), float(np.quantile(values, 0.95))


def _squared_distances(left: Matrix, right: Matrix) -> Matrix:
    squares = np.sum(left**2, axis=1)[:, None] + np.sum(right**2, axis=1)
    return np.maximum(squares - 2.0 * left @ right.T, 0.0)


def _unbiased_mmd(
    first: Matrix, second: Matrix, kernel: Callable[[Matrix, Matrix], Matrix]
) -> float:
    within = 0.0
    for rows in (first, second):
        values = kernel(rows, rows)
        within += (values.sum() - np.trace(values)) / (len(rows) * (len(rows) - 1))
    return float(within - 2.0 * kernel(first, second).mean())


def _centred(values: Matrix) -> Matrix:
    """A with A^T A = covariance of the rows; at most D rows."""
    centred = (values - values.mean(axis=0)) / np.sqrt(len(values) - 1)
    if len(centred) <= centred.shape[1]:
        return centred
    return np.asarray(np.linalg.qr(centred, mode="r"))
