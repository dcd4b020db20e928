"""Audio that can be scored, or the reason why it cannot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.metrics.features import AudioFeatures

LEAST_SAMPLES = 2048
"""A shorter clip has no spectrum worth comparing."""


def features_of(audio: NDArray[np.float32], sample_rate: int, what: str) -> AudioFeatures:
    """Samples `[S]` as features.

    Raises:
        InputError: too short, or not finite; says which.
    """
    if len(audio) < LEAST_SAMPLES:
        raise InputError(f"{what} too short: {len(audio)} samples of {LEAST_SAMPLES}")
    try:
        return AudioFeatures.from_audio(audio, sample_rate, what)
    except ValueError as error:
        raise InputError(f"{what} not finite: {error}") from error
