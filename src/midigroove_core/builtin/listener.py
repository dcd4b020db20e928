"""Hears a kit in a recording of it: what was struck there, and what it sounded like."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHARPNESS = 20.0
"""How much more a frame is looked at that is alike (cosine 1) than one that has nothing in common,
in nats, at the start of training."""


class Listener(nn.Module):
    """Adds to the frames of a performance what a recording tells of frames like them.

    What a frame is, is what the trunk makes of it: which drum, how hard, how long ago. The trunk
    reads the recording's grid as it reads the performance's, so frames in which the same happens
    are alike from the first step of training, and what is looked up there are their codes. (A
    lookup that has to be learned from nothing is learned late: after 3,500 steps a plain cross
    attention in this place still told nothing.) Where in the recording they lie does not matter, so
    a recording may be longer than any that was heard in training. Done once for a window, whatever
    is drawn after.

    A learned frame of silence is always there to be looked at: what a clip without a recording
    hears.

    `forward(x, alike, sound, mask)`: the performance's frames [B, T, D]; of the recording the
    trunk's frames and the entries of its codes [B, R, D], and [B, R] bool -> [B, T, D].
    """

    def __init__(self, dim: int, layers: int, heads: int) -> None:
        super().__init__()
        self.looks = nn.ModuleList(Look(dim, heads) for _ in range(layers))

    def forward(
        self, x: Tensor, alike: Tensor | None, sound: Tensor | None, mask: Tensor | None
    ) -> Tensor:
        frames = x
        for look in self.looks:
            x = look(x, frames, alike, sound, mask)
        return x


class Look(nn.Module):
    """A lookup by likeness, and a feed-forward part; both begin by adding nothing."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim)
        self.sharpness = nn.Parameter(torch.full((heads, 1, 1), SHARPNESS))
        self.nothing_key = nn.Parameter(torch.randn(heads, 1, dim // heads))
        self.nothing = nn.Parameter(torch.zeros(heads, 1, dim // heads))
        self.out = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.mlp_in = nn.Linear(dim, 2 * dim)
        self.mlp_out = nn.Linear(2 * dim, dim)
        nn.init.orthogonal_(self.query.weight)
        with torch.no_grad():  # the same turn for both: alike frames have alike queries and keys
            self.key.weight.copy_(self.query.weight)
        nn.init.normal_(self.value.weight, std=dim**-0.5)
        nn.init.normal_(self.mlp_in.weight, std=dim**-0.5)
        for last in (self.out, self.mlp_out):
            nn.init.zeros_(last.weight)
        for layer in (self.value, self.out, self.mlp_in, self.mlp_out):
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Tensor,
        frames: Tensor,
        alike: Tensor | None,
        sound: Tensor | None,
        mask: Tensor | None,
    ) -> Tensor:
        rows = len(x)
        query = F.normalize(self._split(self.query(frames)), dim=-1) * self.sharpness
        key = F.normalize(self.nothing_key, dim=-1).expand(rows, -1, -1, -1)
        value = self.nothing.expand(rows, -1, -1, -1)
        attend = torch.ones(rows, 1, dtype=torch.bool, device=x.device)
        if alike is not None and sound is not None and mask is not None:
            heard = F.normalize(self._split(self.key(alike)), dim=-1)
            key = torch.cat([key, heard], dim=2)
            value = torch.cat([value, self._split(self.value(sound))], dim=2)
            attend = torch.cat([attend, mask], dim=1)
        mixed = F.scaled_dot_product_attention(
            query.to(value.dtype), key.to(value.dtype), value,
            attn_mask=attend[:, None, None, :], scale=1.0,
        )  # fmt: skip
        x = x + self.out(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.mlp_out(F.gelu(self.mlp_in(self.norm(x))))

    def _split(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, H, T, D / H]."""
        return x.view(len(x), x.shape[1], self.heads, -1).transpose(1, 2)
