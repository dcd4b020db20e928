"""How far a run is, and the learning rate there."""

from __future__ import annotations

import math

from midigroove_core.training.config import TrainConfig


def done_share(config: TrainConfig, step: int, elapsed_sec: float) -> float:
    """Share of the run that is over after `step` steps: the nearer of the two limits."""
    share = step / config.max_steps
    if config.max_minutes:
        share = max(share, elapsed_sec / (60 * config.max_minutes))
    return min(share, 1.0)


def learning_rate(config: TrainConfig, share: float) -> float:
    """Learning rate when `share` in [0, 1] of the run is over: a linear rise, then a cosine."""
    if share < config.warmup:
        return config.learning_rate * share / config.warmup
    if config.schedule == "constant":
        return config.learning_rate
    rest = (share - config.warmup) / max(1.0 - config.warmup, 1e-9)
    fall = 0.5 * (1.0 + math.cos(math.pi * min(rest, 1.0)))
    return config.learning_rate * (config.final_rate + (1.0 - config.final_rate) * fall)
