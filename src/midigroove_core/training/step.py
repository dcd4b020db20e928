"""One step of the optimizer: the losses of a batch's parts, and one sum of their gradients."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from midigroove_core.errors import PluginError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import Loss, Model
from midigroove_core.interfaces.model_checks import check_loss
from midigroove_core.training.batches import Part
from midigroove_core.training.config import TrainConfig
from midigroove_core.training.distributed import Cut, Ranks
from midigroove_core.training.state import TrainState

_PART_APART = 2**40
"""Between the seeds of a step's parts: more than there are seeds of steps."""


class Stepper:
    """Takes steps.

    Args:
        config: of the run.
        state: what a step changes.
        device: of the model.
        ranks: the processes that share each step.
        cut: which parts of a batch are this process's.

    Attributes:
        steps: taken here.
        skips: how many of the last ones, in a row, were left out, as not finite.
        seconds: that they took.
    """

    def __init__(
        self, config: TrainConfig, state: TrainState, device: str, ranks: Ranks, cut: Cut
    ) -> None:
        self.config, self.state, self.device = config, state, device
        self.steps, self.skips, self.seconds = 0, 0, 0.0
        self._ranks, self._cut = ranks, cut
        loss = state.model.loss
        compiled = torch.compile(loss, dynamic=True) if config.compile else loss
        self._loss = ranks.wrap(_LossOf(state.model, compiled))

    def step(self, parts: Iterable[Part], rate: float) -> torch.Tensor:
        """One step; what the losses say is added to the means of the state.

        Args:
            parts: this process's parts of the batch.
            rate: learning rate.

        Returns:
            the sum of the losses of this process's parts, to see whether it is finite.
        """
        state, optimizer = self.state, self.state.optimizer
        began = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses = []
        for number, part in zip(self._cut.mine, parts, strict=True):
            last = number == self._cut.mine[-1]
            with nullcontext() if last else self._ranks.keeping(self._loss):
                losses.append((self._backward(number, part), part.share))
        loss = torch.stack([found.total.detach() for found, _ in losses]).sum()
        skipping = self.config.nonfinite == "skip"
        norm = torch.zeros(())
        if self.config.clip_norm or skipping:
            largest = self.config.clip_norm or math.inf
            norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), largest)
        if skipping and self._ranks.any(not bool(torch.isfinite(loss + norm))):
            self.skips += 1
            state.counters.skipped += 1
        else:
            self.skips = 0
            optimizer.step()
            for found, share in losses:
                state.means.add({"": found.total, **found.logs}, share)
        optimizer.zero_grad(set_to_none=True)
        state.counters.step += 1
        if not self.skips:
            state.average()
        self.seconds += time.perf_counter() - began
        self.steps += 1
        return loss

    def _backward(self, number: int, part: Part) -> Loss:
        """Adds the gradients of one part."""
        step = self.state.counters.step
        # The seed of dropout depends on step and part alone: a resumed run draws the same.
        seed = self.config.seed * 1_000_003 + step + number * _PART_APART
        torch.manual_seed(seed % 2**63)
        with self.autocast():
            loss: Loss = self._loss(part.batch.to(self.device), step)
        if not loss.total.requires_grad:
            raise PluginError(
                f"model {self.config.model}: loss: total does not depend on its weights"
            )
        # Processes end with the mean of their gradients, where a sum is wanted.
        (loss.total * (part.share * self._ranks.world)).backward()
        return loss

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """The precision of the run."""
        gpu = self.device.startswith("cuda")
        able = gpu and torch.cuda.is_bf16_supported()
        wanted = {"bfloat16": True, "float32": False, "auto": able}[self.config.precision]
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=wanted):
            yield


class _LossOf(nn.Module):
    """A model's loss as a module: what is wrapped for several processes has a `forward`."""

    def __init__(self, model: Model, loss: Callable[[GridBatch, int], Loss]) -> None:
        super().__init__()
        self.model, self._loss = model, loss

    def forward(self, batch: GridBatch, step: int) -> Loss:
        found = check_loss(self.model, self._loss(batch, step))
        # Logs are looked at, not trained on.
        logs = {n: v.detach() if isinstance(v, torch.Tensor) else v for n, v in found.logs.items()}
        return Loss(found.total, logs)
