"""A depth head that can follow a sketch: it draws the codes that the codec would, there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from midigroove_core.builtin.code_heads import DepthHead, place_codes

WIDTH = 64
"""Of the vectors in which codes are compared."""

TRUST = 0.05
"""How much a sketch weighs before anything is learned."""


class FollowingHead(DepthHead):
    """Logits of a depth head plus how near each code comes to what a sketch has there.

    A residual quantizer takes, level after level, the code whose vector is nearest to what the
    codes before have left over. To these logits

        t_k (r_k . v - |v|^2 / 2),   r_k = z - sum_{j<k} v_j[c_j]

    are added: z is the sum of the vectors of the sketch's codes and r_k what the codes drawn so far
    leave of it. t_k, one for each frame and level, says how far the sketch is trusted: 0 leaves
    it aside, very much repeats its codes. What is drawn is in between, the model's own knowledge
    times a normal distribution around the sketch, of variance 1 / t_k.

    What is read is `join(hidden, sketch, trusted)`, so that whoever reads a depth head reads this.
    """

    def __init__(
        self,
        dim: int,
        codebook_sizes: Sequence[int],
        head_dim: int,
        vectors: Sequence[Tensor] | None,
    ) -> None:
        super().__init__(dim, codebook_sizes, head_dim)
        self.dim, self.levels = dim, len(codebook_sizes)
        self.vectors = nn.Embedding(sum(codebook_sizes), WIDTH)
        self.trust = nn.Linear(dim, self.levels)
        self._sizes = tuple(codebook_sizes)
        if vectors is None:
            nn.init.normal_(self.vectors.weight, std=0.5 * self.levels**-0.5)
        else:
            place_codes(self.vectors, vectors)
        nn.init.zeros_(self.trust.weight)
        nn.init.constant_(self.trust.bias, float(torch.tensor(TRUST).log()))

    def join(self, encoded: Tensor, sketch: Tensor, given: Tensor) -> Tensor:
        """What goes beside the hidden vectors [B, T, D]: [B, T, WIDTH + K].

        Args:
            encoded: [B, T, D], what trust is read from.
            sketch: [B, T, K], entries of `vectors`.
            given: [B, T, 1] bool, whether there is one.
        """
        return torch.cat([self.vectors(sketch).sum(-2), self.trust(encoded).exp() * given], dim=-1)

    def trusting(self, beside: Tensor, times: float) -> Tensor:
        """What `join` gave, with so many times the trust."""
        sketch, trust = beside.split([WIDTH, self.levels], dim=-1)
        return torch.cat([sketch, times * trust], dim=-1)

    def each(self, hidden: Tensor, codes: Tensor) -> Iterator[Tensor]:
        hidden, rest, trust = self.split(hidden)
        for k, logits in enumerate(super().each(hidden, codes)):
            yield logits + self.towards(k, rest, trust)
            rest = rest - self.book(k)[codes[..., k]]

    def split(self, joined: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden [..., D], what is left of the sketch [..., WIDTH], and trust [..., K]."""
        parts = joined.split([self.dim, WIDTH, self.levels], dim=-1)
        return parts[0], parts[1], parts[2]

    def book(self, k: int) -> Tensor:
        """Vectors [V, WIDTH] of level k."""
        first = sum(self._sizes[:k])
        return self.vectors.weight[first : first + self._sizes[k]]

    def towards(self, k: int, rest: Tensor, trust: Tensor) -> Tensor:
        """What is added to the logits [..., V] of level k."""
        book = self.book(k)
        return trust[..., k : k + 1] * (rest @ book.T - 0.5 * book.square().sum(-1))
