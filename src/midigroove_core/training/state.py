"""All that changes during a run, and its way to disk and back without pickle."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from midigroove_core.checkpoint import STATE_KEY, load_state, save_state
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.interfaces.model import Model
from midigroove_core.structured import Count, convert_as
from midigroove_core.training.config import TrainConfig
from midigroove_core.training.distributed import Ranks
from midigroove_core.training.measure import Means, Sums
from midigroove_core.training.record import COLUMNS, STATE


@dataclass
class Counters:
    """What a run has done so far.

    Attributes:
        step: steps done.
        elapsed_sec: wall-clock time of earlier sessions; kept only under a time limit, so that
            without one the same run gives the same bytes.
        best_value, best_step: the best measurement, by `Validation.value`; None before the first.
        since_best: measurements since then.
        skipped: steps that were left out since their loss or gradients were not finite.
        finished: why the run is over, or "".
        rows: the measurements, as in metrics.csv.
    """

    step: Count = 0
    elapsed_sec: float = 0.0
    best_value: float | None = None
    best_step: Count = 0
    since_best: Count = 0
    skipped: Count = 0
    finished: Literal["", "steps", "time", "patience"] = ""
    rows: list[dict[str, int | float | None]] = field(default_factory=list)


@dataclass
class _Saved:
    """The JSON in a state's file."""

    counters: Counters
    cache_fingerprint: str
    means: Sums


class TrainState:
    """Model, averaged model, optimizer and counters.

    Args:
        model: the model, on its device.
        config: learning rates and decays.

    Attributes:
        means: what the losses said since the last measurement.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        self.model = model
        self.averaged = copy.deepcopy(model).eval() if config.ema else model
        self.counters, self.means = Counters(), Means()
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
        # All at once: one after the other they keep a GPU waiting longer than a step takes.
        kept = [p.data for p in self.averaged.parameters()]
        torch._foreach_lerp_(kept, [p.data for p in self.model.parameters()], 1 - decay)
        for buffer, copied in zip(self.model.buffers(), self.averaged.buffers(), strict=True):
            copied.copy_(buffer)

    def save(self, folder: Path, cache_fingerprint: str) -> None:
        """Writes `state.safetensors`, whole or not at all."""
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        if self.averaged is not self.model:
            tensors |= {f"averaged/{k}": v for k, v in self.averaged.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{k}": v for k, v in moments.items()}
        saved = _Saved(self.counters, cache_fingerprint, self.means.so_far())
        save_state(folder / STATE, tensors, asdict(saved))

    def load(self, folder: Path, cache_fingerprint: str, ranks: Ranks) -> bool:
        """Goes back to what `save` wrote, if it did; the first process reads it for all.

        Raises:
            InputError: the file is damaged.
            MismatchError: it was written for another cache.
        """
        there = ranks.first and (folder / STATE).exists()
        shared = ranks.share(*(load_state(folder / STATE) if there else (None, None)))
        if shared is None:
            return False
        tensors, found = shared
        saved = convert_as(found, _Saved, f"{folder / STATE}: {STATE_KEY}")
        if saved.cache_fingerprint != cache_fingerprint:
            raise MismatchError(
                f"{folder}: this run was trained on another cache (fingerprint "
                f"{saved.cache_fingerprint[:12]}, now {cache_fingerprint[:12]}); give that "
                f"`cache`, choose another `out`, or start anew with `overwrite`"
            )
        self._check(folder / STATE, saved.counters, tensors)
        self.counters = saved.counters
        self.means.begin_with([saved.means] if ranks.first else [])
        self.model.load_state_dict(_below("model/", tensors))
        if self.averaged is not self.model:
            self.averaged.load_state_dict(_below("averaged/", tensors))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _below("optimizer/", tensors).items():
            index, key = name.split("/")
            moments.setdefault(int(index), {})[key] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        return True

    def _check(self, path: Path, counters: Counters, tensors: Mapping[str, Tensor]) -> None:
        """Raises InputError unless the tensors are those of this model, and all of them."""
        wanted = {f"model/{name}": value.shape for name, value in self.model.state_dict().items()}
        if self.averaged is not self.model:
            own = self.averaged.state_dict()
            wanted |= {f"averaged/{name}": value.shape for name, value in own.items()}
        if counters.step:
            parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
            for index, parameter in enumerate(parameters):
                moments = {
                    f"optimizer/{index}/step": torch.Size(),
                    f"optimizer/{index}/exp_avg": parameter.shape,
                    f"optimizer/{index}/exp_avg_sq": parameter.shape,
                }
                if moments.keys() & tensors.keys():  # else no loss has depended on it yet
                    wanted |= moments
        for name in sorted({*wanted, *tensors}):
            here = tensors.get(name)
            if name not in wanted or here is None or here.shape != wanted[name]:
                raise InputError(f"{path}: tensor {name!r} is not what this run has; {_ANEW}")
            if here.is_floating_point() and not bool(torch.isfinite(here).all()):
                raise InputError(f"{path}: tensor {name!r} is not finite; {_ANEW}")
        if not counters.rows or any(not row.keys() >= set(COLUMNS) for row in counters.rows):
            raise InputError(f"{path}: has no measurements, or torn ones; {_ANEW}")
        if counters.best_step not in [row.get("step") for row in counters.rows]:
            raise InputError(f"{path}: has no measurement of its best step; {_ANEW}")


_ANEW = "copy it again, or start anew with `overwrite`"


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
