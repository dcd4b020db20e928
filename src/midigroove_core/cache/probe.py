"""A linear probe: how much of the codes a grid tells at once, without any sequence model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Grids = Sequence[NDArray[np.float32]]
Codes = Sequence[NDArray[np.integer]]

_STEPS = 150
_BATCH = 512
_MAX_FRAMES = 50_000


@dataclass(frozen=True, eq=False)
class ProbeResult:
    """What a probe reaches on takes that it was not fitted on.

    Attributes:
        nll: [K] nats per code.
        accuracy: [K] share of codes that are its first guess.
    """

    nll: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def linear_probe(
    fit: tuple[Grids, Codes],
    score: tuple[Grids, Codes],
    codebook_sizes: Sequence[int],
    *,
    seed: int = 0,
) -> ProbeResult:
    """Fits one softmax regression per codebook from a frame's grid row to its code.

    It starts as the unigram of the codes (zero weights, biases from smoothed counts), so what it
    gains over the unigram is what the grid says. Adam with a cosine schedule, `_STEPS` batches of
    random frames (probes as in Alain and Bengio 2016, https://arxiv.org/abs/1610.01644).

    Args:
        fit: grids [F, T] and codes [K, T] of the takes to fit on.
        score: the same of the takes to score.
        codebook_sizes: V of each codebook.
        seed: of the choice of frames.
    """
    import torch

    rng = np.random.default_rng(seed)
    x, y = _frames(fit, rng)
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-3)
    inputs = torch.from_numpy((x - mean) / scale)
    targets = torch.from_numpy(y)
    counts = [
        np.bincount(row, minlength=size) + 0.1
        for row, size in zip(y.T, codebook_sizes, strict=True)
    ]
    layers = [_Layer(count, inputs.shape[1]) for count in counts]
    parameters = [value for layer in layers for value in (layer.weight, layer.bias)]
    optimizer = torch.optim.AdamW(parameters, lr=0.02, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        pick = torch.from_numpy(rng.integers(0, len(x), _BATCH))
        for layer, wanted in zip(layers, targets[pick].T, strict=True):
            torch.nn.functional.cross_entropy(layer.logits(inputs[pick]), wanted).backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    with torch.no_grad():
        return _score(score, mean, scale, layers, rng)


class _Layer:
    """The softmax regression of one codebook, as the unigram of its counts `[V]` at first."""

    def __init__(self, counts: NDArray[np.floating], num_features: int) -> None:
        import torch

        bias = np.log(counts / counts.sum()).astype(np.float32)
        self.bias = torch.from_numpy(bias).requires_grad_()
        self.weight = torch.zeros(num_features, len(counts), requires_grad=True)

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """[N, F] -> [N, V]."""
        return inputs @ self.weight + self.bias


def _frames(
    takes: tuple[Grids, Codes], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Frames of all takes as rows, at most `_MAX_FRAMES` of them drawn at random."""
    x = np.concatenate([grid.T for grid in takes[0]])
    y = np.concatenate([codes.T for codes in takes[1]]).astype(np.int64)
    if len(x) > _MAX_FRAMES:
        pick = np.sort(rng.choice(len(x), _MAX_FRAMES, replace=False))
        x, y = x[pick], y[pick]
    return x, y


def _score(
    takes: tuple[Grids, Codes],
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    layers: Sequence[_Layer],
    rng: np.random.Generator,
) -> ProbeResult:
    import torch

    x, y = _frames(takes, rng)
    inputs, targets = torch.from_numpy((x - mean) / scale), torch.from_numpy(y)
    nll = torch.zeros(y.shape[1], dtype=torch.float64)
    right = torch.zeros(y.shape[1], dtype=torch.float64)
    for start in range(0, len(x), _BATCH):
        rows = targets[start : start + _BATCH].T
        for k, (layer, wanted) in enumerate(zip(layers, rows, strict=True)):
            logits = layer.logits(inputs[start : start + _BATCH])
            log_probs = torch.log_softmax(logits.double(), dim=-1)
            nll[k] -= log_probs.gather(-1, wanted[:, None]).sum()
            right[k] += (logits.argmax(-1) == wanted).sum()
    return ProbeResult((nll / len(x)).numpy(), (right / len(x)).numpy())
