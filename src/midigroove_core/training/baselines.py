"""What the codes cost without a model: the two figures that a validation loss is read against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache import Cache, CacheEntry
from midigroove_core.cache.baselines import draw_takes, fit_codes
from midigroove_core.cache.clips import Clip

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
    """Fits and scores unigram and bigram; where takes are many, on some of them."""
    model = fit_codes(cache, _takes(cache, train))
    scored = [cache.codes(entry) for entry in draw_takes(_takes(cache, valid), _SCORE_FRAMES)]
    return CodeBaselines(
        model.unigram_nll(scored).tolist(), model.bigram_nll(scored).tolist(), model.unigram
    )


def _takes(cache: Cache, clips: list[Clip]) -> list[CacheEntry]:
    return [cache.entries[index] for index in sorted({clip.entry_index for clip in clips})]
