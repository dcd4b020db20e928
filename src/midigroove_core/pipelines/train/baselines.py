"""What the codes cost without a model: the two figures that a validation loss is read against."""

from __future__ import annotations

import numpy as np

from midigroove_core.cachefile import Cache
from midigroove_core.metrics.codes import fit_code_model
from midigroove_core.pipelines.clips import Clip

_FIT_FRAMES = 300_000
_SCORE_FRAMES = 100_000


def code_baselines(cache: Cache, train: list[Clip], valid: list[Clip]) -> dict[str, list[float]]:
    """Unigram and bigram NLL of the validation takes' codes, in nats per code, [K] each.

    Both are fitted on the training takes; where there are many, on takes spread over them.
    """
    model = fit_code_model(_takes(cache, train, _FIT_FRAMES), cache.codebook_size)
    scored = _takes(cache, valid, _SCORE_FRAMES)
    return {
        "unigram": model.unigram_nll(scored).tolist(),
        "bigram": model.bigram_nll(scored).tolist(),
    }


def _takes(cache: Cache, clips: list[Clip], max_frames: int) -> list[np.ndarray]:
    entries = [cache.entries[index] for index in sorted({clip.entry_index for clip in clips})]
    frames = sum(entry.num_frames for entry in entries)
    every = max(1, -(-frames // max_frames))
    return [cache.codes(entry) for entry in entries[::every]]
