"""From one vector per frame to the logits of K codebooks."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DrawCodes = Callable[[Tensor], Tensor]
"""Logits [..., V] to codes [...]."""


class PlainHead(nn.Module):
    """One linear head per codebook; codebooks do not see each other."""

    def __init__(self, dim: int, num_codebooks: int, codebook_size: int) -> None:
        super().__init__()
        self.out = nn.ModuleList(nn.Linear(dim, codebook_size) for _ in range(num_codebooks))
        _initialise(self.out, 0.02)

    def each(self, hidden: Tensor, codes: Tensor | None) -> list[Tensor]:
        """Logits of each codebook: K times [..., V] for hidden [..., D]."""
        return [out(hidden) for out in self.out]

    def forward(self, hidden: Tensor, codes: Tensor | None) -> Tensor:
        return torch.stack(self.each(hidden, codes), dim=-2)  # [..., K, V]

    def generate(self, hidden: Tensor, draw_codes: DrawCodes) -> Tensor:
        """Codes [..., K] for hidden [..., D]."""
        return torch.stack([draw_codes(out(hidden).float()) for out in self.out], dim=-1)


class DepthHead(nn.Module):
    """Heads that see the trunk and the sum of embeddings of the frame's earlier codes.

    logits_k = O_k gelu(W_k h + M_k sum_{j<k} E_j[c_j])
    """

    def __init__(self, dim: int, num_codebooks: int, codebook_size: int, head_dim: int) -> None:
        super().__init__()
        count = range(num_codebooks)
        self.trunk = nn.ModuleList(nn.Linear(dim, head_dim) for _ in count)
        self.embed = nn.ModuleList(nn.Embedding(codebook_size, head_dim) for _ in count[1:])
        self.mix = nn.ModuleList(nn.Linear(head_dim, head_dim, bias=False) for _ in count[1:])
        self.out = nn.ModuleList(nn.Linear(head_dim, codebook_size) for _ in count)
        _initialise(self.trunk, dim**-0.5)
        _initialise(self.embed, 0.3)  # of the trunk's order, or earlier codes are learned late
        _initialise(self.mix, head_dim**-0.5)
        _initialise(self.out, 0.02)

    def step(self, k: int, hidden: Tensor, before: Tensor | None) -> Tensor:
        """Logits [..., V] of codebook k; `before` [..., head_dim] sums the earlier embeddings."""
        x = self.trunk[k](hidden)
        if before is not None:
            x = x + self.mix[k - 1](before)
        return self.out[k](F.gelu(x))

    def each(self, hidden: Tensor, codes: Tensor) -> list[Tensor]:
        """Logits of each codebook given the true codes [..., K] of the earlier ones."""
        logits, before = [], None
        for k in range(len(self.out)):
            logits.append(self.step(k, hidden, before))
            if k < len(self.embed):
                embedded = self.embed[k](codes[..., k])
                before = embedded if before is None else before + embedded
        return logits

    def forward(self, hidden: Tensor, codes: Tensor) -> Tensor:
        return torch.stack(self.each(hidden, codes), dim=-2)  # [..., K, V]

    def generate(self, hidden: Tensor, draw_codes: DrawCodes) -> Tensor:
        """Codes [..., K] for hidden [..., D], one codebook after another."""
        codes, before = [], None
        for k in range(len(self.out)):
            codes.append(draw_codes(self.step(k, hidden, before).float()))
            if k < len(self.embed):
                embedded = self.embed[k](codes[k])
                before = embedded if before is None else before + embedded
        return torch.stack(codes, dim=-1)


def _initialise(modules: nn.ModuleList, std: float) -> None:
    for module in modules:
        for name, parameter in module.named_parameters():
            if name == "bias":
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=std)
