"""Audio for tests: the same on every machine, with hits in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from midigroove_core.interfaces.codec import Codec

if TYPE_CHECKING:
    import torch


def drum_like(codec: Codec, num_samples: int, *, batch: int = 1, seed: int = 0) -> torch.Tensor:
    """Decaying bursts of noise and tone, eight a second, peak below 1.

    Returns:
        [B, C, S] float32 at the codec's sample rate; rows of the batch differ.
    """
    import torch

    rng = np.random.default_rng(seed)
    rate = codec.clock.sample_rate
    audio = np.zeros((batch, codec.channels, num_samples))
    for row in audio:
        for start in range(0, num_samples, rate // 8):
            seconds = np.arange(min(num_samples - start, rate // 4)) / rate
            tone = np.sin(2 * np.pi * rng.uniform(60, 400) * seconds)
            burst = tone + rng.uniform(-1, 1, (codec.channels, len(seconds)))
            row[:, start : start + len(seconds)] += (
                rng.uniform(0.05, 0.3) * burst * np.exp(-seconds * rng.uniform(10, 60))
            )
    return torch.from_numpy(audio.astype(np.float32))
