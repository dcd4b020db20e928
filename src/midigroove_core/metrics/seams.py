"""Are the joins of a long render audible? Spectral flux at the joins against elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from midigroove_core.metrics.features import AudioFeatures

JOIN_SEC = 0.030
HIT_SEC = 0.060
RATIO_LIMIT = 100.0


def seam_scores(
    features: AudioFeatures, joins_sec: ArrayLike, onsets_sec: ArrayLike = ()
) -> dict[str, float]:
    """Compares the spectral flux around joins with the flux at the same distance from hits.

    A join that cannot be heard has no more flux than any other moment: its percentile among all
    moments is about uniform, so the mean is about 50. Moments within 60 ms of a hit are left out on
    both sides, for a hit hides a join and is no seam. The flux is that of `detect_onsets`
    (log-filtered; Boeck and Widmer, DAFx 2013); taking the largest value within 30 ms around a
    moment allows for a join that is smeared by the codec.

    Args:
        features: the render.
        joins_sec: where windows were joined `[N]`.
        onsets_sec: raw MIDI times of all hits `[M]`.

    Returns:
        `seam_flux_ratio`: mean flux at joins over mean flux elsewhere (1: no seams, or
        nothing moves at all; at most `RATIO_LIMIT`); `seam_percentile_mean`: where joins rank among
        other moments, 0 to 100, ties in the middle; `seams_compared`: joins far enough from hits.
        NaN without any.

    Raises:
        ValueError: a join that is not inside the audio.
    """
    joins = np.asarray(joins_sec, dtype=np.float64)
    duration_sec = features.audio.size / features.sample_rate
    if joins.ndim != 1 or not ((joins >= 0.0) & (joins <= duration_sec)).all():
        raise ValueError(f"joins must be times [N] between 0 and {duration_sec:.3f} s")
    flux, hop_sec = features.flux
    times = np.arange(flux.size) * hop_sec
    reach = max(1, round(JOIN_SEC / hop_sec))
    padded = np.pad(flux, reach)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    quiet = _distance(times, np.asarray(onsets_sec, dtype=np.float64)) > HIT_SEC
    quiet &= (times > HIT_SEC) & (times < duration_sec - HIT_SEC)
    frames = np.clip(np.round(joins / hop_sec).astype(np.int64), 0, flux.size - 1)
    frames = frames[quiet[frames]]
    elsewhere = highest[quiet & (_distance(times, joins) > 2.0 * JOIN_SEC)]
    if frames.size == 0 or elsewhere.size == 0:
        nothing = float("nan")
        return {
            "seam_flux_ratio": nothing,
            "seam_percentile_mean": nothing,
            "seams_compared": 0.0,
        }
    at_joins = highest[frames]
    ordered = np.sort(elsewhere)
    below = np.searchsorted(ordered, at_joins, "left") + np.searchsorted(ordered, at_joins, "right")
    usual = float(elsewhere.mean())
    at_join = float(at_joins.mean())
    ratio = min(RATIO_LIMIT, at_join / max(usual, 1e-12)) if at_join > 0.0 else float(usual == 0.0)
    return {
        "seam_flux_ratio": ratio,
        "seam_percentile_mean": float(50.0 * below.mean() / ordered.size),
        "seams_compared": float(frames.size),
    }


def _distance(times: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Seconds from each time `[T]` to the nearest mark; infinite without marks."""
    if marks.size == 0:
        return np.full(times.shape, np.inf)
    ordered = np.sort(marks)
    place = np.searchsorted(ordered, times)
    before = times - ordered[np.maximum(place - 1, 0)]
    after = ordered[np.minimum(place, ordered.size - 1)] - times
    return np.minimum(np.abs(before), np.abs(after))
