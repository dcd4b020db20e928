"""What a model is built for: the grid it reads, the codes it predicts, the names it may be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from midigroove_core.clock import FrameClock
from midigroove_core.interfaces.codec import Codebook

if TYPE_CHECKING:
    from torch import Tensor

FindVectors = Callable[[], "tuple[Tensor, ...] | None"]


def no_vectors() -> None:
    """Nothing is known of what the codes stand for."""
    return None


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """Everything that a model has to fit; the rest of its arguments is its own affair.

    Attributes:
        feature_names: the F rows of the grid, such as `onset/kick`.
        clock: of the codec whose codes it predicts.
        codebooks: one for each of the K rows of codes.
        vocabularies: `kit`, `drummer` and `style` -> names, in the order of a batch's indices.
        code_frequencies: how often each code occurs in training, K times [V] float64 with sum 1,
            so that a model may begin as the unigram. None when a trained model is loaded: its
            weights follow.
        find_vectors: what `code_vectors` asks.
    """

    feature_names: tuple[str, ...]
    clock: FrameClock
    codebooks: tuple[Codebook, ...]
    vocabularies: Mapping[str, Sequence[str]]
    code_frequencies: tuple[Tensor, ...] | None = None
    find_vectors: FindVectors = field(default=no_vectors, repr=False)

    @property
    def num_features(self) -> int:
        """F, the rows of the grid."""
        return len(self.feature_names)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        """V of each of the K rows of codes."""
        return tuple(book.size for book in self.codebooks)

    def code_vectors(self) -> tuple[Tensor, ...] | None:
        """What each code stands for, K times [V, D] float32: what it adds to the latents of its
        frame, so known up to a constant per row; each row's mean is 0.

        It loads the codec. None where that has no latents, or is not on this machine, and when a
        trained model is loaded.
        """
        return self.find_vectors()

    @property
    def shape(self) -> ModelSpec:
        """The same without what only the start of training needs."""
        return replace(self, code_frequencies=None, find_vectors=no_vectors)
