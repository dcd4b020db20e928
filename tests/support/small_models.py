"""Small models of other families than the built-in ones: sound, and quick to learn."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core import (
    CodeScores,
    GridBatch,
    Loss,
    Model,
    ModelSpec,
    SamplingConfig,
    SamplingOption,
    costs,
    draw,
    make_generator,
)


class FramesModel(Model):
    """Each frame by itself, each code by itself: the simplest that has a likelihood."""

    model_id = "toy_frames"
    likelihood = "exact"
    conditions = ("kit",)

    def __init__(self, spec: ModelSpec, *, dim: int = 32) -> None:
        super().__init__()
        self.grid = nn.Linear(spec.num_features, dim)
        self.kit = nn.Embedding(len(spec.vocabularies["kit"]) + 1, dim)
        self.out = nn.ModuleList(nn.Linear(dim, size) for size in spec.codebook_sizes)

    def logits(self, batch: GridBatch) -> list[Tensor]:
        self.check_conditions(batch)
        kit = batch.conditions["kit"]
        x = self.grid(batch.grid.transpose(1, 2))
        x = x + self.kit(torch.where(kit < 0, self.kit.num_embeddings - 1, kit))[:, None]
        return [out(F.gelu(x)) for out in self.out]

    def loss(self, batch: GridBatch, step: int) -> Loss:
        codes = self.codes_of(batch)
        return Loss(sum_nll(self.logits(batch), codes, batch.mask).mean())

    def score(self, batch: GridBatch) -> CodeScores:
        codes, asked = self.codes_of(batch), (batch.mask & ~batch.known)[:, None]
        found = [costs(one, codes[:, k]) for k, one in enumerate(self.logits(batch))]
        nll, correct = (torch.stack(parts, dim=1) for parts in zip(*found, strict=True))
        return CodeScores(nll * asked, correct & asked)

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        generator = make_generator(sampling, batch.grid.device)
        codes = torch.stack([draw(one, sampling, generator) for one in self.logits(batch)], dim=1)
        return self.finish(batch, codes)

    def finish(self, batch: GridBatch, codes: Tensor) -> Tensor:
        """Known frames as they are, nothing in padding."""
        if batch.codes is not None:
            codes = torch.where(batch.known[:, None], batch.codes, codes)
        return codes * batch.mask[:, None]


def sum_nll(logits: list[Tensor], codes: Tensor, mask: Tensor) -> Tensor:
    """Mean nats per code of the frames that are real, [K]."""
    each = [F.cross_entropy(one[mask], codes[:, k][mask]) for k, one in enumerate(logits)]
    return torch.stack(each)


class FlowModel(Model):
    """Codes as numbers, reached from noise along straight lines; no likelihood."""

    model_id = "toy_flow"
    likelihood = "none"
    conditions = ("kit",)

    def __init__(self, spec: ModelSpec, *, dim: int = 64) -> None:
        super().__init__()
        rows = len(spec.codebooks)
        self.kit = nn.Embedding(len(spec.vocabularies["kit"]) + 1, dim)
        self.enter = nn.Linear(spec.num_features + rows + 1, dim)
        self.body = nn.Sequential(nn.GELU(), nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, rows))
        sizes = torch.tensor(spec.codebook_sizes)[:, None]
        self.register_buffer("sizes", sizes, persistent=False)

    @classmethod
    def sampling_options(cls) -> tuple[SamplingOption, ...]:
        return (SamplingOption("steps", 8, "Of the way from noise.", low=1, high=64),)

    def speed(self, batch: GridBatch, x: Tensor, time: Tensor) -> Tensor:
        """x [B, K, T] at times [B] -> [B, K, T]."""
        self.check_conditions(batch)
        kit = batch.conditions["kit"]
        places = time[:, None, None].expand(-1, 1, x.shape[2])
        seen = torch.cat([batch.grid, x, places], dim=1).transpose(1, 2)
        told = self.kit(torch.where(kit < 0, self.kit.num_embeddings - 1, kit))[:, None]
        return self.body(self.enter(seen) + told).transpose(1, 2)

    def loss(self, batch: GridBatch, step: int) -> Loss:
        wanted = 4 * self.codes_of(batch) / (self.sizes - 1) - 2
        noise, time = torch.randn_like(wanted), torch.rand(len(wanted), device=wanted.device)
        x = torch.lerp(noise, wanted, time[:, None, None])
        error = (self.speed(batch, x, time) - (wanted - noise)).square()
        mean = (error * batch.mask[:, None]).sum() / batch.mask.sum()
        return Loss(mean, logs={"mse": mean, "time": float(time.mean())})

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        generator = make_generator(sampling, batch.grid.device)
        shape = (len(batch.grid), len(self.sizes), batch.grid.shape[2])
        x = torch.randn(shape, generator=generator, device=batch.grid.device)
        steps: Any = sampling.extras["steps"]
        for step in range(steps):
            time = torch.full((len(x),), step / steps, device=x.device)
            x = x + self.speed(batch, x, time) / steps
        codes = ((x + 2) / 4 * (self.sizes - 1)).round().long().clamp(min=0)
        codes = torch.minimum(codes, self.sizes - 1) * batch.mask[:, None]
        if batch.codes is None:
            return codes
        return torch.where(batch.known[:, None], batch.codes, codes)
