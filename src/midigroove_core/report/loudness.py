"""Loudness after ITU-R BS.1770-5, so that a listening test does not prefer the louder stimulus."""

from __future__ import annotations

import math

import numpy as np
import scipy.signal
from numpy.typing import NDArray

MAX_GAIN_DB = 20.0
"""More would only lift the noise of a system that plays next to nothing."""


def loudness_lufs(audio: NDArray[np.float32], sample_rate: int) -> float:
    """K-weighted level of a mono signal `[S]` in LUFS; -inf for silence.

    https://www.itu.int/rec/R-REC-BS.1770, without its gate, which is meant for programmes and not
    for clips of seconds. The filters' analogue prototypes (a shelf of +4 dB above 1.7 kHz and a
    high-pass at 38 Hz, which give the standard's coefficients at 48 kHz) serve every sample rate.
    """
    weighted = scipy.signal.sosfilt(_k_weighting(sample_rate), audio.astype(np.float64))
    power = float(np.mean(np.square(weighted))) if len(weighted) else 0.0
    return -0.691 + 10.0 * math.log10(power) if power > 1e-12 else -math.inf


def matching_gain(
    audio: NDArray[np.float32], reference: NDArray[np.float32], sample_rate: int
) -> float:
    """What to multiply `audio` by to sound as loud as the reference; 1 where one is silent."""
    difference = loudness_lufs(reference, sample_rate) - loudness_lufs(audio, sample_rate)
    if not math.isfinite(difference):
        return 1.0
    return float(10.0 ** (np.clip(difference, -MAX_GAIN_DB, MAX_GAIN_DB) / 20.0))


def _k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Two second-order sections `[2, 6]`, by the bilinear transform of the prototypes."""
    k, q = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10.0 ** (3.999843853973347 / 20.0)
    band = high**0.4996667741545416
    shelf = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    pole = [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]
    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    low_cut = [
        1.0,
        2 * (k * k - 1) / (1 + k / q + k * k),
        (1 - k / q + k * k) / (1 + k / q + k * k),
    ]
    first = np.array([*shelf, *pole]) / pole[0]
    return np.stack([first, np.array([1.0, -2.0, 1.0, *low_cut])])
