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
    """Means over frames, per codebook, of one system and of the baselines on the same frames.

    Attributes:
        num_codebooks: K.
        model: unigram and bigram of the training codes; None without training takes.
        frame_rate: frames per second.
        found: clip -> its frames, and means over them [K] by name.
    """

    num_codebooks: int
    model: CodeModel | None
    frame_rate: Fraction
    found: dict[int, tuple[int, dict[str, Vector]]] = field(default_factory=dict)

    def add(
        self, clip: int, true_codes: NDArray[np.integer], nll: Vector, accuracy: Vector
    ) -> None:
        """One clip: its true codes `[K, T]`, nats per code `[K]`, accuracy `[K]`."""
        found = {"nll_nats": nll, "accuracy": accuracy}
        if self.model is not None:
            found["unigram_nats"] = self.model.unigram_nll([true_codes])
            found["bigram_nats"] = self.model.bigram_nll([true_codes])
        self.found[clip] = (true_codes.shape[1], found)

    def lines(self, system: str) -> list[CodesLine]:
        """One line per codebook, and one (codebook None) over all of them."""
        frames = sum(count for count, _ in self.found.values())
        if frames == 0:
            return []
        sums: dict[str, Vector] = {}
        for clip in sorted(self.found):
            count, found = self.found[clip]
            for name, values in found.items():
                sums[name] = sums.get(name, np.zeros(self.num_codebooks)) + count * values
        means = {name: total / frames for name, total in sums.items()}
        books = [
            self._line(system, book, slice(book, book + 1), means, frames)
            for book in range(self.num_codebooks)
        ]
        return [*books, self._line(system, None, slice(None), means, frames)]

    def _line(
        self, system: str, book: int | None, part: slice, means: dict[str, Vector], frames: int
    ) -> CodesLine:
        figures = {name: number(float(values[part].mean())) for name, values in means.items()}
        bits = bits_per_second(means["nll_nats"][part], self.frame_rate)
        for name in ("unigram", "bigram"):
            if f"{name}_nats" in means:
                gain = means[f"{name}_nats"][part] - means["nll_nats"][part]
                figures[f"gain_over_{name}_nats"] = number(float(gain.mean()))
        figures["perplexity"] = number(float(np.exp(means["nll_nats"][part].mean())))
        return CodesLine(system, book, frames, bits_per_second=number(bits), **figures)
