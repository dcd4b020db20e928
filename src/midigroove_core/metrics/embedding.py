"""The embedding that ships: statistics of the log-mel spectrogram, no weights, no downloads.

Texture statistics of auditory bands tell sounds apart without training (McDermott and Simoncelli,
"Sound Texture Perception via Statistics of the Auditory Periphery", Neuron 2011,
https://doi.org/10.1016/j.neuron.2011.06.032). Each window of a clip gives, for 40 mel bands: the
mean level against the other bands, its standard deviation, how much it rises and changes from frame
to frame, and how the level's modulation is spread over octaves of rate. Levels are relative to the
clip's loudest frames, so that gain does not count (`level_difference_db` says that).

It orders kits and graded damage sensibly; it knows nothing of music. A learned embedding says more.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.spectrum import (
    FloatArray,
    mel_filterbank,
    stft_magnitude,
    validate_audio,
)

EMBEDDING_BANDS = 40
WINDOW_SEC = 1.0
DYNAMIC_RANGE_DB = 60.0

_TOP_HZ = 8000.0
_STFT_SEC = 0.032
_HOP_SEC = 0.008
_MODULATION_EDGES_HZ = (1.5, 3.0, 6.0, 12.0, 24.0, 62.0)
_STATISTICS = 4 + len(_MODULATION_EDGES_HZ) - 1
EMBEDDING_SIZE = EMBEDDING_BANDS * _STATISTICS


def embed_log_mel(
    audio: ArrayLike, sample_rate: int, window_sec: float | None = WINDOW_SEC
) -> FloatArray:
    """Embeds a clip `[S]`: one row per window, `[N, EMBEDDING_SIZE]`, float32, in about dB.

    Args:
        audio: mono samples, full scale 1.0.
        sample_rate: 16 kHz or more; only what is below 8 kHz counts, so that systems of different
            rates compare.
        window_sec: length of windows, half overlapping; None for one row for the whole clip. A clip
            shorter than a window gives one row.

    Raises:
        ValueError: NaN, empty, not `[S]`; or a sample rate under 16 kHz.
    """
    samples = validate_audio(audio)
    if sample_rate < 2 * _TOP_HZ:
        raise ValueError(f"sample_rate must be at least {2 * _TOP_HZ:.0f} Hz, not {sample_rate}")
    levels = _log_mel(samples, sample_rate)
    if window_sec is None or len(levels) * _HOP_SEC <= window_sec:
        return _statistics(levels)[None]
    length = max(2, round(window_sec / _HOP_SEC))
    starts = range(0, len(levels) - length + 1, max(1, length // 2))
    return np.stack([_statistics(levels[start : start + length]) for start in starts])


def _log_mel(audio: FloatArray, sample_rate: int) -> FloatArray:
    """Levels `[frames, bands]` in dB between 0 and `DYNAMIC_RANGE_DB`, below the clip's loudest."""
    size = 2 * round(_STFT_SEC * sample_rate / 2)
    magnitude = stft_magnitude(audio, size, round(_HOP_SEC * sample_rate))
    bins = np.arange(size // 2 + 1) * sample_rate / size
    kept = int(np.count_nonzero(bins <= _TOP_HZ))
    # The bank for twice 8 kHz at the same bin width is the same for every sample rate.
    bank = mel_filterbank(int(2 * _TOP_HZ), 2 * (kept - 1), EMBEDDING_BANDS)
    power = np.square(magnitude[:, :kept]) @ bank
    top = float(np.quantile(power.max(axis=1), 0.95))
    if top <= 1e-12 * size**2:
        return np.zeros_like(power)
    relative = np.maximum(power / top, np.float32(10.0 ** (-DYNAMIC_RANGE_DB / 10.0)))
    return np.float32(10.0) * np.log10(relative) + np.float32(DYNAMIC_RANGE_DB)


def _statistics(levels: FloatArray) -> FloatArray:
    """One row `[EMBEDDING_SIZE]` from the levels of a window `[frames, bands]`."""
    steps = np.diff(levels, axis=0) if len(levels) > 1 else np.zeros_like(levels)
    rises = np.maximum(steps, 0.0).mean(axis=0)
    changes = np.sqrt(np.mean(np.square(steps), axis=0))
    # Without its mean over bands, the mean level is a spectral shape: how many hits there are, the
    # performance's doing, counts less and the kit more (own kit nearest for 5 of 6 kits, not 2).
    shape = levels.mean(axis=0) - levels.mean()
    parts = [shape, levels.std(axis=0), 4.0 * rises, changes]
    return np.concatenate([*parts, *_modulation(levels)]).astype(np.float32)


def _modulation(levels: FloatArray) -> list[NDArray[np.float32]]:
    """RMS of the level's changes in each octave of modulation rate, `[bands]` each, in dB."""
    count = len(levels)
    spectrum = scipy.fft.rfft(levels - levels.mean(axis=0), axis=0, workers=1)
    power = 2.0 * (spectrum.real**2 + spectrum.imag**2) / count**2
    rates = np.arange(len(power)) / (count * _HOP_SEC)
    edges = _MODULATION_EDGES_HZ
    return [
        np.sqrt(power[(rates >= low) & (rates < high)].sum(axis=0))
        for low, high in zip(edges, edges[1:], strict=False)
    ]
