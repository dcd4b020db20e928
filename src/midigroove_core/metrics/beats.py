"""Can one tap along? Beats found in the audio against the MIDI's own.

The tracker is Ellis's ("Beat Tracking by Dynamic Programming", Journal of New Music Research 2007,
https://doi.org/10.1080/09298210701653344): the sequence of moments that has much onset strength and
keeps the tempo. It is told the tempo, which is the MIDI's to give, and finds where the beats are;
what it gets wrong on the recording itself is its own limit. Scores are mir_eval's (Hainsworth 2004;
Klapuri et al. 2006; Davies et al. 2009).
"""

from __future__ import annotations

import warnings

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.features import AudioFeatures

_STEP_SEC = 0.01
_TIGHTNESS = 100.0
"""How dearly a beat off the tempo is paid; Ellis's for steady music."""

LEAST_BEATS = 8
"""Fewer beats show no continuity."""


def beat_scores(reference_beats_sec: ArrayLike, features: AudioFeatures) -> dict[str, float]:
    """Continuity of the beats heard.

    Args:
        reference_beats_sec: the MIDI's quarter notes `[N]`, ascending, in seconds.
        features: the audio, of some bars.

    Returns:
        `beat_cmlt`: share of beats that lie in stretches found right, within 17.5 % of a beat in
        place and length; `beat_amlt`: the same where half and double tempo and the off-beats count
        as right too. NaN with fewer than `LEAST_BEATS`; 0 where nothing is heard.

    Raises:
        ValueError: beats that do not ascend, or are not finite.
    """
    import mir_eval

    beats = np.asarray(reference_beats_sec, dtype=np.float64)
    if beats.ndim != 1 or not np.isfinite(beats).all() or (np.diff(beats) <= 0).any():
        raise ValueError("beats must be finite and ascend, of shape [N], in seconds")
    if beats.size < LEAST_BEATS:
        return {"beat_cmlt": float("nan"), "beat_amlt": float("nan")}
    found = track_beats(features, float(np.median(np.diff(beats))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of silence, in which no beat is found
        _, right, _, at_any_level = mir_eval.beat.continuity(beats, found)
    return {"beat_cmlt": float(right), "beat_amlt": float(at_any_level)}


def track_beats(features: AudioFeatures, period_sec: float) -> NDArray[np.float64]:
    """Beats `[N]` in seconds, about `period_sec` apart; none where nothing moves."""
    strength = _strength(features, period_sec)
    if not strength.any():
        return np.zeros(0)
    period = period_sec / _STEP_SEC
    reach = np.arange(-round(2 * period), -round(period / 2))
    cost = -_TIGHTNESS * np.log(-reach / period) ** 2
    total, before = strength.copy(), np.full(strength.size, -1)
    for place in range(strength.size):
        earlier = place + reach
        there = earlier >= 0
        if there.any():
            values = total[earlier[there]] + cost[there]
            best = int(values.argmax())
            if values[best] > 0:  # else a sequence may begin here
                total[place] += values[best]
                before[place] = earlier[there][best]
    place = total.size - round(period) + int(total[-round(period) :].argmax())
    found = []
    while place >= 0:
        found.append(place * _STEP_SEC)
        place = before[place]
    return np.array(found[::-1])


def _strength(features: AudioFeatures, period_sec: float) -> NDArray[np.float64]:
    """Onset strength every `_STEP_SEC`, smoothed, of deviation 1."""
    flux, hop_sec = features.flux
    count = int(len(flux) * hop_sec / _STEP_SEC)
    times = np.arange(count) * _STEP_SEC
    values = np.interp(times, np.arange(len(flux)) * hop_sec, flux.astype(np.float64))
    smooth = scipy.ndimage.gaussian_filter1d(values, max(1.0, period_sec / 32 / _STEP_SEC))
    deviation = float(smooth.std())
    return smooth / deviation if deviation > 1e-9 else np.zeros(count)
