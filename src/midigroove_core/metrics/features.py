"""What the audio metrics need to know about one signal, computed once.

Comparing one reference with five systems must not compute the reference's spectra five times, so
every audio metric takes either samples `[S]` with a sample rate or an `AudioFeatures`. Its
attributes are computed when first asked for and kept; drop the object to free them (about 5 MB for
two seconds at 44.1 kHz).

Conventions: audio is mono `[S]`, float, full scale 1.0. Frame `i` of a spectrogram is centred on
sample `i * hop`, the signal being mirrored at both ends (as `torch.stft` does).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float32]

STFT_SIZES = (512, 1024, 2048)
STFT_FLOOR_DB = -100.0
"""Magnitudes below this, relative to a full-scale sine, count as silence in logarithms."""
MEL_BANDS = 80
MEL_FLOOR_DB = -80.0
ENVELOPE_HOP_SEC = 0.005


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


@dataclass(frozen=True, eq=False)
class AudioFeatures:
    """One signal and everything the audio metrics derive from it.

    Build it with `from_audio`, which checks the samples.

    Attributes:
        audio: samples `[S]`, float32.
        sample_rate: samples per second.
    """

    audio: FloatArray
    sample_rate: int

    @classmethod
    def from_audio(cls, audio: ArrayLike, sample_rate: int, name: str = "audio") -> AudioFeatures:
        """Checks `audio` `[S]` and wraps it; `name` is used in error messages.

        Raises:
            ValueError: see `validate_audio`; or the sample rate is not positive.
        """
        if sample_rate <= 0:
            raise ValueError(f"sample_rate must be positive, not {sample_rate}")
        return cls(validate_audio(audio, name), int(sample_rate))

    @cached_property
    def magnitudes(self) -> tuple[FloatArray, ...]:
        """STFT magnitudes `[frames, size // 2 + 1]` for each of `STFT_SIZES`."""
        return tuple(stft_magnitude(self.audio, size, size // 4) for size in STFT_SIZES)

    @cached_property
    def log_magnitudes(self) -> tuple[FloatArray, ...]:
        """Natural logarithm of `magnitudes`, floored at `STFT_FLOOR_DB`."""
        pairs = zip(self.magnitudes, STFT_SIZES, strict=True)
        return tuple(np.log(np.maximum(values, stft_floor(size))) for values, size in pairs)

    @cached_property
    def log_mel_db(self) -> FloatArray:
        """Log-mel power spectrum `[frames, MEL_BANDS]` in dB, from the largest STFT.

        A full-scale sine in the middle of a band reads about 0 dB; `MEL_FLOOR_DB` is the floor.
        """
        size = STFT_SIZES[-1]
        scaled = self.magnitudes[-1] * np.float32(4.0 / size)
        power = (scaled * scaled) @ mel_filterbank(self.sample_rate, size, MEL_BANDS)
        floor = np.float32(10.0 ** (MEL_FLOOR_DB / 10.0))
        return np.float32(10.0) * np.log10(np.maximum(power, floor))

    @cached_property
    def envelope(self) -> FloatArray:
        """RMS level in windows of two `ENVELOPE_HOP_SEC`, one every hop: `[frames]`."""
        hop = max(1, round(ENVELOPE_HOP_SEC * self.sample_rate))
        count = -(-self.audio.size // hop)
        padded = np.zeros((count + 1) * hop, np.float32)
        padded[hop // 2 : hop // 2 + self.audio.size] = self.audio
        blocks = padded.reshape(count + 1, hop)
        energy = np.einsum("ij,ij->i", blocks, blocks)
        return np.sqrt((energy[:-1] + energy[1:]) / np.float32(2 * hop)).astype(np.float32)

    @cached_property
    def onsets_sec(self) -> NDArray[np.float64]:
        """Detected onsets `[N]`, ascending, in seconds (see `onset.detect_onsets`)."""
        from midigroove_core.metrics.onset import detect_onsets

        return detect_onsets(self)


def as_features(
    audio: ArrayLike | AudioFeatures, sample_rate: int | None = None, name: str = "audio"
) -> AudioFeatures:
    """Samples with a sample rate, or features already made, as features.

    Raises:
        ValueError: bare samples without a sample rate; see also `AudioFeatures.from_audio`.
    """
    if isinstance(audio, AudioFeatures):
        return audio
    if sample_rate is None:
        raise ValueError(f"{name}: samples need a sample_rate")
    return AudioFeatures.from_audio(audio, sample_rate, name)


def validate(
    reference: ArrayLike | AudioFeatures,
    estimated: ArrayLike | AudioFeatures,
    sample_rate: int | None = None,
) -> tuple[AudioFeatures, AudioFeatures]:
    """Both signals as features, after checking that they can be compared.

    Raises:
        ValueError: NaN, empty or not `[S]`; or lengths or sample rates differ.
    """
    first = as_features(reference, sample_rate, "reference")
    second = as_features(estimated, sample_rate, "estimated")
    if first.sample_rate != second.sample_rate:
        raise ValueError(
            f"sample rates differ: reference {first.sample_rate}, estimated {second.sample_rate}"
        )
    if first.audio.size != second.audio.size:
        raise ValueError(
            f"lengths differ: reference {first.audio.size} samples, estimated {second.audio.size}"
        )
    return first, second


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
