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


_ENDED = {
    "steps": "raise max_steps to go on",
    "time": "raise max_minutes to go on",
    "patience": "its patience ended it",
}


def outlook(config: TrainConfig, step: int, finished: str, share: float, raised: str) -> str:
    """How a saved run goes on, in words.

    Args:
        config: its settings, as they are now.
        step: how many it has done.
        finished: by what it is over, or "".
        share: how much of it is over, in [0, 1].
        raised: which limits are higher than before, in words; then the learning rate has changed.
    """
    if finished:
        return f"is finished at step {step}; {_ENDED[finished]}"
    if not raised:
        return f"goes on at step {step}"
    now, end = learning_rate(config, share), learning_rate(config, 1.0)
    return (
        f"goes on at step {step}, {raised}; the learning rate is now that of a run so long, "
        f"{now:.2g}, and {end:.2g} at the end"
    )
