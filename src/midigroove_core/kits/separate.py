"""What one struck drum sounds like in a recording where others sound too."""

from __future__ import annotations

import numpy as np
import scipy.signal

from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio

_STFT = 1024
_STEP_SEC = 0.02


def without(heard: Audio, others: Audio) -> Audio:
    """What is left of a recording [S] when others [S] are taken out by their power."""
    if len(heard) < _STFT or not np.any(others):
        return heard
    settings = {"nperseg": _STFT, "noverlap": _STFT * 3 // 4}
    _, _, spectrum = scipy.signal.stft(heard, **settings)
    _, _, unwanted = scipy.signal.stft(others, **settings)
    power, taken = np.abs(spectrum) ** 2, np.abs(unwanted) ** 2
    mask = np.clip(1.0 - taken / np.maximum(power, 1e-12), 0.0, 1.0)
    _, left = scipy.signal.istft(spectrum * mask, **settings)
    return left[: len(heard)].astype(np.float32)


def decaying(shot: Audio) -> Audio:
    """A struck drum only decays: where the level rises again after its peak, others are heard."""
    step = round(_STEP_SEC * SAMPLE_RATE)
    count = -(-len(shot) // step)
    blocks = np.pad(shot, (0, count * step - len(shot))).reshape(count, step)
    level = np.sqrt(np.square(blocks, dtype=np.float64).mean(axis=1)) + 1e-9
    peak = int(level.argmax())
    allowed = level.copy()
    allowed[peak:] = np.minimum.accumulate(level[peak:])
    centres = (np.arange(count) + 0.5) * step
    gain = np.interp(np.arange(len(shot)), centres, allowed / level)
    return (shot * gain).astype(np.float32)


def power(audio: Audio) -> float:
    """Mean square; 0 without samples."""
    return float(np.square(audio, dtype=np.float64).mean()) if len(audio) else 0.0
