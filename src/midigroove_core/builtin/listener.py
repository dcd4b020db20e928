"""Hears a kit in a recording of it: what was struck there, and what it sounded like."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.grid_trunk import Block, rotary_angles


class Listener(nn.Module):
    """Adds to the frames of a performance what the frames of a reference tell about them.

    A frame of the reference enters as its grid and its codes together, a few blocks let frames
    explain each other (what rings on, what bleeds), and then each frame of the performance looks
    for those in which the same happens: the same drum, as hard, as long ago. Where in the
    reference they lie does not matter, so the looking has no positions, and a reference may be
    longer than any that was heard in training. Done once for a window, whatever is drawn after.

    A learned frame of silence is always there to be looked at: what a clip without a reference
    hears.

    `forward(x, reference, mask)`: [B, T, D], [B, R, D] (or None), [B, R] -> [B, T, D].
    """

    def __init__(self, dim: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.nothing = nn.Parameter(torch.zeros(dim))
        self.enter_norm = nn.LayerNorm(dim)
        self.explain = Block(dim, heads, dropout, "pre")
        self.norm = nn.LayerNorm(dim)
        self.look = nn.ModuleList(Look(dim, heads) for _ in range(layers))
        for name, parameter in self.explain.named_parameters():
            if name.endswith("weight") and parameter.ndim == 2:
                nn.init.normal_(parameter, std=dim**-0.5 / math.sqrt(2))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, reference: Tensor | None, mask: Tensor | None) -> Tensor:
        heard = self.nothing.expand(len(x), 1, -1)
        attend = torch.ones(len(x), 1, dtype=torch.bool, device=x.device)
        if reference is not None and mask is not None:
            frames, real = self.enter_norm(reference), mask[:, None, None, :]
            # A clip without any frame may look at all of them: what it finds is not used.
            real = real | ~mask.any(dim=1)[:, None, None, None]
            turns = rotary_angles(frames.shape[1], frames.shape[2] // self.heads, frames.device)
            frames = self.norm(self.explain(frames, real, turns))
            heard, attend = torch.cat([heard, frames], 1), torch.cat([attend, mask], 1)
        for look in self.look:
            x = look(x, heard, attend[:, None, None, :])
        return x


class Look(nn.Module):
    """Attention to what is heard, and a feed-forward part; both begin by adding nothing."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp_in = nn.Linear(dim, 2 * dim)
        self.mlp_out = nn.Linear(2 * dim, dim)
        for name, parameter in self.named_parameters():
            if name.endswith("weight") and parameter.ndim == 2:
                last = name.startswith(("out", "mlp_out"))
                nn.init.normal_(parameter, std=0.0 if last else dim**-0.5)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, heard: Tensor, attend: Tensor) -> Tensor:
        batch, frames, dim = x.shape
        query = self.query(self.norm(x)).view(batch, frames, self.heads, -1).transpose(1, 2)
        both = self.key_value(heard).view(batch, heard.shape[1], 2, self.heads, -1)
        key, value = both.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=attend)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, frames, dim))
        return x + self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(x))))
