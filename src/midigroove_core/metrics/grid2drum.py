"""The figures of grid2drum_dac by its own definitions, so that its published table can be read.

After evaluate_ablations_4beat_acoustic.py of https://github.com/kostantinos-soiledis/grid2drum_dac
(MIT; arXiv 2605.13404): each signal is divided by its peak, and spectra have 1,024 points every 256
samples. So its figures do not know levels, one loud click changes all of them, and frames are
shorter at higher sample rates: theirs are at 44.1 kHz. Ours beside them say the same without that.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.features import AudioFeatures, validate
from midigroove_core.metrics.spectrum import STFT_SIZES

SIZE = 1024
MEL_BANDS = 80
MEL_RANGE_HZ = (20.0, 14000.0)
BANDS_HZ = ((30.0, 200.0), (200.0, 2000.0), (2000.0, 12000.0))
FLOOR = 1e-8

Signal = ArrayLike | AudioFeatures
Matrix = NDArray[np.float64]


def mel_mae_db(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Mean absolute difference of 80-band mel power spectra in dB, each signal at peak 1."""
    first, second = validate(reference, estimated, sample_rate)
    filters = _mel_filters(first.sample_rate)
    ours, theirs = (
        10.0 * np.log10(np.maximum(np.square(_magnitude(x)) @ filters, FLOOR))
        for x in (first, second)
    )
    return float(np.abs(ours - theirs).mean())


def flux_cosine(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Cosine between the curves of rising energy: 1 where both rise at the same moments alike."""
    first, second = validate(reference, estimated, sample_rate)
    ours, theirs = (_flux(_magnitude(x)) for x in (first, second))
    size = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    return float(ours @ theirs) / size if size > FLOOR else 0.0


def band_balance_l1(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Half the summed difference of the shares that three bands have of the mean power."""
    first, second = validate(reference, estimated, sample_rate)
    ours, theirs = (_shares(_magnitude(x), x.sample_rate) for x in (first, second))
    return 0.5 * float(np.abs(ours - theirs).sum())


def centroid_mae_hz(reference: Signal, estimated: Signal, sample_rate: int | None = None) -> float:
    """Difference of the mean spectral centroids, every frame alike however quiet."""
    first, second = validate(reference, estimated, sample_rate)
    ours, theirs = (_centroid_hz(_magnitude(x), x.sample_rate) for x in (first, second))
    return abs(ours - theirs)


def grid2drum_scores(reference: AudioFeatures, estimated: AudioFeatures) -> dict[str, float]:
    """All four, by the names of `info.METRICS`."""
    return {
        "grid2drum_mel_mae_db": mel_mae_db(reference, estimated),
        "grid2drum_flux_cosine": flux_cosine(reference, estimated),
        "grid2drum_band_balance_l1": band_balance_l1(reference, estimated),
        "grid2drum_centroid_mae_hz": centroid_mae_hz(reference, estimated),
    }


def _magnitude(features: AudioFeatures) -> Matrix:
    """`[frames, SIZE // 2 + 1]` of the signal at peak 1."""
    found = features.magnitudes[STFT_SIZES.index(SIZE)]
    return found.astype(np.float64) / max(float(np.abs(features.audio).max()), FLOOR)


def _flux(magnitude: Matrix) -> NDArray[np.float64]:
    rising: NDArray[np.float64] = np.maximum(np.diff(magnitude, axis=0), 0.0).mean(axis=1)
    return rising


def _bins_hz(sample_rate: int) -> NDArray[np.float64]:
    return np.arange(SIZE // 2 + 1) * sample_rate / SIZE


def _shares(magnitude: Matrix, sample_rate: int) -> NDArray[np.float64]:
    hertz = _bins_hz(sample_rate)
    inside = [(hertz >= low) & (hertz < high) for low, high in BANDS_HZ]
    power = np.array([np.square(magnitude[:, band]).mean() for band in inside])
    return power / max(float(power.sum()), FLOOR)


def _centroid_hz(magnitude: Matrix, sample_rate: int) -> float:
    weight = np.maximum(magnitude.sum(axis=1), FLOOR)
    return float((magnitude @ _bins_hz(sample_rate) / weight).mean())


@lru_cache(maxsize=4)
def _mel_filters(sample_rate: int) -> Matrix:
    """Triangles `[SIZE // 2 + 1, MEL_BANDS]`; those between two bins stay empty, as there."""
    low, high = MEL_RANGE_HZ[0], min(MEL_RANGE_HZ[1], sample_rate / 2)
    bottom, top = 2595.0 * np.log10(1.0 + np.array([low, high]) / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(bottom, top, MEL_BANDS + 2) / 2595.0) - 1.0)
    bins = _bins_hz(sample_rate)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling))
