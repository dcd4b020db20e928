"""As loud and as late as the drummer: velocity against energy, and deviations from the grid.

Both are read off the audio at the MIDI's own hits, so they say nothing about hits that are missing
or added (see `onset` and `drums` for those).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import match_onsets
from midigroove_core.metrics.onset_detection import merge_onsets
from midigroove_core.metrics.spectrum import FloatArray

CLASS_BANDS_HZ: dict[str, tuple[float, float]] = {
    "kick": (30.0, 150.0),
    "snare": (150.0, 6000.0),
    "tom": (60.0, 400.0),
    "hat": (6000.0, 16000.0),
    "crash": (3000.0, 16000.0),
    "ride": (3000.0, 16000.0),
}
ENERGY_SEC = 0.050
BEFORE_SEC = 0.010
ISOLATION_SEC = 0.060
MINIMUM_HITS = 5
MATCH_SEC = 0.05


def hit_levels_db(
    features: AudioFeatures, onsets_sec: ArrayLike, band_hz: tuple[float, float]
) -> NDArray[np.float64]:
    """By how much each hit raises the level in the band `[N]`, dB re full scale, at least -120.

    The power over the 50 ms from the onset, less the power over the 10 ms before it: what still
    rings from earlier hits is not this one's. An onset outside the signal gets NaN.
    """
    onsets = np.asarray(onsets_sec, dtype=np.float64)
    filtered = _band_passed(features.audio, features.sample_rate, band_hz)
    sums = np.concatenate([[0.0], np.cumsum(np.square(filtered, dtype=np.float64))])
    start = np.round(onsets * features.sample_rate).astype(np.int64)
    stop = np.minimum(start + round(ENERGY_SEC * features.sample_rate), filtered.size)
    inside = (start >= 0) & (start < filtered.size)
    start, stop = np.where(inside, start, 0), np.where(inside, stop, 1)
    first = np.maximum(0, start - round(BEFORE_SEC * features.sample_rate))
    power = (sums[stop] - sums[start]) / (stop - start)
    power -= (sums[start] - sums[first]) / np.maximum(1, start - first)
    return np.where(inside, 10.0 * np.log10(np.maximum(power, 1e-12)), np.nan)


def isolated_hits(
    onsets_sec: ArrayLike, others_sec: ArrayLike, gap_sec: float = ISOLATION_SEC
) -> NDArray[np.bool_]:
    """Which onsets `[N]` have no other hit within the gap: bool `[N]`.

    Args:
        onsets_sec: the hits asked about.
        others_sec: the hits of all other drums.
        gap_sec: how far to both sides.
    """
    onsets = np.asarray(onsets_sec, dtype=np.float64)
    everything = np.sort(np.concatenate([onsets, np.asarray(others_sec, dtype=np.float64)]))
    near = np.searchsorted(everything, onsets + gap_sec, "right")
    near -= np.searchsorted(everything, onsets - gap_sec, "left")
    return near <= 1  # itself


def velocity_correlation(
    features: AudioFeatures,
    onsets_sec: ArrayLike,
    velocities: ArrayLike,
    drum_class: str,
    other_onsets_sec: ArrayLike = (),
) -> float:
    """Spearman rank correlation between velocity and level just after isolated hits.

    The level is `hit_levels_db` in the class's band (`CLASS_BANDS_HZ`); a hit counts as isolated
    if no other hit, of whatever drum, is within 60 ms. Rank correlation, because every kit has its
    own velocity curve (Spearman, 1904, https://doi.org/10.2307/1412159).

    Args:
        features: the audio, at least a few bars of it.
        onsets_sec: raw MIDI times of the class's hits `[N]`.
        velocities: their velocities `[N]`.
        drum_class: a key of `CLASS_BANDS_HZ`.
        other_onsets_sec: hits of the other drums.

    Returns:
        1 if louder means harder throughout; 0 if the levels are all equal (silence); NaN with
        fewer than 5 isolated hits or a single velocity.

    Raises:
        ValueError: an unknown class, or onsets and velocities of different lengths.
    """
    if drum_class not in CLASS_BANDS_HZ:
        raise ValueError(f"unknown drum class {drum_class!r}: one of {', '.join(CLASS_BANDS_HZ)}")
    onsets, loudness = np.asarray(onsets_sec, float), np.asarray(velocities, float)
    if onsets.shape != loudness.shape or onsets.ndim != 1:
        raise ValueError(f"{onsets.shape} onsets but {loudness.shape} velocities; both must be [N]")
    levels = hit_levels_db(features, onsets, CLASS_BANDS_HZ[drum_class])
    usable = isolated_hits(onsets, other_onsets_sec) & ~np.isnan(levels)
    levels, loudness = levels[usable], loudness[usable]
    if levels.size < MINIMUM_HITS or np.ptp(loudness) == 0.0:
        return float("nan")
    if np.ptp(levels) == 0.0:
        return 0.0
    from scipy.stats import spearmanr  # takes longer to import than all else here

    return float(spearmanr(loudness, levels).statistic)


def velocity_correlations(
    features: AudioFeatures, hits: Mapping[str, tuple[ArrayLike, ArrayLike]]
) -> dict[str, float]:
    """`velocity_correlation_<class>` for hits given as class -> (onsets_sec, velocities)."""
    scores = {}
    for name, (onsets, velocities) in hits.items():
        rest = [np.asarray(times, float) for other, (times, _) in hits.items() if other != name]
        others = np.concatenate(rest) if rest else np.zeros(0)
        scores[f"velocity_correlation_{name}"] = velocity_correlation(
            features, onsets, velocities, name, others
        )
    return scores


def microtiming(
    midi_onsets_sec: ArrayLike, grid_sec: ArrayLike, estimated: ArrayLike | AudioFeatures
) -> dict[str, float]:
    """Are hits as early or late against the metrical grid as the drummer played them?

    Deviations (detected - grid) are compared with (MIDI - grid) over the hits found within 50 ms.
    A constant delay (a kit's attack, the detector's bias) is taken out of the error, as one would
    by nudging the track. Expressive timing as deviation from a metrical grid: Gillick et al.,
    "Learning to Groove with Inverse Sequence Transformations", 2019,
    https://arxiv.org/abs/1905.06118.

    Args:
        midi_onsets_sec: raw MIDI times `[N]`.
        grid_sec: where the nearest grid position of each is (e.g. sixteenths of the real beat)
            `[N]`, in the same order.
        estimated: features of the audio, or detected onsets `[M]`.

    Returns:
        `microtiming_correlation` (Pearson; NaN with fewer than 5 matches or no deviation at all,
        0 if only the audio has none), `microtiming_error_ms` (mean absolute error after removing
        the median delay) and `microtiming_delay_ms` (that delay); NaN without a match.

    Raises:
        ValueError: the arrays' lengths differ.
    """
    onsets, grid = np.asarray(midi_onsets_sec, float), np.asarray(grid_sec, float)
    if onsets.shape != grid.shape or onsets.ndim != 1:
        raise ValueError(f"{onsets.shape} onsets but {grid.shape} grid times; both must be [N]")
    found = estimated.onsets_sec if isinstance(estimated, AudioFeatures) else np.sort(estimated)
    reference = merge_onsets(onsets)
    order = np.argsort(onsets, kind="stable")
    reference_grid = grid[order][np.searchsorted(onsets[order], reference)]
    pairs = match_onsets(reference, np.asarray(found, float), MATCH_SEC)
    names = ("microtiming_correlation", "microtiming_error_ms", "microtiming_delay_ms")
    if len(pairs) == 0:
        return dict.fromkeys(names, float("nan"))
    played = 1000.0 * (reference - reference_grid)[pairs[:, 0]]
    heard = 1000.0 * (np.asarray(found, float)[pairs[:, 1]] - reference_grid[pairs[:, 0]])
    delay = float(np.median(heard - played))
    error = float(np.abs(heard - played - delay).mean())
    return dict(zip(names, (_correlation(played, heard), error, delay), strict=True))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if first.size < MINIMUM_HITS or np.ptp(first) < 1e-6:
        return float("nan")
    return 0.0 if np.ptp(second) < 1e-6 else float(np.corrcoef(first, second)[0, 1])


def _band_passed(audio: FloatArray, sample_rate: int, band_hz: tuple[float, float]) -> FloatArray:
    low, high = band_hz[0], min(band_hz[1], 0.45 * sample_rate)
    filters = scipy.signal.butter(2, (low, high), "bandpass", fs=sample_rate, output="sos")
    return scipy.signal.sosfilt(filters, audio).astype(np.float32)
