"""From one vector per frame to the logits of K codebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DrawCodes = Callable[[Tensor], Tensor]
"""Logits [..., V] to codes [...]."""


class PlainHead(nn.Module):
    """One linear head per codebook; codebooks do not see each other."""

    def __init__(self, dim: int, codebook_sizes: Sequence[int]) -> None:
        super().__init__()
        self.out = nn.ModuleList(nn.Linear(dim, size) for size in codebook_sizes)
        _initialise(self.out, 0.02)

    def each(self, hidden: Tensor, codes: Tensor) -> Iterator[Tensor]:
        """Logits of one codebook after the other: K times [..., V] for hidden [..., D]."""
        for out in self.out:
            yield out(hidden)

    def generate(self, hidden: Tensor, draw_codes: DrawCodes) -> Tensor:
        """Codes [..., K] for hidden [..., D]."""
        return torch.stack([draw_codes(out(hidden).float()) for out in self.out], dim=-1)


class DepthHead(nn.Module):
    """Heads that see the trunk and the sum of embeddings of the frame's earlier codes.

    logits_k = O_k gelu(W_k h + M_k sum_{j<k} E_j[c_j])
    """

    def __init__(self, dim: int, codebook_sizes: Sequence[int], head_dim: int) -> None:
        super().__init__()
        sizes = tuple(codebook_sizes)
        self.trunk = nn.ModuleList(nn.Linear(dim, head_dim) for _ in sizes)
        self.embed = nn.ModuleList(nn.Embedding(size, head_dim) for size in sizes[:-1])
        self.mix = nn.ModuleList(nn.Linear(head_dim, head_dim, bias=False) for _ in sizes[1:])
        self.out = nn.ModuleList(nn.Linear(head_dim, size) for size in sizes)
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

    def each(self, hidden: Tensor, codes: Tensor) -> Iterator[Tensor]:
        """Logits of one codebook after the other, given the true codes [..., K] of those before."""
        before: Tensor | None = None
        for k in range(len(self.out)):
            yield self.step(k, hidden, before)
            if k < len(self.embed):
                embedded = self.embed[k](codes[..., k])
                before = embedded if before is None else before + embedded

    def generate(self, hidden: Tensor, draw_codes: DrawCodes) -> Tensor:
        """Codes [..., K] for hidden [..., D], one codebook after another."""
        shape = (*hidden.shape[:-1], len(self.out))
        codes = torch.zeros(shape, dtype=torch.int64, device=hidden.device)
        # `each` reads the code of a codebook when it is asked for the logits of the next.
        for k, logits in enumerate(self.each(hidden, codes)):
            codes[..., k] = draw_codes(logits.float())
        return codes


@torch.no_grad()
def place_codes(embedding: nn.Embedding, vectors: Sequence[Tensor]) -> None:
    """Codes that sound alike then enter alike from the first step.

    The embeddings, of one codebook after the other, start as the code vectors K times [V, D],
    turned at random into the width of the embedding, at a length that suits it.
    """
    dim, depth = embedding.embedding_dim, vectors[0].shape[1]
    turn = torch.linalg.qr(torch.randn(max(dim, depth), min(dim, depth))).Q  # orthonormal
    turn = turn.T if depth <= dim else turn
    unit = vectors[0].square().mean().sqrt()
    embedding.weight.copy_(torch.cat(list(vectors)).float() / unit @ turn)


def _initialise(modules: nn.ModuleList, std: float) -> None:
    for module in modules:
        for name, parameter in module.named_parameters():
            if name == "bias":
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=std)
