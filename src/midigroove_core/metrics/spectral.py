"""Paired distances between a reference recording and an estimate of it.

Every function takes `(reference, estimated)` in that order, each as samples `[S]` (with
`sample_rate`) or as `AudioFeatures`, and returns a float. A perfect estimate scores 0 in distances
and 1 in `envelope_correlation`. All raise ValueError as `features.validate` does.

Sample-wise errors and spectral convergence punish a hit that is there but not identical more than
a hit that is missing: silence scores exactly 1.0 in `spectral_convergence`, and often wins in
`rmse`. Read them next to the silence row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from midigroove_core.metrics.features import AudioFeatures, as_features, validate

MAX_CONVERGENCE = 10.0
"""Spectral convergence is cut here: a near-silent reference would otherwise give any number."""
LEVEL_FLOOR_DB = -100.0
SI_SDR_LIMIT_DB = 100.0
RATIO_LIMIT_DB = 40.0
TRANSIENT_SEC = (-0.005, 0.040)
TAIL_END_SEC = 0.250

Signal = ArrayLike | AudioFeatures


def spectral_convergence(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """Relative Frobenius error of STFT magnitudes, averaged over three resolutions.

    || |R| - |E| || / || |R| ||, with FFT sizes 512, 1024 and 2048, hop a quarter, Hann window.
    Arik, Jun, Diamos, "Fast Spectrogram Inversion Using Multi-Head Convolutional Neural Networks",
    2018, https://arxiv.org/abs/1808.06719; multi-resolution as in Yamamoto et al., 2019,
    https://arxiv.org/abs/1910.11480 (but a quarter hop, and the whole window, at each size).

    0 is perfect, silence scores 1.0, two silent signals 0.0; never above `MAX_CONVERGENCE`.
    """
    first, second = validate(reference, estimated, sample_rate)
    values = []
    for ours, theirs in zip(first.magnitudes, second.magnitudes, strict=True):
        error = float(np.linalg.norm(ours - theirs))
        norm = float(np.linalg.norm(ours))
        values.append(0.0 if error == 0.0 else min(MAX_CONVERGENCE, error / max(norm, 1e-12)))
    return float(np.mean(values))


def log_magnitude_distance(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """Mean absolute difference of natural log STFT magnitudes over three resolutions, in nepers.

    The second half of the multi-resolution STFT loss (Yamamoto et al., 2019,
    https://arxiv.org/abs/1910.11480). Magnitudes are floored at `STFT_FLOOR_DB`, so that what
    nobody hears does not count.
    """
    first, second = validate(reference, estimated, sample_rate)
    pairs = zip(first.log_magnitudes, second.log_magnitudes, strict=True)
    return float(np.mean([np.abs(ours - theirs).mean() for ours, theirs in pairs]))


def mel_l1(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Mean absolute difference of 80-band log-mel power spectra, in dB.

    The mel distance that neural codecs report (e.g. Kumar et al., "High-Fidelity Audio Compression
    with Improved RVQGAN", 2023, https://arxiv.org/abs/2306.06546), here at one resolution (FFT
    2048, hop 512) and in dB.
    """
    first, second = validate(reference, estimated, sample_rate)
    return float(np.abs(first.log_mel_db - second.log_mel_db).mean())


def log_spectral_distance(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """Root mean square over frequency of the dB difference, averaged over frames; in dB.

    Gray and Markel, "Distance measures for speech processing", IEEE TASSP 24(5), 1976,
    https://doi.org/10.1109/TASSP.1976.1162849. FFT 2048, hop 512.
    """
    first, second = validate(reference, estimated, sample_rate)
    difference = first.log_magnitudes[-1] - second.log_magnitudes[-1]
    mean_square = np.einsum("ij,ij->i", difference, difference) / difference.shape[1]
    return float(np.sqrt(mean_square).mean() * 20.0 / np.log(10.0))


def rmse(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Root mean square error of the samples. Misleading: a copy 1 ms late loses to silence."""
    first, second = validate(reference, estimated, sample_rate)
    difference = first.audio - second.audio
    return float(np.sqrt(np.mean(difference * difference, dtype=np.float64)))


def mae(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Mean absolute error of the samples. As misleading as `rmse`."""
    first, second = validate(reference, estimated, sample_rate)
    return float(np.mean(np.abs(first.audio - second.audio), dtype=np.float64))


def si_sdr(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, within +-`SI_SDR_LIMIT_DB`.

    Le Roux, Wisdom, Erdogan, Hershey, "SDR - half-baked or well done?", 2019,
    https://arxiv.org/abs/1811.02508, without removing the mean. Identical signals score the upper
    limit, a silent reference or estimate the lower one (the upper if both are silent). Phase
    counts, so a resynthesis that sounds the same may score below 0.
    """
    first, second = validate(reference, estimated, sample_rate)
    target, guess = first.audio.astype(np.float64), second.audio.astype(np.float64)
    energy = float(target @ target)
    scaled = (float(guess @ target) / energy) * target if energy > 0.0 else target
    signal, noise = float(scaled @ scaled), float(np.sum((guess - scaled) ** 2))
    if signal == noise == 0.0:
        return SI_SDR_LIMIT_DB if energy == 0.0 else -SI_SDR_LIMIT_DB
    return _ratio_db(signal, noise, SI_SDR_LIMIT_DB)


def envelope_correlation(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """Pearson correlation of the two RMS envelopes (10 ms windows every 5 ms).

    1 is perfect. An envelope that never changes (silence) correlates with nothing and scores 0,
    unless both are equal.
    """
    first, second = validate(reference, estimated, sample_rate)
    ours, theirs = first.envelope.astype(np.float64), second.envelope.astype(np.float64)
    if np.array_equal(ours, theirs):
        return 1.0
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    norm = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    return float(np.clip(ours @ theirs / norm, -1.0, 1.0)) if norm > 1e-12 else 0.0


def level_db(audio: Signal, sample_rate: int | None = None) -> float:
    """RMS level in dB relative to full scale, not below `LEVEL_FLOOR_DB`."""
    samples = as_features(audio, sample_rate).audio
    power = float(np.mean(samples * samples, dtype=np.float64))
    return max(LEVEL_FLOOR_DB, 10.0 * np.log10(max(power, 1e-30)))


def level_difference_db(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """How much louder the estimate is than the reference, in dB; 0 is perfect."""
    first, second = validate(reference, estimated, sample_rate)
    return level_db(second) - level_db(first)


def transient_tail_ratio_db(
    audio: Signal, onsets_sec: ArrayLike, sample_rate: int | None = None
) -> float:
    """Energy around the hits over energy after them, in dB within +-`RATIO_LIMIT_DB`.

    The transient of a hit is from 5 ms before to 40 ms after its onset, the tail from there to the
    next transient or to 250 ms, whichever is first. Blurred attacks and added reverberation lower
    it; choked tails raise it. In the spirit of transient-to-steady-state ratios in the masking and
    dynamics literature; the windows are ours.

    Args:
        audio: samples `[S]` or features.
        onsets_sec: when the hits are `[N]`, the reference's for every system.
        sample_rate: needed for bare samples.

    Returns:
        The ratio; the lower limit for silence; NaN if there is no hit inside the signal.
    """
    features = as_features(audio, sample_rate)
    onsets = np.asarray(onsets_sec, dtype=np.float64)
    size, rate = features.audio.size, features.sample_rate
    onsets = onsets[(onsets >= 0.0) & (onsets < size / rate)]
    if onsets.size == 0:
        return float("nan")
    transient = _covered(onsets + TRANSIENT_SEC[0], onsets + TRANSIENT_SEC[1], rate, size)
    tail = _covered(onsets, onsets + TAIL_END_SEC, rate, size) & ~transient
    power = features.audio * features.audio
    inside, after = float(power @ transient), float(power @ tail)
    if inside == 0.0:
        return -RATIO_LIMIT_DB
    return _ratio_db(inside, after, RATIO_LIMIT_DB)


def transient_tail_difference_db(
    reference: Signal,
    estimated: Signal,
    onsets_sec: ArrayLike,
    sample_rate: int | None = None,
) -> float:
    """`transient_tail_ratio_db` of the estimate minus the reference's; 0 is perfect."""
    first, second = validate(reference, estimated, sample_rate)
    return transient_tail_ratio_db(second, onsets_sec) - transient_tail_ratio_db(first, onsets_sec)


def _covered(
    starts_sec: np.ndarray, ends_sec: np.ndarray, sample_rate: int, size: int
) -> np.ndarray:
    """True where any of the intervals covers a sample: bool `[size]`."""
    edges = np.zeros(size + 1, np.int32)
    np.add.at(edges, np.clip(np.round(starts_sec * sample_rate), 0, size).astype(int), 1)
    np.add.at(edges, np.clip(np.round(ends_sec * sample_rate), 0, size).astype(int), -1)
    return np.cumsum(edges[:-1]) > 0


def _ratio_db(signal: float, noise: float, limit_db: float) -> float:
    if noise <= 0.0:
        return limit_db
    if signal <= 0.0:
        return -limit_db
    return float(np.clip(10.0 * np.log10(signal / noise), -limit_db, limit_db))
