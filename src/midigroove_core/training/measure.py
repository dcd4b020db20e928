"""How good a model is on the validation clips, and means of what its loss says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import Model
from midigroove_core.interfaces.model_checks import check_loss, score_codes
from midigroove_core.training.distributed import Ranks

_ALONE = Ranks()


@dataclass(frozen=True)
class Validation:
    """One measurement.

    Attributes:
        per_codebook: [K] nats per code, every frame counting once; empty without a likelihood.
        loss: mean of the model's own loss; None where there is a likelihood.
        logs: means of what the loss says besides, where that was asked.
    """

    per_codebook: list[float]
    loss: float | None = None
    logs: dict[str, float] = field(default_factory=dict)

    @property
    def nll(self) -> float | None:
        """Mean nats per code."""
        return sum(self.per_codebook) / len(self.per_codebook) if self.per_codebook else None

    @property
    def value(self) -> float:
        """What the best checkpoint has the lowest of."""
        found = self.loss if self.nll is None else self.nll
        assert found is not None
        return found


Sums = dict[str, tuple[float, float]]


class Means:
    """Means of scalars by name, each over the times it was there; nothing waits for a GPU."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._weights: dict[str, float] = {}

    def add(self, values: Mapping[str, Tensor | float], weight: float = 1.0) -> None:
        """One more of each."""
        for name, value in values.items():
            one = value.detach().reshape(()) if isinstance(value, Tensor) else value
            self._sums[name] = self._sums.get(name, 0.0) + weight * one
            self._weights[name] = self._weights.get(name, 0.0) + weight

    def take(self) -> dict[str, float]:
        """The means so far, sorted by name; then it begins anew."""
        found = {n: float(self._sums[n]) / self._weights[n] for n in sorted(self._sums)}
        self._sums, self._weights = {}, {}
        return found

    def so_far(self) -> Sums:
        """Sum and weight of each, by name: what `take` would divide."""
        return {name: (float(self._sums[name]), self._weights[name]) for name in self._sums}

    def begin_with(self, several: Iterable[Sums]) -> None:
        """Begins anew, with what others have added up so far."""
        self._sums, self._weights = {}, {}
        for sums in several:
            for name, (total, weight) in sums.items():
                self._sums[name] = self._sums.get(name, 0.0) + total
                self._weights[name] = self._weights.get(name, 0.0) + weight


@torch.no_grad()
def validate(
    model: Model,
    batches: Iterable[tuple[int, GridBatch]],
    *,
    step: int,
    seed: int,
    device: str,
    autocast: Callable[[], AbstractContextManager[None]],
    ranks: Ranks = _ALONE,
) -> Validation:
    """Measures a model: by its `score` where it has a likelihood, else by its loss.

    What is drawn at random (a bound, a noise level) is drawn alike in every measurement.

    Args:
        model: what is measured; the same in all processes.
        batches: numbered; processes take theirs, and the result is the same to the bit for all.
        step: steps of training so far.
        seed: of draws.
        device: of the model.
        autocast: sets the precision.
        ranks: the processes that measure together.
    """
    model.eval()
    mine: list[tuple[int, int, list[float], dict[str, float]]] = []
    for index, batch in batches:
        torch.manual_seed((seed * 1_000_003 + index) % 2**63)
        nll, logs = torch.zeros(0), {}
        with autocast():
            if model.likelihood == "none":
                found = check_loss(model, model.loss(batch.to(device), step))
                logs = {
                    "": float(found.total),
                    **{f"/{k}": float(v) for k, v in found.logs.items()},
                }
            else:
                nll = score_codes(model, batch.to(device)).nll.double().sum(dim=(0, 2)).cpu()
        mine.append((index, int(batch.mask.sum()), nll.tolist(), logs))
    every = sorted((one for several in ranks.gather(mine) for one in several), key=lambda b: b[0])
    frames = sum(count for _, count, _, _ in every)
    if model.likelihood != "none":
        sums = [sum(values) for values in zip(*(nll for _, _, nll, _ in every), strict=True)]
        return Validation([value / frames for value in sums])
    means = Means()
    for _, count, _, values in every:
        means.add(values, count)
    said = means.take()
    return Validation([], said.pop(""), {name[1:]: value for name, value in said.items()})
