"""Onsets in audio, and onset times laid apart.

The detector follows SuperFlux (Boeck and Widmer, "Maximum filter vibrato suppression for onset
detection", DAFx 2013, https://www.dafx.de/paper-archive/2013/papers/09.dafx2013_submission_12.pdf):
log-filtered spectral flux against a maximum-filtered earlier frame, adaptive peak picking. Each
peak is then moved to where the energy of the differentiated waveform rises most, which makes it
good to about a millisecond on clean attacks. No detector is perfect, so always show what the
recording itself scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.spectrum import STFT_SIZES, FloatArray

MERGE_SEC = 0.03

_WINDOW_SEC = 0.023
_LAG_SEC = 0.0116
_BANDS_PER_OCTAVE = 12
_LOG_SCALE = 1e4
_THRESHOLD = 0.02
_LOCAL_MAX_SEC = 0.02
_MEAN_BEFORE_SEC, _MEAN_AFTER_SEC = 0.10, 0.07
_REFINE_SEC = (-0.020, 0.012)
_RISE_BEFORE_SEC, _RISE_AFTER_SEC = 0.006, 0.003
_BLOCK_SEC = 0.0005

FloatVector = NDArray[np.float64]


def detect_onsets(
    audio: FloatArray, sample_rate: int, magnitudes: Sequence[FloatArray]
) -> FloatVector:
    """Onset times `[N]` in seconds, ascending, at least `MERGE_SEC` apart.

    Use `AudioFeatures.onsets_sec`, which has the magnitudes and keeps the result. Silence and clips
    shorter than a few frames give none. A hit in the first 5 ms has nothing before it to differ
    from and may be missed: start clips a little before the beat.

    Args:
        audio: samples `[S]`.
        sample_rate: samples per second.
        magnitudes: STFT magnitudes for each of `STFT_SIZES`, hops a quarter of the size.
    """
    flux, hop_sec = spectral_flux(magnitudes, sample_rate)
    peaks = pick_peaks(flux, hop_sec, _THRESHOLD)
    times_sec = np.asarray(peaks * hop_sec, dtype=np.float64)
    return merge_onsets(_refine(audio, sample_rate, times_sec))


def spectral_flux(magnitudes: Sequence[FloatArray], sample_rate: int) -> tuple[FloatArray, float]:
    """Log-filtered spectral flux `[frames]` (mean over bands) and the seconds between frames.

    Args:
        magnitudes: STFT magnitudes for each of `STFT_SIZES`, hops a quarter of the size.
        sample_rate: of the audio.
    """
    rate = sample_rate
    index = int(np.argmin([abs(np.log(size / rate / _WINDOW_SEC)) for size in STFT_SIZES]))
    size = STFT_SIZES[index]
    hop_sec = size / 4 / rate
    scaled = magnitudes[index] @ _log_filterbank(rate, size)
    levels = np.log10(1.0 + np.float32(_LOG_SCALE * 4.0 / size) * scaled)
    lag = max(1, round(_LAG_SEC / hop_sec))
    flux = np.zeros(len(levels), np.float32)
    if len(levels) > lag:
        before = scipy.ndimage.maximum_filter1d(levels[:-lag], 3, axis=1)
        flux[lag:] = np.maximum(0.0, levels[lag:] - before).mean(axis=1)
    return flux, hop_sec


def pick_peaks(
    strength: ArrayLike, hop_sec: float, threshold: float, minimum_gap_sec: float = MERGE_SEC
) -> NDArray[np.int64]:
    """Frames `[N]` that are the largest around them and `threshold` above the local mean.

    Args:
        strength: onset strength `[frames]`, not negative.
        hop_sec: seconds between frames.
        threshold: how far above the mean of -100 to +70 ms a peak must stand.
        minimum_gap_sec: of two peaks nearer than this, the later one is dropped.
    """
    values = np.asarray(strength, dtype=np.float64)
    if values.size == 0:
        return np.zeros(0, np.int64)
    reach = max(1, round(_LOCAL_MAX_SEC / hop_sec))
    highest = scipy.ndimage.maximum_filter1d(values, 2 * reach + 1, mode="constant")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    frames = np.arange(values.size)
    low = np.maximum(0, frames - max(1, round(_MEAN_BEFORE_SEC / hop_sec)))
    high = np.minimum(values.size, frames + max(1, round(_MEAN_AFTER_SEC / hop_sec)) + 1)
    mean = (sums[high] - sums[low]) / (high - low)
    peaks = np.flatnonzero((values == highest) & (values > mean + threshold))
    return _keep_apart(peaks * hop_sec, peaks, minimum_gap_sec)


def merge_onsets(onsets_sec: ArrayLike, gap_sec: float = MERGE_SEC) -> FloatVector:
    """Sorted onset times `[N]` without those within `gap_sec` after the last one kept.

    A kick and a hat struck together are one onset to the ear and to any detector.
    """
    ordered = np.sort(np.asarray(onsets_sec, dtype=np.float64).ravel())
    return _keep_apart(ordered, ordered, gap_sec)


def _keep_apart(times_sec: NDArray[Any], values: NDArray[Any], gap_sec: float) -> NDArray[Any]:
    """`values` whose time is more than the gap after the last one kept; times ascending."""
    kept, last = [], -np.inf
    for index, time in enumerate(times_sec):
        if time - last > gap_sec:
            kept.append(index)
            last = time
    return values[np.array(kept, dtype=np.int64)]


def _refine(audio: FloatArray, sample_rate: int, times_sec: FloatVector) -> FloatVector:
    """Moves each time `[N]` to the steepest rise of log energy of the differentiated waveform."""
    if times_sec.size == 0:
        return times_sec
    block = max(1, round(_BLOCK_SEC * sample_rate))
    block_sec = block / sample_rate
    steps = np.diff(audio, prepend=audio[:1])
    count = steps.size // block
    blocks = steps[: count * block].reshape(count, block)
    sums = np.concatenate([[0.0], np.cumsum(np.einsum("ij,ij->i", blocks, blocks), dtype=float)])
    start, stop = round(_REFINE_SEC[0] / block_sec), round(_REFINE_SEC[1] / block_sec)
    centre = np.round(times_sec / block_sec).astype(np.int64)
    edges = np.clip(centre[:, None] + np.arange(start, stop + 1), 1, count - 1)
    low = np.maximum(0, edges - max(1, round(_RISE_BEFORE_SEC / block_sec)))
    high = np.minimum(count, edges + max(1, round(_RISE_AFTER_SEC / block_sec)))
    floor = 1e-9 * block
    after = (sums[high] - sums[edges]) / (high - edges) + floor
    before = (sums[edges] - sums[low]) / (edges - low) + floor
    # A lone click rises equally over all edges up to 3 ms before it: the last one is the onset.
    tilt = np.linspace(1.0, 1.001, edges.shape[1])
    best = np.argmax(after / before * tilt, axis=1)
    return (np.sort(edges[np.arange(len(edges)), best]) + 0.5) * block_sec


@lru_cache(maxsize=8)
def _log_filterbank(sample_rate: int, size: int) -> FloatArray:
    """Triangles `[size // 2 + 1, bands]` of area 1, log-spaced from 40 Hz to at most 16 kHz."""
    octaves = np.log2(min(16000.0, sample_rate / 2) / 40.0)
    edges = 40.0 * 2.0 ** (np.arange(int(_BANDS_PER_OCTAVE * octaves) + 2) / _BANDS_PER_OCTAVE)
    bins = np.unique(np.round(edges * size / sample_rate).astype(int))
    bins = bins[(bins >= 1) & (bins <= size // 2)]
    weights = np.zeros((size // 2 + 1, len(bins) - 2), np.float32)
    for band, (left, centre, right) in enumerate(zip(bins, bins[1:], bins[2:], strict=False)):
        weights[left : centre + 1, band] = np.linspace(0.0, 1.0, centre - left + 1)
        weights[centre : right + 1, band] = np.linspace(1.0, 0.0, right - centre + 1)
    return weights / weights.sum(axis=0)
