"""Loudness after ITU-R BS.1770-5, of audio that comes in blocks and of single clips.

https://www.itu.int/rec/R-REC-BS.1770. The filters' analogue prototypes (a shelf of +4 dB above
1.7 kHz and a high-pass at 38 Hz, which give the standard's coefficients at 48 kHz) serve every
sample rate.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MAX_GAIN_DB = 20.0
"""More would only lift the noise of what plays next to nothing."""

_OFFSET = -0.691
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_STEPS = 4  # gating blocks of 400 ms, one each 100 ms


class LoudnessMeter:
    """Integrated loudness of audio [C, S], block by block; mono and stereo weigh channels alike.

    Args:
        sample_rate: samples per second.
        channels: C.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        self._sections = k_weighting(sample_rate)
        self._state = np.zeros((len(self._sections), channels, 2))
        self._step = max(1, round(0.1 * sample_rate))
        self._powers: list[float] = []
        self._rest = np.zeros(0)
        self._sum, self._count = 0.0, 0

    def add(self, block: NDArray[np.float32]) -> None:
        """The next block [C, n]."""
        from scipy.signal import sosfilt  # takes longer to import than a kit to list

        weighted, self._state = sosfilt(
            self._sections, block.astype(np.float64), axis=-1, zi=self._state
        )
        power = np.square(weighted).sum(axis=0)
        self._sum, self._count = self._sum + float(power.sum()), self._count + len(power)
        power = np.concatenate([self._rest, power])
        whole = len(power) // self._step * self._step
        self._powers += power[:whole].reshape(-1, self._step).mean(axis=1).tolist()
        self._rest = power[whole:]

    @property
    def lufs(self) -> float:
        """Gated loudness; of less than 400 ms without a gate, and -inf for silence."""
        steps = np.array(self._powers)
        if len(steps) < _STEPS:
            return power_lufs(self._sum / self._count if self._count else 0.0)
        blocks = np.convolve(steps, np.full(_STEPS, 1 / _STEPS), "valid")
        loud = blocks[blocks > 10 ** ((_ABSOLUTE_GATE - _OFFSET) / 10)]
        if not len(loud):
            return -math.inf
        gate = 10 ** ((power_lufs(float(loud.mean())) + _RELATIVE_GATE - _OFFSET) / 10)
        return power_lufs(float(loud[loud > gate].mean()))


def clip_lufs(audio: NDArray[np.float32], sample_rate: int) -> float:
    """K-weighted level of a mono clip `[S]` in LUFS; -inf for silence.

    Without the standard's gate, which is meant for programmes and not for clips of seconds.
    """
    from scipy.signal import sosfilt

    weighted = sosfilt(k_weighting(sample_rate), audio.astype(np.float64))
    return power_lufs(float(np.mean(np.square(weighted))) if len(weighted) else 0.0)


def matching_gain(lufs: float, target_lufs: float) -> float:
    """What to multiply audio by to sound as loud as the target; 1 where either is silent."""
    difference = target_lufs - lufs
    if not math.isfinite(difference):
        return 1.0
    return float(10.0 ** (np.clip(difference, -MAX_GAIN_DB, MAX_GAIN_DB) / 20.0))


def power_lufs(power: float) -> float:
    """LUFS of a mean power after K-weighting, summed over channels; -inf for silence."""
    return _OFFSET + 10.0 * math.log10(power) if power > 1e-12 else -math.inf


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Two second-order sections `[2, 6]`, by the bilinear transform of the prototypes."""
    k, q = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10.0 ** (3.999843853973347 / 20.0)
    band = high**0.4996667741545416
    shelf = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    pole = [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]
    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    low_cut = [
        1.0,
        2 * (k * k - 1) / (1 + k / q + k * k),
        (1 - k / q + k * k) / (1 + k / q + k * k),
    ]
    first = np.array([*shelf, *pole]) / pole[0]
    return np.stack([first, np.array([1.0, -2.0, 1.0, *low_cut])])
