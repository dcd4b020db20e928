"""Training: `train(TrainConfig(cache=..., out=...))`; torch is imported when it starts."""

from __future__ import annotations

from midigroove_core.progress import Progress
from midigroove_core.training.config import TrainConfig, TrainResult

__all__ = ["TrainConfig", "TrainResult", "train"]


def train(config: TrainConfig, progress: Progress | None = None) -> TrainResult:
    """Trains a model on a cache, or goes on with a run that was interrupted.

    The folder `config.out` gets `config.toml`, `metrics.csv`, `loss.png`, `best.safetensors` and
    `last.safetensors` (averaged weights), `state.safetensors` (what resuming needs) and
    `summary.json`. A run killed at any point and started again ends with the same bytes as one
    that was not, on the CPU and with a budget in steps (`summary.json` tells wall-clock time and
    is the exception).

    Args:
        config: what to do.
        progress: told how far it is.

    Raises:
        MidigrooveError: a wrong setting, an empty split, a cache that cannot be read, an `out`
            that has another run; says what and where.
    """
    from midigroove_core.training.loop import run

    return run(config, progress)
