"""What the audio metrics need to know about one signal, computed once.

Comparing one reference with five systems must not compute the reference's spectra five times, so
every audio metric takes either samples `[S]` with a sample rate or an `AudioFeatures`. Its
attributes are computed when first asked for and kept; drop the object to free them (about 5 MB for
two seconds at 44.1 kHz).

Audio is mono `[S]`, float, full scale 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.onset_detection import detect_onsets, spectral_flux
from midigroove_core.metrics.spectrum import (
    STFT_SIZES,
    FloatArray,
    mel_filterbank,
    stft_floor,
    stft_magnitude,
    validate_audio,
)

MEL_BANDS = 80
MEL_FLOOR_DB = -80.0
ENVELOPE_HOP_SEC = 0.005


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
        """Detected onsets `[N]`, ascending, in seconds; see `onset_detection.detect_onsets`."""
        return detect_onsets(self.audio, self.sample_rate, self.magnitudes)

    @property
    def flux(self) -> tuple[FloatArray, float]:
        """Spectral flux `[frames]` and the seconds between frames; see `spectral_flux`."""
        return spectral_flux(self.magnitudes, self.sample_rate)


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
