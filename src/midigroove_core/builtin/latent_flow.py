"""The model that draws latents: from noise, in a few steps, to what the codec's decoder reads.

    grid, conditions ------------------+--> trunk (sees the whole window) --> guess of the latents
    latents so far, between noise and -+        ^                                        |
    the wanted ones: at time t         +--------+------- a step of the way there --------+

A frame's latents are what its codes add up to (`spec.code_vectors()`), as principal components of
unit variance. On the straight way from noise (t = 0) to them (t = 1) the model guesses where it
ends; following the guesses in `steps` steps draws latents (flow matching, Lipman et al. 2022,
https://arxiv.org/abs/2210.02747; straight ways, Liu et al. 2022, https://arxiv.org/abs/2209.03003).
The trunk is that of `parallel`; its output is scaled so that it has the same to tell at all times
(Karras et al. 2022, https://arxiv.org/abs/2206.00364).

Codes follow from latents as in the codec: the nearest vector, level after level of what is left. So
that guesses fall nearest to the right ones, what the codes cost under the distances is part of the
loss. Components, and this part of the loss, are as in Sec2Drum-DAC (arXiv 2605.13404).

Each frame has its own time. Frames that are known lie at t = 1 from the beginning, before, after or
between the others (diffusion forcing, Chen et al. 2024, https://arxiv.org/abs/2407.01392), and
training has clips in which all is known but a stretch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.grid_trunk import CONDITIONS, GridTrunk
from midigroove_core.builtin.masked import random_stretch
from midigroove_core.errors import InputError
from midigroove_core.interfaces.drawing import frames_at_once, make_generator
from midigroove_core.interfaces.model import (
    GridBatch,
    Loss,
    ModelSpec,
    SamplingConfig,
    SamplingOption,
)

TIME_WAVES = 16
"""Cosines of its time that tell a frame where on the way it is."""

FAINTEST = 1e-5
"""Components below this share of the strongest one's variance are left out: their whitening would
be noise."""


class LatentFlowModel(GridTrunk):
    """Draws codes [B, K, T] for a grid [B, F, T] and conditions, by way of latents.

    Temperature is the variance of the noise that a draw begins with, as it is what tempers a normal
    distribution; top-k and top-p have nothing to say.

    Args:
        spec: what it has to fit; in a new run it has to have code vectors.
        conditions, dim, layers, heads, conv_kernel, dropout, ff_mult: of the trunk, as in
            `parallel`.
        components: principal components P of the latents; where the codec has fewer, the rest
            stay 0.
        code_weight: weight in the loss of what the codes cost.
        stretches: share of training clips in which all is known but a random stretch, as where a
            take goes on, or a bar is drawn anew.

    Raises:
        InputError: arguments that do not fit together, or a codec that does not say what its codes
            stand for.
    """

    model_id: ClassVar[str] = "latent_flow"
    likelihood: ClassVar[Literal["exact", "bound", "none"]] = "none"
    uses_known: ClassVar[bool] = True

    vectors: Tensor
    spread: Tensor

    def __init__(
        self,
        spec: ModelSpec,
        *,
        conditions: Sequence[str] = CONDITIONS,
        dim: int = 264,
        layers: int = 4,
        heads: int = 4,
        conv_kernel: int = 7,
        dropout: float = 0.0,
        components: int = 64,
        code_weight: float = 0.1,
        stretches: float = 0.25,
        ff_mult: int = 4,
    ) -> None:
        super().__init__(
            spec,
            conditions=conditions,
            dim=dim,
            layers=layers,
            heads=heads,
            conv_kernel=conv_kernel,
            dropout=dropout,
            ff_mult=ff_mult,
        )
        _check_flow(components=components, code_weight=code_weight, stretches=stretches)
        self.code_weight, self.stretches = float(code_weight), float(stretches)
        self._sizes = list(spec.codebook_sizes)
        self.enter = nn.Linear(components, dim)
        self.time = nn.Sequential(nn.Linear(TIME_WAVES, dim), nn.GELU(), nn.Linear(dim, dim))
        self.out = nn.Linear(dim, components)
        self.widths = nn.Parameter(torch.zeros(2, len(self._sizes)))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("vectors", torch.zeros(sum(self._sizes), components))
        self.register_buffer("spread", torch.ones(components))
        if spec.code_frequencies is not None:  # a new run, not a checkpoint whose weights follow
            self._place(spec.code_vectors(), spec.code_frequencies)

    @torch.no_grad()
    def _place(self, found: Sequence[Tensor] | None, frequencies: Sequence[Tensor]) -> None:
        """Code vectors [V, D] of each level as their components, and how far these spread.

        What a level leaves over does not depend on what it took, so the covariances of the levels
        add up to that of their sum.
        """
        if found is None:
            raise InputError(
                "model latent_flow draws latents, and this codec does not say which ones its codes "
                "stand for; train parallel, autoregressive or masked on it"
            )
        shares = [share.double()[:, None] for share in frequencies]
        centred = [v.double() - (share * v).sum(0) for v, share in zip(found, shares, strict=True)]
        covariance = sum(v.T @ (share * v) for v, share in zip(centred, shares, strict=True))
        assert isinstance(covariance, Tensor)
        variance, direction = torch.linalg.eigh(covariance)  # ascending
        kept = int((variance > FAINTEST * variance[-1]).sum().clamp(max=len(self.spread)))
        direction, variance = direction.flip(1)[:, :kept], variance.flip(0)[:kept]
        self.vectors[:, :kept] = (torch.cat(centred) @ direction).float()
        self.spread[:kept] = variance.sqrt().float()
        added = [(share * v.square()).sum() for v, share in zip(centred, shares, strict=True)]
        left = torch.stack(added).flip(0).cumsum(0).flip(0)  # of the variance, before each level
        self.widths.copy_(torch.stack([left, left[0].expand_as(left)]).div(kept).log())

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        return PRESETS

    @classmethod
    def sampling_options(cls) -> tuple[SamplingOption, ...]:
        return (
            SamplingOption("steps", 8, "steps from noise to latents", low=1, high=1000),
            SamplingOption(
                "guidance", 1.0, "how much more than told to heed the conditions", low=0, high=20
            ),
        )

    @torch.no_grad()
    def take_over(self, weights: Mapping[str, Tensor], spec: ModelSpec) -> list[str]:
        """As every model; components stay those that the weights were trained on if the codec is
        the same, and else this model's own."""
        weights = dict(weights)
        if not self._same_codec(weights.get("vectors")):
            weights = {k: v for k, v in weights.items() if k not in ("vectors", "spread")}
        return super().take_over(weights, spec)

    def loss(self, batch: GridBatch, step: int) -> Loss:
        """How far the guesses of latents are off, and what codes cost under them."""
        codes = self.codes_of(batch).transpose(1, 2)
        open_ = batch.mask & ~batch.known & random_stretch(batch.mask, self.stretches)
        wanted = self._latents(codes)
        clips = torch.arange(len(codes), device=codes.device)
        chance = torch.rand(1, device=codes.device) + clips / len(codes)  # spread over the batch
        time = torch.where(open_, (chance % 1)[:, None], 1.0)
        x = torch.lerp(torch.randn_like(wanted), wanted, time[..., None])
        found, error = self._guess(batch, x, time, wanted)
        flow = error[open_].square().mean()
        nll = self._code_costs(found[open_], codes[open_], _left_over(time)[1][open_])
        return Loss(flow + self.code_weight * nll, logs={"flow": flow, "code_nll": nll})

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        """Codes [B, K, T]; known frames keep `batch.codes`, and all others heed them."""
        generator = make_generator(sampling, batch.grid.device)
        open_ = batch.mask & ~batch.known
        noise = torch.empty(*open_.shape, len(self.spread), device=batch.grid.device)
        x = sampling.temperature**0.5 * noise.normal_(generator=generator)
        if batch.codes is not None:
            known = batch.codes.transpose(1, 2) * batch.known[..., None]
            x = torch.where(batch.known[..., None], self._latents(known), x)
        moments = torch.linspace(0, 1, int(sampling.extras.get("steps", 8)) + 1).tolist()
        for now, after in pairwise(moments):
            time = torch.where(open_, now, torch.ones_like(x[..., 0]))
            end = self._guided(batch, x, time, float(sampling.extras.get("guidance", 1.0)))
            step = (after - now) / (1 - now)
            x = torch.where(open_[..., None], torch.lerp(x, end, step), x)
        pieces = x.split(frames_at_once(len(x), max(self._sizes)), dim=1)
        codes = torch.cat([self._nearest(piece) for piece in pieces], dim=1).transpose(1, 2)
        codes = codes * batch.mask[:, None]
        if batch.codes is None:
            return codes
        return torch.where(batch.known[:, None], batch.codes, codes)

    def _guided(self, batch: GridBatch, x: Tensor, time: Tensor, guidance: float) -> Tensor:
        """Where the way from x ends [B, T, P], away from where it ends without conditions."""
        end = self._guess(batch, x, time)[0]
        if guidance == 1:
            return end
        unknown = {
            name: torch.full_like(value, 0 if name == "bpm" else -1)
            for name, value in batch.conditions.items()
        }
        without = self._guess(replace(batch, conditions=unknown), x, time)[0]
        return torch.lerp(without, end, guidance)

    def _guess(
        self, batch: GridBatch, x: Tensor, time: Tensor, wanted: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Where the way from x [B, T, P] ends, at times [B, T] in [0, 1]: the same shape; and how
        far what the network says is from what it should say for `wanted`, in its own unit scale:
        it tells what the best linear guess leaves over.
        """
        waves = torch.arange(TIME_WAVES, device=x.device) * math.pi
        clock = self.time(torch.cos(time[..., None] * waves))
        said = self.out(self._trunk(batch, self.enter(x) + clock)).float()
        keep, add = (part[..., None] for part in _left_over(time))
        end = keep * x + add * said
        if wanted is None:
            return end, said
        return end, (wanted - keep * x) / add.clamp(min=1e-3) - said

    def _latents(self, codes: Tensor) -> Tensor:
        """Codes [..., K] to latents [..., P] of unit variance."""
        parts = [v[codes[..., k]] for k, v in enumerate(self._levels())]
        return torch.stack(parts).sum(0) / self.spread

    def _levels(self) -> tuple[Tensor, ...]:
        """Code vectors of each level, K times [V, P]."""
        return self.vectors.split(self._sizes)

    def _distances(self, latents: Tensor, codes: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
        """Level after level: squared distances [N, V] of what is left of latents [N, P] to the
        code vectors, less what is the same for all of them, and the codes [N] that are taken away:
        the nearest ones, or those of `codes` [N, K]."""
        left = (latents * self.spread).float()
        for k, vectors in enumerate(self._levels()):
            distances = vectors.square().sum(1) - 2 * left @ vectors.T
            taken = distances.argmin(-1) if codes is None else codes[..., k]
            yield distances, taken
            left = left - vectors[taken]

    def _code_costs(self, latents: Tensor, codes: Tensor, left: Tensor) -> Tensor:
        """Mean nats of codes [N, K] where nearer to latents [N, P] is likelier, the more so the
        less is left [N] for these to be wrong by."""
        near, far = self.widths.exp().unsqueeze(-1)  # each [K, 1]
        sharpness = 0.5 / (near + far * left.square())  # [K, N]
        with torch.autocast(latents.device.type, enabled=False):
            nll = [
                F.cross_entropy(-sharpness[k][:, None] * distances, taken)
                for k, (distances, taken) in enumerate(self._distances(latents, codes))
            ]
            return torch.stack(nll).mean()

    def _nearest(self, latents: Tensor) -> Tensor:
        """Codes [..., K] of latents [..., P]."""
        with torch.autocast(latents.device.type, enabled=False):
            return torch.stack([taken for _, taken in self._distances(latents, None)], dim=-1)

    def _same_codec(self, vectors: Tensor | None) -> bool:
        """Whether code vectors of another run are as long as this one's: components turn with how
        often codes occur, lengths do not."""
        if vectors is None or vectors.shape != self.vectors.shape:
            return False
        lengths = [
            torch.cat([(v - v.mean(0)).norm(dim=1) for v in one.split(self._sizes)])
            for one in (vectors.to(self.vectors), self.vectors)
        ]
        return bool(torch.corrcoef(torch.stack(lengths))[0, 1] > 0.9)


PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"dim": 152, "layers": 4, "heads": 4},
    "small": {"dim": 264, "layers": 4, "heads": 4},
    "base": {"dim": 432, "layers": 10, "heads": 6, "dropout": 0.1},
}


def _left_over(time: Tensor) -> tuple[Tensor, Tensor]:
    """The best linear guess of latents from x = t * latents + (1 - t) * noise, each of unit
    variance, is x times the first; the second is how far it is off."""
    size = time.square() + (1 - time).square()
    return time / size, (1 - time) * size.rsqrt()


def _check_flow(*, components: int, code_weight: float, stretches: float) -> None:
    def refuse(name: str, value: object, wanted: str) -> None:
        raise InputError(f"model argument {name} = {value!r}: must be {wanted}")

    if type(components) is not int or not 1 <= components <= 2**16:
        refuse("components", components, f"a whole number from 1 to {2**16}")
    for name, value, high in (("code_weight", code_weight, 1e6), ("stretches", stretches, 1)):
        if type(value) not in (int, float) or not 0 <= value <= high:
            refuse(name, value, f"a number from 0 to {high:g}")
