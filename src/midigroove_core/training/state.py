"""All that changes during a run, and its way to disk and back without pickle."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from midigroove_core.checkpoint import load_state, save_state
from midigroove_core.errors import MismatchError
from midigroove_core.interfaces.model import Model
from midigroove_core.training.config import TrainConfig

STATE = "state.safetensors"


@dataclass
class Counters:
    """What a run has done so far.

    Attributes:
        step: steps done.
        elapsed_sec: wall-clock time of earlier sessions; kept only under a time limit, so that
            without one the same run gives the same bytes.
        best_nll, best_step: the best measurement.
        since_best: measurements since then.
        finished: why the run is over, or "".
        rows: the measurements, as in metrics.csv.
    """

    step: int = 0
    elapsed_sec: float = 0.0
    best_nll: float = float("inf")
    best_step: int = 0
    since_best: int = 0
    finished: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)


class TrainState:
    """Model, averaged model, optimizer and counters.

    Args:
        model: the model, on its device.
        config: learning rates and decays.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        self.model = model
        self.averaged = copy.deepcopy(model).eval() if config.ema else model
        self.counters = Counters()
        self._ema = config.ema
        matrices = [p for p in model.parameters() if p.ndim > 1]
        vectors = [p for p in model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            betas=(0.9, config.beta2),
            fused=True,
        )

    @torch.no_grad()
    def average(self) -> None:
        """Moves the averaged weights towards the current ones, faster in the first steps."""
        if not self._ema:
            return
        step = self.counters.step
        decay = min(self._ema, (1 + step) / (10 + step))
        for own, kept in zip(self.model.parameters(), self.averaged.parameters(), strict=True):
            kept.lerp_(own, 1 - decay)
        for buffer, copied in zip(self.model.buffers(), self.averaged.buffers(), strict=True):
            copied.copy_(buffer)

    def save(self, folder: Path, cache_fingerprint: str) -> None:
        """Writes `state.safetensors`, whole or not at all."""
        counters = asdict(self.counters)
        if not self.counters.rows:
            counters["best_nll"] = None
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        if self.averaged is not self.model:
            tensors |= {f"averaged/{k}": v for k, v in self.averaged.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{k}": v for k, v in moments.items()}
        state = {"counters": counters, "cache_fingerprint": cache_fingerprint}
        save_state(folder / STATE, tensors, state)

    def load(self, folder: Path, cache_fingerprint: str) -> None:
        """Goes back to what `save` wrote.

        Raises:
            InputError: no such file, or it is damaged.
            MismatchError: it was written for another cache.
        """
        tensors, state = load_state(folder / STATE)
        if state["cache_fingerprint"] != cache_fingerprint:
            raise MismatchError(
                f"{folder}: this run was trained on another cache (fingerprint "
                f"{state['cache_fingerprint'][:12]}, now {cache_fingerprint[:12]}); give that "
                f"`cache`, choose another `out`, or start anew with `overwrite`"
            )
        counters = state["counters"]
        if counters["best_nll"] is None:
            counters["best_nll"] = float("inf")
        self.counters = Counters(**counters)
        self.model.load_state_dict(_below("model/", tensors))
        if self.averaged is not self.model:
            self.averaged.load_state_dict(_below("averaged/", tensors))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _below("optimizer/", tensors).items():
            index, key = name.split("/")
            moments.setdefault(int(index), {})[key] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
