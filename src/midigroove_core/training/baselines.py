"""What the codes cost without a model: the two figures that a validation loss is read against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip
from midigroove_core.metrics.codes import fit_code_model

_FIT_FRAMES = 300_000
_SCORE_FRAMES = 100_000


@dataclass(frozen=True)
class CodeBaselines:
    """Costs of the validation takes' codes, in nats per code.

    Attributes:
        unigram, bigram: [K] under models fitted on the training takes.
        frequencies: K times [V], how often each code occurs in training.
    """

    unigram: list[float]
    bigram: list[float]
    frequencies: tuple[NDArray[np.float64], ...]


def code_baselines(cache: Cache, train: list[Clip], valid: list[Clip]) -> CodeBaselines:
    """Fits and scores unigram and bigram; where takes are many, on takes spread over them."""
    model = fit_code_model(_takes(cache, train, _FIT_FRAMES), cache.codebook_sizes)
    scored = _takes(cache, valid, _SCORE_FRAMES)
    return CodeBaselines(
        model.unigram_nll(scored).tolist(), model.bigram_nll(scored).tolist(), model.unigram
    )


def _takes(cache: Cache, clips: list[Clip], max_frames: int) -> list[NDArray[np.uint16]]:
    entries = [cache.entries[index] for index in sorted({clip.entry_index for clip in clips})]
    frames = sum(entry.num_frames for entry in entries)
    every = max(1, -(-frames // max_frames))
    return [cache.codes(entry) for entry in entries[::every]]
