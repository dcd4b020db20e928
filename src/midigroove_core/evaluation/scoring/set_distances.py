"""Distances between sets of vectors, with the floor that gives them a meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from midigroove_core.metrics.distribution import (
    density_and_coverage,
    frechet_distance,
    frechet_distance_infinity,
    kernel_audio_distance,
    least_rows,
    median_bandwidth,
    split_floor,
)
from midigroove_core.metrics.info import SET_METRICS
from midigroove_core.scorecard.records import SetFloor, SetLine, number

MAX_ROWS = 4000
"""Vectors per set that distances are computed over; more are thinned evenly."""

LEAST_ROWS = 10
"""Fewer vectors in a set say nothing."""

NUM_SPLITS = 20
"""Random halvings behind a floor."""


@dataclass(frozen=True, eq=False)
class VectorSet:
    """A set.

    Attributes:
        vectors: `[N, D]`, float64.
        groups: the performance, or file, of each `[N]`.
    """

    vectors: NDArray[np.float64]
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def gather(
        cls, parts: Sequence[tuple[NDArray[np.float32], str]], most: int = MAX_ROWS
    ) -> VectorSet:
        """From the vectors `[n, D]` of each clip and its group; at most `most`, spread evenly."""
        if not parts:
            return cls(np.zeros((0, 1)), np.zeros(0, np.str_))
        rows = np.concatenate([vectors for vectors, _ in parts]).astype(np.float64)
        groups = np.repeat([key for _, key in parts], [len(vectors) for vectors, _ in parts])
        if len(rows) > most:
            kept = np.linspace(0, len(rows) - 1, most).round().astype(int)
            rows, groups = rows[kept], groups[kept]
        return cls(rows, groups)


class Against:
    """Measures sets against one reference, all with one kernel.

    Args:
        reference: at least `LEAST_ROWS` vectors.
    """

    def __init__(self, reference: VectorSet) -> None:
        self._reference = reference
        self._width = median_bandwidth(reference.vectors)

    def floor(
        self, kit: str = "", *, num_splits: int = NUM_SPLITS, seed: int = 0
    ) -> SetFloor | None:
        """Halves of the reference, whole groups on either side; None with fewer than four."""
        real = self._reference
        if len(np.unique(real.groups)) < 4:
            return None
        mean, high = split_floor(
            real.vectors,
            lambda a, b: kernel_audio_distance(a, b, self._width),
            groups=real.groups,
            num_splits=num_splits,
            seed=seed,
        )
        return SetFloor(kit, number(mean), number(high))

    def line(self, row: str, estimated: VectorSet, kit: str = "", *, seed: int = 0) -> SetLine:
        """The distances of a set of at least `LEAST_ROWS` vectors."""
        real, ours = self._reference.vectors, estimated.vectors
        enough = len(ours) >= least_rows(ours.shape[1])
        infinity = frechet_distance_infinity(real, ours, seed=seed) if enough else float("nan")
        density, coverage = density_and_coverage(real, ours)
        return SetLine(
            kit,
            row,
            number(kernel_audio_distance(real, ours, self._width)),
            number(frechet_distance(real, ours)),
            number(infinity),
            number(density),
            number(coverage),
            len(ours),
        )


def mean_line(drawn: Sequence[SetLine]) -> SetLine:
    """One row's lines, drawn with several seeds, as their mean with its spread."""
    first = drawn[0]
    if len(drawn) == 1:
        return first

    def mean(name: str) -> float | None:
        values = [getattr(line, name) for line in drawn]
        return None if None in values else number(float(np.mean(values)))

    means = {name: mean(name) for name in SET_METRICS}
    distances = [line.kernel_audio_distance for line in drawn]
    spread = np.std(np.array(distances, np.float64), ddof=1)  # NaN where one is None
    return replace(first, **means, over_seeds=number(float(spread)))  # type: ignore[arg-type]
