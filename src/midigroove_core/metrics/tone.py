"""Is the tone right? Balance of bands, brightness and punch, whatever the level.

Single numbers that say in which direction a sound is off, where `spectral` says how far: a kit that
is played too dull, a codec that eats the cymbals, a limiter that ate the attacks. Estimate minus
reference; level does not count. Silence has no tone and scores the worst there is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.features import AudioFeatures, validate
from midigroove_core.metrics.spectrum import STFT_SIZES

BAND_EDGES_HZ = (200.0, 2000.0, 8000.0)
"""Kick and toms; bodies of snares and toms; attacks and hats; cymbals and air."""

BALANCE_LIMIT_DB = 40.0
CENTROID_LIMIT_OCTAVES = 5.0

_SILENT = 1e-12

Signal = ArrayLike | AudioFeatures


def band_balance_difference_db(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """Mean over four bands of how far a band's share of the energy is off, in dB.

    Bands are parted at `BAND_EDGES_HZ`; one above half the sample rate is left out. Within
    `BALANCE_LIMIT_DB`, which silence scores beside sound.
    """
    first, second = validate(reference, estimated, sample_rate)
    ours = _band_shares(_power(first), first.sample_rate)
    theirs = _band_shares(_power(second), second.sample_rate)
    if ours is None or theirs is None:
        return 0.0 if ours is theirs else BALANCE_LIMIT_DB
    least = 10.0 ** (-BALANCE_LIMIT_DB / 10.0)
    ratio = np.maximum(theirs, least) / np.maximum(ours, least)
    return float(np.mean(np.abs(10.0 * np.log10(ratio))))


def centroid_difference_octaves(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """How much brighter the estimate is: octaves between the centres of gravity of the spectra.

    Below 0: too dull. Within +-`CENTROID_LIMIT_OCTAVES`, which silence scores beside sound.
    """
    first, second = validate(reference, estimated, sample_rate)
    ours = _centroid_hz(_power(first), first.sample_rate)
    theirs = _centroid_hz(_power(second), second.sample_rate)
    if ours is None or theirs is None:
        return 0.0 if ours is theirs else -CENTROID_LIMIT_OCTAVES
    found = np.log2(theirs / ours)
    return float(np.clip(found, -CENTROID_LIMIT_OCTAVES, CENTROID_LIMIT_OCTAVES))


def crest_difference_db(
    reference: Signal, estimated: Signal, sample_rate: int | None = None
) -> float:
    """How much more the estimate's peak stands above its RMS level, in dB; below 0: no punch.

    Silence counts as having no peak at all.
    """
    first, second = validate(reference, estimated, sample_rate)
    return _crest_db(second.audio) - _crest_db(first.audio)


def _power(features: AudioFeatures) -> NDArray[np.float64]:
    """Energy per bin of the largest STFT, summed over time."""
    return np.square(features.magnitudes[-1], dtype=np.float64).sum(axis=0)


def _band_shares(power: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64] | None:
    if power.sum() <= _SILENT:
        return None
    hertz = np.arange(len(power)) * sample_rate / STFT_SIZES[-1]
    edges = [edge for edge in BAND_EDGES_HZ if edge < sample_rate / 2]
    band = np.digitize(hertz, edges)
    energy = np.bincount(band, weights=power, minlength=len(edges) + 1)
    return energy / energy.sum()


def _centroid_hz(power: NDArray[np.float64], sample_rate: int) -> float | None:
    if power.sum() <= _SILENT:
        return None
    hertz = np.arange(len(power)) * sample_rate / STFT_SIZES[-1]
    return max(1.0, float(hertz @ power / power.sum()))


def _crest_db(audio: NDArray[np.float32]) -> float:
    mean = float(np.mean(np.square(audio, dtype=np.float64)))
    if mean <= _SILENT:
        return 0.0
    return float(20.0 * np.log10(np.abs(audio).max()) - 10.0 * np.log10(mean))
