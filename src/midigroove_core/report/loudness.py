"""Loudness after ITU-R BS.1770-5, so that a listening test does not prefer the louder stimulus."""

from __future__ import annotations

import math

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from midigroove_core.loudness import k_weighting, power_lufs

MAX_GAIN_DB = 20.0
"""More would only lift the noise of a system that plays next to nothing."""


def loudness_lufs(audio: NDArray[np.float32], sample_rate: int) -> float:
    """K-weighted level of a mono signal `[S]` in LUFS; -inf for silence.

    Without the standard's gate, which is meant for programmes and not for clips of seconds.
    """
    weighted = scipy.signal.sosfilt(k_weighting(sample_rate), audio.astype(np.float64))
    return power_lufs(float(np.mean(np.square(weighted))) if len(weighted) else 0.0)


def matching_gain(
    audio: NDArray[np.float32], reference: NDArray[np.float32], sample_rate: int
) -> float:
    """What to multiply `audio` by to sound as loud as the reference; 1 where one is silent."""
    difference = loudness_lufs(reference, sample_rate) - loudness_lufs(audio, sample_rate)
    if not math.isfinite(difference):
        return 1.0
    return float(10.0 ** (np.clip(difference, -MAX_GAIN_DB, MAX_GAIN_DB) / 20.0))
