"""A probe: how much of the codes a grid tells at once, without any sequence model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from midigroove_core import bounds

if TYPE_CHECKING:
    import torch

Grids = Sequence[NDArray[np.float32]]
Codes = Sequence[NDArray[np.integer]]

_BATCH = 512
"""Frames scored at once."""

_MAX_FRAMES = 50_000


@dataclass(frozen=True)
class ProbeConfig:
    """What a probe is and how it is fitted.

    Attributes:
        steps: batches that it sees.
        batch: frames in each.
        hidden: width of a layer (GELU) between grid and softmax; 0 is a linear probe.
        learning_rate: at first; it falls to 0 along a cosine.

    Raises:
        InputError: a number that is out of its bounds.
    """

    steps: int = 150
    batch: int = 512
    hidden: int = 0
    learning_rate: float = 0.02

    def __post_init__(self) -> None:
        bounds.AT_LEAST_ONE.check("`steps` of the probe", self.steps)
        bounds.AT_LEAST_ONE.check("`batch` of the probe", self.batch)
        bounds.COUNT.check("`hidden` of the probe", self.hidden)
        bounds.LEARNING_RATE.check("`learning_rate` of the probe", self.learning_rate)


@dataclass(frozen=True, eq=False)
class ProbeResult:
    """What a probe reaches on takes that it was not fitted on.

    Attributes:
        nll: [K] nats per code.
        accuracy: [K] share of codes that are its first guess.
    """

    nll: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def fit_probe(
    fit: tuple[Grids, Codes],
    score: tuple[Grids, Codes],
    codebook_sizes: Sequence[int],
    *,
    config: ProbeConfig | None = None,
    seed: int = 0,
) -> ProbeResult:
    """Fits one softmax regression per codebook from a frame's grid row, or what a layer makes of
    it, to its code.

    It starts as the unigram of the codes (zero weights, biases from smoothed counts), so what it
    gains over the unigram is what the grid says. AdamW with a cosine schedule on batches of random
    frames (probes as in Alain and Bengio 2016, https://arxiv.org/abs/1610.01644).

    Args:
        fit: grids [F, T] and codes [K, T] of the takes to fit on.
        score: the same of the takes to score.
        codebook_sizes: V of each codebook.
        config: how it is fitted.
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
    probe = _fit(inputs, targets, counts, config or ProbeConfig(), rng, seed)
    with torch.no_grad():
        return _score(score, mean, scale, probe, rng)


def _fit(
    inputs: torch.Tensor,
    targets: torch.Tensor,
    counts: Sequence[NDArray[np.floating]],
    config: ProbeConfig,
    rng: np.random.Generator,
    seed: int,
) -> _Probe:
    """A probe that has seen so many batches of inputs [N, F] and targets [N, K]."""
    import torch

    probe = _Probe(counts, inputs.shape[1], config.hidden, seed)
    optimizer = torch.optim.AdamW(probe.parameters, lr=config.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    keep = bool(config.hidden)
    for _ in range(config.steps):
        pick = torch.from_numpy(rng.integers(0, len(inputs), config.batch))
        for logits, wanted in zip(probe.logits(inputs[pick]), targets[pick].T, strict=True):
            # Each codebook's part alone, so that the logits of one are there at a time.
            torch.nn.functional.cross_entropy(logits, wanted).backward(retain_graph=keep)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return probe


class _Probe:
    """A softmax regression for each codebook, and one layer before them where there is one."""

    def __init__(
        self, counts: Sequence[NDArray[np.floating]], features: int, hidden: int, seed: int
    ) -> None:
        import torch

        self._enter: list[torch.Tensor] = []
        if hidden:
            draw = torch.Generator().manual_seed(seed)
            weight = torch.randn(features, hidden, generator=draw) / features**0.5
            self._enter = [weight.requires_grad_(), torch.zeros(hidden, requires_grad=True)]
        self._layers = [_Layer(count, hidden or features) for count in counts]
        self.parameters = [*self._enter]
        self.parameters += [p for layer in self._layers for p in (layer.weight, layer.bias)]

    def logits(self, inputs: torch.Tensor) -> Iterator[torch.Tensor]:
        """[N, F] -> K times [N, V], one after the other."""
        import torch

        if self._enter:
            weight, bias = self._enter
            inputs = torch.nn.functional.gelu(inputs @ weight + bias)
        for layer in self._layers:
            yield layer.logits(inputs)


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
    probe: _Probe,
    rng: np.random.Generator,
) -> ProbeResult:
    import torch

    x, y = _frames(takes, rng)
    inputs, targets = torch.from_numpy((x - mean) / scale), torch.from_numpy(y)
    nll = torch.zeros(y.shape[1], dtype=torch.float64)
    right = torch.zeros(y.shape[1], dtype=torch.float64)
    for start in range(0, len(x), _BATCH):
        rows = targets[start : start + _BATCH].T
        parts = probe.logits(inputs[start : start + _BATCH])
        for k, (logits, wanted) in enumerate(zip(parts, rows, strict=True)):
            log_probs = torch.log_softmax(logits.double(), dim=-1)
            nll[k] -= log_probs.gather(-1, wanted[:, None]).sum()
            right[k] += (logits.argmax(-1) == wanted).sum()
    return ProbeResult((nll / len(x)).numpy(), (right / len(x)).numpy())
