"""Unigram and bigram of a cache's codes: fitted in one way, wherever they are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from midigroove_core.cache.format import CacheEntry
from midigroove_core.cache.reader import Cache
from midigroove_core.metrics.codes import CodeModel, fit_code_model

MAX_FIT_FRAMES = 1_000_000
"""Frames that they are fitted on: more change neither in the third digit."""


def fit_codes(
    cache: Cache, entries: Sequence[CacheEntry], max_frames: int = MAX_FIT_FRAMES
) -> CodeModel:
    """Both, of the codes of `entries`: all of them, or whole takes drawn until there are enough.

    Raises:
        ValueError: no takes.
    """
    takes = [cache.codes(entry) for entry in draw_takes(entries, max_frames)]
    return fit_code_model(takes, cache.codebook_sizes)


def draw_takes(entries: Sequence[CacheEntry], max_frames: int) -> list[CacheEntry]:
    """Whole takes, always the same ones, until there are so many frames; at least one."""
    drawn: list[int] = []
    frames = 0
    for index in np.random.default_rng(0).permutation(len(entries)):
        if drawn and frames >= max_frames:
            break
        drawn.append(int(index))
        frames += entries[index].num_frames
    return [entries[index] for index in sorted(drawn)]
