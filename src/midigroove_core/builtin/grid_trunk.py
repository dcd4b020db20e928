"""What the built-in models share: from a grid and conditions to one vector per frame.

An encoder-only Transformer (pre-LN; rotary positions, Su et al. 2021,
https://arxiv.org/abs/2104.09864) reads the grid, so every frame sees the whole window.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.errors import InputError
from midigroove_core.interfaces.model import GridBatch, Model, ModelSpec

CONDITIONS = ("kit", "drummer", "style", "bpm")
"""What models take unless told otherwise."""

_TAKEN = (*CONDITIONS, "beat_type")


class GridTrunk(Model):
    """A model that begins with a Transformer over the grid; what it makes of that is its own.

    Args:
        spec: what it has to fit; index -1 of a condition means unknown and has an embedding of its
            own.
        conditions: which of `kit`, `drummer`, `style`, `bpm`, `beat_type` the model takes.
        dim: width D of the trunk; a multiple of 2 * heads.
        layers: Transformer blocks.
        heads: attention heads.
        conv_kernel: frames seen by the depthwise convolution in front of the trunk (odd); 0: none.
        dropout: dropout on attention and feed-forward outputs in training.
        norm: "pre" (layer norm before each part) or "post" (after, as the baseline).
        ff_mult: width of the feed-forward parts, in dims.

    Raises:
        InputError: arguments that do not fit together; names the argument.
    """

    stem: nn.Conv1d | None
    tempo: nn.Linear | None

    def __init__(
        self,
        spec: ModelSpec,
        *,
        conditions: Sequence[str],
        dim: int,
        layers: int,
        heads: int,
        conv_kernel: int,
        dropout: float,
        norm: str = "pre",
        ff_mult: int = 4,
    ) -> None:
        super().__init__()
        _check(dim=dim, layers=layers, heads=heads, conv_kernel=conv_kernel, norm=norm,
               ff_mult=ff_mult,
               conditions=conditions, spec=spec)  # fmt: skip
        self._conditions = tuple(conditions)
        self.input = nn.Linear(spec.num_features, dim)
        self.stem = (
            nn.Conv1d(dim, dim, conv_kernel, padding="same", groups=dim) if conv_kernel else None
        )
        self._names = {n: tuple(spec.vocabularies[n]) for n in conditions if n != "bpm"}
        self._unknown = {name: len(names) for name, names in self._names.items()}
        self.embeddings = nn.ModuleDict(
            {name: nn.Embedding(size + 1, dim) for name, size in self._unknown.items()}
        )
        self.tempo = nn.Linear(2, dim) if "bpm" in conditions else None
        self._rotary_dim = dim // heads
        blocks = [Block(dim, heads, dropout, norm, ff_mult) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim) if norm == "pre" else nn.Identity()
        self.apply(_initialise)
        for block in blocks:  # keeps the sum of all residual branches at unit scale (GPT-2)
            for last in (block.attention_out, block.mlp_out):
                nn.init.normal_(last.weight, std=0.02 / math.sqrt(2 * layers))

    @property
    def conditions(self) -> tuple[str, ...]:
        return self._conditions

    @torch.no_grad()
    def take_over(self, weights: Mapping[str, Tensor], spec: ModelSpec) -> list[str]:
        """As every model; names of kits, drummers and styles that the other one knew keep their
        embeddings, wherever they stand, and the others begin as the unknown one."""
        weights, new = dict(weights), []
        for condition, embedding in self.embeddings.items():
            key, before = (
                f"embeddings.{condition}.weight",
                list(spec.vocabularies.get(condition, ())),
            )
            given = weights.get(key)
            assert isinstance(embedding, nn.Embedding)
            if given is None or given.shape != (len(before) + 1, embedding.embedding_dim):
                continue
            place = {name: index for index, name in enumerate(before)}
            names = self._names[condition]
            weights[key] = given[[*(place.get(name, -1) for name in names), -1]]
            new += [f"{condition} {name}" for name in names if name not in place]
        return new + super().take_over(weights, spec)

    def _trunk(self, batch: GridBatch, entering: Tensor | float = 0.0) -> Tensor:
        """Grid, conditions and what else enters [B, T, D] to one vector per frame: [B, T, D]."""
        self.check_conditions(batch)
        hidden = self._grid(batch) + entering
        for name, embedding in self.embeddings.items():
            index = batch.conditions[name]
            index = torch.where(index < 0, self._unknown[name], index)
            hidden = hidden + embedding(index)[:, None]
        if self.tempo is not None:
            hidden = hidden + self.tempo(_tempo_features(batch.conditions["bpm"]))[:, None]
        if self.stem is not None:
            quiet = hidden * batch.mask[..., None]  # padding must not leak into real frames
            hidden = hidden + self.stem(quiet.transpose(1, 2)).transpose(1, 2)
        attend = batch.mask[:, None, None, :]
        rotation = rotary_angles(hidden.shape[1], self._rotary_dim, hidden.device)
        for block in self.blocks:
            hidden = block(hidden, attend, rotation)
        return self.norm(hidden)

    def _grid(self, batch: GridBatch) -> Tensor:
        """The grid alone, as it enters: [B, T, D]."""
        return self.input(batch.grid.transpose(1, 2))


class Block(nn.Module):
    """Self-attention and a feed-forward part, each with a residual: [B, T, D] -> [B, T, D]."""

    def __init__(self, dim: int, heads: int, dropout: float, norm: str, ff_mult: int = 4) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, dim // heads
        self.dropout, self.pre = dropout, norm == "pre"
        self.attention_norm = nn.LayerNorm(dim)
        self.attention_in = nn.Linear(dim, 3 * dim)
        self.attention_out = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp_in = nn.Linear(dim, ff_mult * dim)
        self.mlp_out = nn.Linear(ff_mult * dim, dim)

    def forward(self, x: Tensor, attend: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        if self.pre:
            x = x + self._drop(self._attention(self.attention_norm(x), attend, rotation))
            return x + self._drop(self._mlp(self.mlp_norm(x)))
        x = self.attention_norm(x + self._drop(self._attention(x, attend, rotation)))
        return self.mlp_norm(x + self._drop(self._mlp(x)))

    def _mlp(self, x: Tensor) -> Tensor:
        return self.mlp_out(F.gelu(self.mlp_in(x)))

    def _attention(self, x: Tensor, attend: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        batch, frames, dim = x.shape
        split = self.attention_in(x).view(batch, frames, 3, self.heads, self.head_dim)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each [B, H, T, D / H]
        mixed = F.scaled_dot_product_attention(
            _rotate(query, rotation), _rotate(key, rotation), value, attn_mask=attend
        )
        return self.attention_out(mixed.transpose(1, 2).reshape(batch, frames, dim))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


def _check(*, spec: ModelSpec, **args: Any) -> None:
    def refuse(name: str, why: str) -> None:
        raise InputError(f"model argument {name} = {args[name]!r}: {why}")

    for name, low, high in _BOUNDS:
        if type(args[name]) is not int or not low <= args[name] <= high:
            refuse(name, f"must be a whole number from {low} to {high}")
    if args["dim"] % (2 * args["heads"]):
        refuse("dim", f"must be a multiple of 2 * heads = {2 * args['heads']}")
    if args["conv_kernel"] and args["conv_kernel"] % 2 == 0:
        refuse("conv_kernel", "must be odd, or 0 for none")
    if args["norm"] not in ("pre", "post"):
        refuse("norm", "must be 'pre' or 'post'")
    unknown = sorted(set(args["conditions"]) - set(_TAKEN))
    if unknown:
        refuse("conditions", f"unknown {unknown}; choose from {list(_TAKEN)}")
    missing = sorted(set(args["conditions"]) - {"bpm", *spec.vocabularies})
    if missing:
        refuse("conditions", f"there are no names for {missing}")


_BOUNDS = (
    ("dim", 2, 2**16), ("layers", 0, 512), ("heads", 1, 1024), ("conv_kernel", 0, 1023),
    ("ff_mult", 1, 64),
)  # fmt: skip


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _tempo_features(bpm: Tensor) -> Tensor:
    """[B] beats per minute (0 = unknown) -> [B, 2]: log2(bpm / 120), and whether it is known."""
    known = (bpm > 0).float()
    return torch.stack([known * torch.log2(bpm.clamp(min=1.0) / 120.0), known], dim=-1)


def rotary_angles(frames: int, dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine [T, D / 2] of the rotary angles."""
    speed = 10000.0 ** (-torch.arange(0, dim, 2, device=device) / dim)
    angle = torch.arange(frames, device=device)[:, None] * speed
    return angle.cos(), angle.sin()


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turns pairs (x[i], x[i + D / 2]) of [B, H, T, D] by the angle of their frame."""
    cos, sin = rotation
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
    return turned.to(x.dtype)
