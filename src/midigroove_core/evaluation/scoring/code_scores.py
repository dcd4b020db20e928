"""What the codes say, with the baselines that give a likelihood a meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from midigroove_core.metrics.codes import CodeModel, bits_per_second
from midigroove_core.scorecard.records import CodesLine, number

Vector = NDArray[np.float64]


def clip_values(
    nll: Vector, frame_rate: Fraction, accuracy: Vector | None = None
) -> dict[str, float]:
    """The columns of clips.csv from nats per code `[K]` and accuracy `[K]`."""
    values = {
        "nll_nats": float(nll.mean()),
        "bits_per_second": bits_per_second(nll, frame_rate),
    }
    if accuracy is not None:
        values["accuracy"] = float(accuracy.mean())
    return values


@dataclass
class CodeTotals:
    """Sums over frames, per codebook, of one system and of the baselines on the same frames.

    Attributes:
        num_codebooks: K.
        model: unigram and bigram of the training codes; None without training takes.
        frame_rate: frames per second.
    """

    num_codebooks: int
    model: CodeModel | None
    frame_rate: Fraction
    _sums: dict[str, Vector] = field(default_factory=dict)
    _frames: int = 0

    def add(self, true_codes: NDArray[np.integer], nll: Vector, accuracy: Vector) -> None:
        """One clip: its true codes `[K, T]`, nats per code `[K]`, accuracy `[K]`."""
        frames = true_codes.shape[1]
        found = {"nll_nats": nll, "accuracy": accuracy}
        if self.model is not None:
            found["unigram_nats"] = self.model.unigram_nll([true_codes])
            found["bigram_nats"] = self.model.bigram_nll([true_codes])
        for name, values in found.items():
            self._sums.setdefault(name, np.zeros(self.num_codebooks))
            self._sums[name] += frames * values
        self._frames += frames

    def lines(self, system: str) -> list[CodesLine]:
        """One line per codebook, and one (codebook None) over all of them."""
        if self._frames == 0:
            return []
        means = {name: sums / self._frames for name, sums in self._sums.items()}
        books = [
            self._line(system, book, slice(book, book + 1), means)
            for book in range(self.num_codebooks)
        ]
        return [*books, self._line(system, None, slice(None), means)]

    def _line(
        self, system: str, book: int | None, part: slice, means: dict[str, Vector]
    ) -> CodesLine:
        figures = {name: number(float(values[part].mean())) for name, values in means.items()}
        bits = bits_per_second(means["nll_nats"][part], self.frame_rate)
        for name in ("unigram", "bigram"):
            if f"{name}_nats" in means:
                gain = means[f"{name}_nats"][part] - means["nll_nats"][part]
                figures[f"gain_over_{name}_nats"] = number(float(gain.mean()))
        figures["perplexity"] = number(float(np.exp(means["nll_nats"][part].mean())))
        return CodesLine(system, book, self._frames, bits_per_second=number(bits), **figures)
