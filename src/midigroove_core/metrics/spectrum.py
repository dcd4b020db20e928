"""Samples checked, short-time spectra and mel bands: what the audio metrics are made of.

Frame `i` of a spectrogram is centred on sample `i * hop`, the signal being mirrored at both ends,
as `torch.stft` does.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float32]

STFT_SIZES = (512, 1024, 2048)
STFT_FLOOR_DB = -100.0
"""Magnitudes below this, relative to a full-scale sine, count as silence in logarithms."""


def validate_audio(audio: ArrayLike, name: str = "audio") -> FloatArray:
    """Returns `audio` as contiguous float32 `[S]`.

    Raises:
        ValueError: not one-dimensional, not floating point, empty, or NaN or infinite samples.
    """
    array = np.asarray(audio)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional [S], not of shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty")
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name} must be floating point with full scale 1.0, not {array.dtype}")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(array)
    if not finite.all():
        first = int(np.argmin(finite))
        count = int(array.size - np.count_nonzero(finite))
        raise ValueError(f"{name} has {count} NaN or infinite samples, the first at {first}")
    return array


def stft_magnitude(audio: FloatArray, size: int, hop: int) -> FloatArray:
    """Magnitudes `[1 + S // hop, size // 2 + 1]` of a centred STFT with a periodic Hann window."""
    padded = np.pad(audio, size // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectrum = scipy.fft.rfft(frames * _hann(size), axis=-1, workers=1, overwrite_x=True)
    return np.sqrt(spectrum.real**2 + spectrum.imag**2)


def stft_floor(size: int) -> np.float32:
    """The magnitude that stands for silence in logarithms, for one FFT size."""
    return np.float32(size / 4 * 10.0 ** (STFT_FLOOR_DB / 20.0))


@lru_cache(maxsize=16)
def _hann(size: int) -> FloatArray:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


@lru_cache(maxsize=16)
def mel_filterbank(sample_rate: int, size: int, bands: int) -> FloatArray:
    """Triangular filters `[size // 2 + 1, bands]` with peak 1, evenly spaced in mel.

    mel = 2595 log10(1 + f / 700) (O'Shaughnessy 1987), from 30 Hz to half the sample rate. A band
    narrower than an FFT bin takes the nearest bin, so that no band is empty.
    """
    top = 2595.0 * np.log10(1.0 + sample_rate / 2 / 700.0)
    bottom = 2595.0 * np.log10(1.0 + 30.0 / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(bottom, top, bands + 2) / 2595.0) - 1.0)
    bins = np.arange(size // 2 + 1) * sample_rate / size
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    nearest = np.abs(bins[:, None] - edges[1:-1]).argmin(axis=0)
    empty = np.flatnonzero(weights.sum(axis=0) < 0.5)
    weights[nearest[empty], empty] = 1.0
    return weights.astype(np.float32)
