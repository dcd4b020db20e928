"""Resampling where a codec is, for machines whose cores cannot feed their GPUs.

torchaudio's windowed sinc with a Kaiser window and a wide filter: from 44.1 kHz, aliases lie at
-105 dB and below, where soxr has -136 dB; at 0.475 of the lower rate it is at -7 dB, soxr at -3.
On a CPU it takes 1.5 to 3.5 times as long as soxr.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample, resampled_length
from midigroove_core.torchaudio_lazy import torchaudio

if TYPE_CHECKING:
    import torch

_FILTER: dict[str, Any] = {
    "lowpass_filter_width": 64,
    "rolloff": 0.9475937167399596,
    "resampling_method": "sinc_interp_kaiser",
    "beta": 14.769656459379492,
}
"""What resampy calls its best Kaiser filter."""

_MOST_PHASES = 1000
"""Of a filter, which holds the square of them: 32000/44101 would need gigabytes."""


def device_resampler() -> str:
    """What resamples on a device, with its version, for the header of a cache.

    Raises:
        MidigrooveError: no torchaudio that can be imported.
    """
    torchaudio()
    return f"torchaudio {version('torchaudio')}, kaiser {_FILTER['lowpass_filter_width']}"


def resample_on(
    device: torch.device, audio: NDArray[np.float32], from_rate: int, to_rate: int
) -> NDArray[np.float32]:
    """Resamples along the last axis on a device, all channels at once; no delay.

    Rates with next to no common divisor go through soxr instead, which depends on the rates alone.

    Args:
        device: where to.
        audio: [C, S].
        from_rate: its sample rate.
        to_rate: the rate wanted.

    Returns:
        audio: [C, resampled_length(S, from_rate, to_rate)].
    """
    import torch

    if max(from_rate, to_rate) // math.gcd(from_rate, to_rate) > _MOST_PHASES:
        return resample(audio, from_rate, to_rate)
    if from_rate == to_rate:
        return audio
    with torch.inference_mode():
        moved = torch.from_numpy(audio).to(device)
        found: NDArray[np.float32] = _transform(from_rate, to_rate, device)(moved).cpu().numpy()
    return found[:, : resampled_length(audio.shape[-1], from_rate, to_rate)]


@lru_cache(maxsize=4)
def _transform(from_rate: int, to_rate: int, device: torch.device) -> Any:
    module = torchaudio().transforms
    return module.Resample(from_rate, to_rate, **_FILTER).to(device)
