"""Training: `train(cache="cache/dac", out="runs/dac")`; torch is imported when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError
from midigroove_core.progress import Progress
from midigroove_core.training.config import TrainConfig, TrainResult, make_config

__all__ = ["TrainConfig", "TrainResult", "train"]


def train(
    config: TrainConfig | None = None,
    progress: Progress | None = None,
    *,
    cache: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> TrainResult:
    """Trains a model on a cache, or goes on with a run: one interrupted, or given a higher limit.

    The folder `out` gets `config.toml`, `metrics.csv`, `loss.png`, `best.safetensors` and
    `last.safetensors` (averaged weights), `state.safetensors` (what resuming needs) and
    `summary.json`. A run killed at any point and started again ends with the same bytes as one
    that was not, on the CPU and with a budget in steps (`summary.json` tells wall-clock time and
    is the exception).

    Args:
        config: all settings at once, instead of those that follow.
        progress: told how far it is.
        cache: folder of the cache.
        out: folder of the run.
        overwrite: throw away the run that is there, rather than go on with it; only once all
            else is known to be right, and only its own files.
        settings: fields of `TrainConfig`, such as `preset="tiny"` or `max_steps=100`.

    Returns:
        How it ended, and where: `.best` is the checkpoint to render and evaluate with.

    Raises:
        InputError: an unknown setting, or a configuration and settings at once.
        MidigrooveError: a wrong setting, an empty split, a cache that cannot be read, an `out`
            that has another run; says what and where.
    """
    from midigroove_core.training.loop import run

    given = {"cache": cache, "out": out}
    settings |= {name: str(place) for name, place in given.items() if place is not None}
    if config is None:
        config = make_config(**settings)
    elif settings:
        raise InputError("train: give a configuration or settings, not both")
    return run(config, progress, overwrite=overwrite)
