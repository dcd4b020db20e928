"""How much is there to learn in a codec's codes, and how much of it was learned.

Accuracy and nats per code do not compare across codecs: their frame rates, codebook sizes and
numbers of codebooks differ. Bits per second do, and so does the gain over these two baselines,
fitted on training codes and scored on held-out ones: the unigram (how often each code occurs) and
the bigram over time (which code follows which, within a take).

A `take` is an integer array `[K, T]`: K codebooks, T frames, row k in [0, codebook_sizes[k]).
Everything is per codebook, `[K]`, in nats unless the name says bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatVector = NDArray[np.float64]
Takes = Sequence[NDArray[np.integer]]


def validate_takes(takes: Takes, codebook_sizes: Sequence[int]) -> None:
    """Raises ValueError unless all takes are integer `[K, T]`, row k in [0, codebook_sizes[k])."""
    if not takes:
        raise ValueError("no codes: at least one take is needed")
    sizes = np.asarray(codebook_sizes)[:, None]
    for index, take in enumerate(takes):
        if take.ndim != 2 or take.shape[0] != len(sizes):
            raise ValueError(
                f"take {index}: codes must be [K, T] with K = {len(sizes)}, not {take.shape}"
            )
        if not np.issubdtype(take.dtype, np.integer):
            raise ValueError(f"take {index}: codes must be integers, not {take.dtype}")
        for book in np.flatnonzero(((take < 0) | (take >= sizes)).any(axis=1)):
            raise ValueError(
                f"take {index}: codes of codebook {book} must lie in [0, {sizes[book, 0]}), "
                f"found {take[book].min()} to {take[book].max()}"
            )


def count_codes(takes: Takes, codebook_sizes: Sequence[int]) -> tuple[NDArray[np.int64], ...]:
    """How often each code occurs: K times `[V]`."""
    validate_takes(takes, codebook_sizes)
    return tuple(
        sum(
            (np.bincount(take[book], minlength=size) for take in takes),
            start=np.zeros(size, np.int64),
        )
        for book, size in enumerate(codebook_sizes)
    )


def entropy_nats(counts: Sequence[ArrayLike]) -> FloatVector:
    """Entropy of the empirical distributions in `counts`, K times `[V]`: `[K]` nats."""
    return np.array([_entropy(np.asarray(row, dtype=np.float64)) for row in counts])


def _entropy(counts: FloatVector) -> float:
    shares = counts / max(counts.sum(), 1.0)
    return -float(np.sum(shares * np.log(np.where(shares > 0.0, shares, 1.0))))


def perplexity(counts: Sequence[ArrayLike]) -> FloatVector:
    """exp(entropy) `[K]`: how many equally likely codes would be as hard to guess."""
    return np.exp(entropy_nats(counts))


def usage(counts: Sequence[ArrayLike]) -> FloatVector:
    """Share of the codebook that occurs at all: `[K]`."""
    return np.array([np.mean(np.asarray(row) > 0) for row in counts])


def change_rate(takes: Takes) -> FloatVector:
    """Share of frames whose code differs from the frame before: `[K]`, NaN without two frames."""
    changed = sum(
        np.count_nonzero(np.diff(take.astype(np.int64), axis=1), axis=1) for take in takes
    )
    steps = sum(max(0, take.shape[1] - 1) for take in takes)
    num_codebooks = takes[0].shape[0]
    return np.asarray(changed) / steps if steps else np.full(num_codebooks, np.nan)


def run_lengths(row: ArrayLike) -> NDArray[np.int64]:
    """Lengths in frames of the runs of equal codes in one row `[T]`, in order."""
    values = np.asarray(row)
    if values.size == 0:
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return np.diff(np.append(starts, values.size))


def mean_run_length(takes: Takes) -> FloatVector:
    """Mean run of equal codes in frames, over all takes: `[K]`."""
    num_codebooks = takes[0].shape[0]
    runs = [np.concatenate([run_lengths(take[k]) for take in takes]) for k in range(num_codebooks)]
    return np.array([lengths.mean() if lengths.size else np.nan for lengths in runs])


@dataclass(frozen=True, eq=False)
class CodeModel:
    """Unigram and bigram of codes, fitted with `fit_code_model`.

    Attributes:
        unigram: probabilities, K times `[V]`, add-alpha smoothed.
        pair_keys: per codebook, the sorted pairs seen, as `previous * V + next`.
        pair_counts: per codebook, how often each was seen.
        previous_counts: how often a code had a successor, K times `[V]`.
        bigram_alpha: weight, in counts, of the unigram in each row of the bigram.
    """

    unigram: tuple[FloatVector, ...]
    pair_keys: tuple[NDArray[np.int64], ...]
    pair_counts: tuple[NDArray[np.int64], ...]
    previous_counts: tuple[NDArray[np.int64], ...]
    bigram_alpha: float

    @property
    def codebook_sizes(self) -> list[int]:
        """V of each codebook."""
        return [len(row) for row in self.unigram]

    def unigram_nll(self, takes: Takes) -> FloatVector:
        """Mean negative log-likelihood per code `[K]`, nats."""
        validate_takes(takes, self.codebook_sizes)
        return _mean_nll([-np.log(_pick(self.unigram, take)) for take in takes])

    def bigram_nll(self, takes: Takes) -> FloatVector:
        """The same under the bigram; a take's first frame is scored by the unigram."""
        validate_takes(takes, self.codebook_sizes)
        return _mean_nll([-np.log(self._bigram_probability(take)) for take in takes])

    def _bigram_probability(self, take: NDArray[np.integer]) -> FloatVector:
        probability = _pick(self.unigram, take)
        codes = take.astype(np.int64)
        for book, row in enumerate(codes):
            keys = row[:-1] * len(self.unigram[book]) + row[1:]
            known = self.pair_keys[book]
            if known.size == 0 or keys.size == 0:
                continue
            place = np.minimum(np.searchsorted(known, keys), known.size - 1)
            seen = np.where(known[place] == keys, self.pair_counts[book][place], 0)
            total = self.previous_counts[book][row[:-1]]
            prior = self.bigram_alpha * probability[book, 1:]
            probability[book, 1:] = (seen + prior) / (total + self.bigram_alpha)
        return probability


def fit_code_model(
    takes: Takes, codebook_sizes: Sequence[int], alpha: float = 0.1, bigram_alpha: float = 10.0
) -> CodeModel:
    """Fits both baselines on training takes.

    The unigram adds `alpha` to every count. The bigram adds `bigram_alpha` counts spread like the
    unigram to every row (MacKay and Peto, "A hierarchical Dirichlet language model", 1995,
    https://doi.org/10.1017/S1351324900000218): adding a constant to each of V * V cells would make
    it worse than the unigram at the codebook sizes in use.

    Raises:
        ValueError: see `validate_takes`; or an alpha that is not positive.
    """
    if alpha <= 0.0 or bigram_alpha <= 0.0:
        raise ValueError(f"alphas must be positive, not {alpha} and {bigram_alpha}")
    counts = [count + alpha for count in count_codes(takes, codebook_sizes)]
    keys, pair_counts, previous = [], [], []
    for book, size in enumerate(codebook_sizes):
        rows = [take[book].astype(np.int64) for take in takes]
        pairs = np.concatenate([row[:-1] * size + row[1:] for row in rows])
        unique, number = np.unique(pairs, return_counts=True)
        keys.append(unique)
        pair_counts.append(number)
        previous.append(np.bincount(pairs // size, minlength=size))
    unigram = tuple(count / count.sum() for count in counts)
    return CodeModel(unigram, tuple(keys), tuple(pair_counts), tuple(previous), bigram_alpha)


def bits_per_second(nll_nats: ArrayLike, frame_rate: Fraction | float) -> float:
    """What codes cost under a model: the sum over codebooks of nats per code `[K]`, in bit/s."""
    return float(np.sum(np.asarray(nll_nats, dtype=np.float64)) / np.log(2.0) * float(frame_rate))


def accuracy(reference_codes: ArrayLike, estimated_codes: ArrayLike) -> FloatVector:
    """Share of equal codes per codebook `[K]`, for codes `[..., K, T]` of equal shape.

    Raises:
        ValueError: the shapes differ or have no frames.
    """
    reference, estimated = np.asarray(reference_codes), np.asarray(estimated_codes)
    if reference.shape != estimated.shape or reference.ndim < 2 or reference.size == 0:
        raise ValueError(
            f"codes must be [..., K, T] of equal shape with frames, not {reference.shape} "
            f"and {estimated.shape}"
        )
    equal = np.moveaxis(reference == estimated, -2, 0)
    return equal.reshape(equal.shape[0], -1).mean(axis=1)


def _pick(probabilities: Sequence[FloatVector], take: NDArray[np.integer]) -> FloatVector:
    return np.stack([row[codes] for row, codes in zip(probabilities, take, strict=True)])


def _mean_nll(nll: Sequence[FloatVector]) -> FloatVector:
    return np.concatenate(nll, axis=1).mean(axis=1)
