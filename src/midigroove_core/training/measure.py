"""How good a model is on the validation clips, and means of what its loss says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import Loss, Model
from midigroove_core.interfaces.model_checks import check_loss, score_codes


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


@torch.no_grad()
def validate(
    model: Model,
    batches: Iterable[GridBatch],
    *,
    loss: Callable[[GridBatch, int], Loss],
    step: int,
    seed: int,
    device: str,
    autocast: Callable[[], AbstractContextManager[None]],
) -> Validation:
    """Measures a model: by its `score` where it has a likelihood, else by its loss.

    What is drawn at random (a bound, a noise level) is drawn alike in every measurement.
    """
    model.eval()
    nll, frames, means = torch.zeros(len(model.spec.codebooks), dtype=torch.float64), 0, Means()
    for index, batch in enumerate(batches):
        torch.manual_seed((seed * 1_000_003 + index) % 2**63)
        count = int(batch.mask.sum())
        frames += count
        with autocast():
            if model.likelihood == "none":
                found = check_loss(model, loss(batch.to(device), step))
                means.add({"": found.total, **{f"/{k}": v for k, v in found.logs.items()}}, count)
            else:
                scores = score_codes(model, batch.to(device))
                nll += scores.nll.double().sum(dim=(0, 2)).cpu()
    if model.likelihood != "none":
        return Validation((nll / frames).tolist())
    logs = means.take()
    return Validation([], logs.pop(""), {name[1:]: value for name, value in logs.items()})
