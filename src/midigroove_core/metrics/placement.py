"""Where in its MIDI does a recording begin? For a recording that is a part of a longer performance.

The spectral flux of the audio is correlated with the train of note-ons at every lag, and each lag
is judged against how busy the performance is there, or the densest bar would win. The winner is
moved to the median of the onsets heard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import match_onsets
from midigroove_core.metrics.onset_detection import merge_onsets, spectral_flux

CLOSE_SEC = 0.02
"""Hits and onsets that belong together lie this close once the offset is taken off."""

_NEAR_SEC = 0.1
_MATCH_SEC = 0.05
_PULSE = 5
_LEAST_BUSY = 0.3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """A recording inside its performance.

    Attributes:
        offset_sec: the performance's time at which the recording begins; negative when the
            recording begins before the performance.
        match: F1 at 20 ms (`CLOSE_SEC`) between the hits of that stretch and the onsets heard.
        next_best: correlation of the best other place, relative to this one's; near 1 means that
            the performance repeats and the place is a guess.
    """

    offset_sec: float
    match: float
    next_best: float


def place(
    onset_sec: Floats, velocity: NDArray[np.int64], audio: NDArray[np.float32], sample_rate: int
) -> Placement:
    """Finds the stretch of a performance that a recording holds.

    Args:
        onset_sec: [N] note-ons, ascending, N >= 1.
        velocity: [N] 1..127.
        audio: [S] mono.
        sample_rate: of the audio.

    Raises:
        ValueError: no onsets, or audio that is empty or not finite.
    """
    if len(onset_sec) == 0:
        raise ValueError("a performance without hits has no place for a recording")
    features = AudioFeatures.from_audio(audio, sample_rate)
    flux, hop_sec = spectral_flux(features.magnitudes, sample_rate)
    scores = _scores(flux - flux.mean(), onset_sec, velocity, hop_sec)
    lags_sec = (np.arange(len(scores)) - (len(flux) - 1)) * hop_sec
    best = int(scores.argmax())
    far = np.abs(lags_sec - lags_sec[best]) > _NEAR_SEC
    next_best = float(scores[far].max(initial=0.0) / max(scores[best], 1e-12))
    offset_sec, match = _refined(
        float(lags_sec[best]), onset_sec, features.onsets_sec, len(audio) / sample_rate
    )
    return Placement(offset_sec, match, next_best)


def _scores(
    flux: NDArray[np.float32], onset_sec: Floats, velocity: NDArray[np.int64], hop_sec: float
) -> Floats:
    """Normalised correlation at every lag [frames of the train + frames of the flux - 1]."""
    train = np.zeros(int(onset_sec[-1] / hop_sec) + len(flux) + _PULSE)
    np.add.at(train, np.rint(onset_sec / hop_sec).astype(np.int64), velocity / 127.0)
    train = scipy.signal.convolve(train, np.hanning(_PULSE), mode="same")
    scores = scipy.signal.correlate(train, flux, mode="full", method="fft")
    power = scipy.signal.fftconvolve(train**2, np.ones(len(flux)))[: len(scores)]
    busy = np.sqrt(np.maximum(power, 0.0))
    return np.asarray(scores / np.maximum(busy, max(_LEAST_BUSY * busy.max(), 1e-12)))


def _refined(
    offset_sec: float, onset_sec: Floats, heard_sec: Floats, length_sec: float
) -> tuple[float, float]:
    """The offset by the median of matched onsets, and their F1."""
    inside = (onset_sec >= offset_sec) & (onset_sec < offset_sec + length_sec)
    played = merge_onsets(onset_sec[inside] - offset_sec)
    pairs = match_onsets(played, heard_sec, _MATCH_SEC)
    if len(pairs) == 0:
        return offset_sec, 0.0
    late = float(np.median(heard_sec[pairs[:, 1]] - played[pairs[:, 0]]))
    close = match_onsets(played + late, heard_sec, CLOSE_SEC)
    return offset_sec - late, 2 * len(close) / (len(played) + len(heard_sec))
