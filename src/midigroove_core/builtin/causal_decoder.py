"""A causal Transformer with a bounded span that can go on where it stopped."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.grid_trunk import Block


@dataclass
class Memory:
    """Keys and values of the frames that a decoder has seen.

    Attributes:
        keys, values: one [B, H, T, D / H] per block; the first `frames` frames are filled.
        rotation: cosines and signed sines [T, D / H] of the rotary angles.
        frames: how many frames were seen.
    """

    keys: list[Tensor]
    values: list[Tensor]
    rotation: tuple[Tensor, Tensor]
    frames: int = 0


class CausalDecoder(nn.Module):
    """Blocks in which a frame attends to itself and the `span - 1` frames before it.

    `forward(x)` [B, T, D] -> [B, T, D] sees all frames at once. `start` and `extend` give the same,
    any number of frames at a time (keys and values are kept).
    """

    def __init__(self, dim: int, layers: int, heads: int, dropout: float, span: int) -> None:
        super().__init__()
        self.span = span
        self.enter_norm = nn.LayerNorm(dim)
        self.heads, self.head_dim = heads, dim // heads
        blocks = [CausalBlock(dim, heads, dropout) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim)
        for block in blocks:
            for name, parameter in block.named_parameters():
                if name.endswith("weight") and parameter.ndim == 2:
                    last = name.startswith(("attention_out", "mlp_out"))
                    nn.init.normal_(parameter, std=dim**-0.5 / math.sqrt(2 * layers if last else 1))
                elif name.endswith("bias"):
                    nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.shape[1]
        rotation = rotations(frames, self.head_dim, x.device)
        mask = None if frames <= self.span else self._mask(0, frames, x.device)
        x = self.enter_norm(x)
        for block in self.blocks:
            x = block(x, rotation, mask)
        return self.norm(x)

    def start(self, rows: int, frames: int, like: Tensor) -> Memory:
        """An empty memory for `frames` frames of `rows` takes, of the type of `like`."""
        shape = (rows, self.heads, frames, self.head_dim)
        return Memory(
            keys=[like.new_empty(shape) for _ in self.blocks],
            values=[like.new_empty(shape) for _ in self.blocks],
            rotation=rotations(frames, self.head_dim, like.device),
        )

    def extend(self, x: Tensor, memory: Memory) -> Tensor:
        """The next frames [B, N, D] -> [B, N, D]; they are kept in `memory`."""
        start, stop = memory.frames, memory.frames + x.shape[1]
        first = max(0, start - self.span + 1)
        mask = None if x.shape[1] == 1 else self._mask(start, stop, x.device)[:, first:]
        cos, sin = memory.rotation
        rotation = cos[start:stop], sin[start:stop]
        x = self.enter_norm(x)
        for block, keys, values in zip(self.blocks, memory.keys, memory.values, strict=True):
            assert isinstance(block, CausalBlock)
            x = block.extend(x, rotation, mask, keys, values, (first, start, stop))
        memory.frames = stop
        return self.norm(x)

    def _mask(self, start: int, stop: int, device: torch.device) -> Tensor:
        """Which of the frames [0, stop) those of [start, stop) attend to."""
        age = torch.arange(start, stop, device=device)[:, None] - torch.arange(stop, device=device)
        return (age >= 0) & (age < self.span)


class CausalBlock(Block):
    """A pre-norm block whose attention looks back; parameters as in `parallel.Block`."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__(dim, heads, dropout, norm="pre")

    def forward(  # type: ignore[override]
        self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor | None
    ) -> Tensor:
        """All frames [B, T, D] at once; without a mask each sees all before it."""
        query, key, value = self._split(x, rotation)
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=mask is None
        )
        return self._finish(x, mixed)

    def extend(
        self,
        x: Tensor,
        rotation: tuple[Tensor, Tensor],
        mask: Tensor | None,
        keys: Tensor,
        values: Tensor,
        places: tuple[int, int, int],
    ) -> Tensor:
        """Frames [start, stop) of `places` = (first, start, stop), which see back to `first`."""
        first, start, stop = places
        query, keys[:, :, start:stop], values[:, :, start:stop] = self._split(x, rotation)
        mixed = F.scaled_dot_product_attention(
            query, keys[:, :, first:stop], values[:, :, first:stop], attn_mask=mask
        )
        return self._finish(x, mixed)

    def _split(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        rows, frames, _ = x.shape
        split = self.attention_in(self.attention_norm(x))
        split = split.view(rows, frames, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        query, key = rotated(split[:2], rotation)
        return query, key, split[2]

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + self._drop(self.attention_out(mixed.transpose(1, 2).reshape(x.shape)))
        return x + self._drop(self._mlp(self.mlp_norm(x)))


def rotations(frames: int, dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and signed sines [T, D] of rotary angles (Su et al. 2021)."""
    speed = 10000.0 ** (-torch.arange(0, dim, 2, device=device) / dim)
    angle = torch.arange(frames, device=device)[:, None] * speed
    sine = angle.sin()
    return angle.cos().repeat(1, 2), torch.cat([-sine, sine], dim=1)


def rotated(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turns pairs (x[i], x[i + D / 2]) of [..., T, D] by the angle of their frame."""
    cos, sin = rotation
    turned = x.roll(x.shape[-1] // 2, dims=-1)
    return (x * cos + turned * sin).to(x.dtype)
