"""The default model: an encoder that predicts all frames at once.

The trunk (`GridTrunk`) reads the grid, so every frame sees the whole window. Its output goes to one
head per codebook. With `depth`, the head of codebook k also sees the codes of the
codebooks before it in the same frame: levels of a residual quantizer refine each other, and drawn
independently they add up to noise. That costs K small steps when generating, whatever the length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.code_heads import DepthHead, PlainHead
from midigroove_core.builtin.grid_trunk import CONDITIONS, GridTrunk
from midigroove_core.errors import InputError
from midigroove_core.interfaces.drawing import costs, draw, frames_at_once, make_generator
from midigroove_core.interfaces.model import (
    CodeScores,
    GridBatch,
    Loss,
    ModelSpec,
    SamplingConfig,
)

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"dim": 96, "layers": 3, "heads": 4, "head_dim": 48},
    "small": {"dim": 192, "layers": 4, "heads": 4, "head_dim": 96},
    "base": {"dim": 384, "layers": 10, "heads": 6, "head_dim": 256, "dropout": 0.1},
    "paper": {
        "dim": 768, "layers": 6, "heads": 8, "norm": "post", "depth": False, "conv_kernel": 0,
        "dropout": 0.1, "conditions": ["bpm", "drummer", "kit"],
    },
}  # fmt: skip
"""`paper` is the shape of the baseline (arXiv 2605.10281)."""


class ParallelModel(GridTrunk):
    """Predicts codes [B, K, T] from a grid [B, F, T] and per-clip conditions.

    Args:
        spec: what it has to fit; index -1 of a condition means unknown and has an embedding of its
            own.
        conditions: which of `kit`, `drummer`, `style`, `bpm` the model takes.
        dim: width D of the trunk; a multiple of 2 * heads.
        layers: Transformer blocks.
        heads: attention heads.
        conv_kernel: frames seen by the depthwise convolution in front of the trunk (odd); 0: none.
        dropout: dropout on attention and feed-forward outputs in training.
        norm: "pre" (layer norm before each part) or "post" (after, as the baseline).
        ff_mult: width of the feed-forward parts, in dims.
        depth: heads see the codes of earlier codebooks of their frame.
        head_dim: width of the depth heads.

    Raises:
        InputError: arguments that do not fit together; names the argument.
    """

    model_id: ClassVar[str] = "parallel"
    likelihood: ClassVar[Literal["exact", "bound", "none"]] = "exact"

    head: DepthHead | PlainHead

    def __init__(
        self,
        spec: ModelSpec,
        *,
        conditions: Sequence[str] = CONDITIONS,
        dim: int = 192,
        layers: int = 4,
        heads: int = 4,
        conv_kernel: int = 7,
        dropout: float = 0.0,
        norm: str = "pre",
        ff_mult: int = 4,
        depth: bool = True,
        head_dim: int = 96,
    ) -> None:
        super().__init__(
            spec,
            conditions=conditions,
            dim=dim,
            layers=layers,
            heads=heads,
            conv_kernel=conv_kernel,
            dropout=dropout,
            norm=norm,
            ff_mult=ff_mult,
        )
        if type(head_dim) is not int or not 1 <= head_dim <= 2**16:
            raise InputError(
                f"model argument head_dim = {head_dim!r}: must be a whole number from 1 to {2**16}"
            )
        sizes = spec.codebook_sizes
        self.head = self._make_head(spec, dim, head_dim) if depth else PlainHead(dim, sizes)
        if spec.code_frequencies is not None:
            self._start_from(spec.code_frequencies)

    def _make_head(self, spec: ModelSpec, dim: int, head_dim: int) -> DepthHead:
        return DepthHead(dim, spec.codebook_sizes, head_dim)

    @torch.no_grad()
    def _start_from(self, frequencies: Sequence[Tensor]) -> None:
        """Begins at the unigram's loss, hundreds of steps of an optimizer further on."""
        for out, frequency in zip(self.head.out, frequencies, strict=True):
            assert isinstance(out, nn.Linear)
            out.bias.copy_(frequency.log())

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        return PRESETS

    def loss(self, batch: GridBatch, step: int) -> Loss:
        codes = self.codes_of(batch).transpose(1, 2)[batch.mask]  # [N, K], N real frames
        hidden = self._hidden(batch)[batch.mask]  # [N, D]
        nll = [
            F.cross_entropy(logits.float(), codes[:, k])
            for k, logits in enumerate(self.head.each(hidden, codes))
        ]
        return Loss(torch.stack(nll).mean())

    def score(self, batch: GridBatch) -> CodeScores:
        codes = self.codes_of(batch).transpose(1, 2)  # [B, T, K]
        hidden = self._hidden(batch)
        pieces = [
            [costs(logits, true[..., k]) for k, logits in enumerate(self.head.each(part, true))]
            for part, true in zip(self._pieces(hidden), self._pieces(codes), strict=True)
        ]
        nll, correct = (
            torch.cat([torch.stack([one[i] for one in books], dim=1) for books in pieces], dim=2)
            for i in range(2)
        )
        asked = (batch.mask & ~batch.known)[:, None]
        return CodeScores(nll * asked, correct & asked)

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        generator = make_generator(sampling, batch.grid.device)
        drawn = [
            self.head.generate(part, lambda logits: draw(logits, sampling, generator))
            for part in self._pieces(self._hidden(batch))
        ]
        codes = torch.cat(drawn, dim=1).transpose(1, 2) * batch.mask[:, None]  # [B, K, T]
        return (
            codes if batch.codes is None else torch.where(batch.known[:, None], batch.codes, codes)
        )

    def logits(self, batch: GridBatch) -> list[Tensor]:
        """K times [B, T, V], given the batch's codes: for looking inside; it can be large."""
        return list(self.head.each(self._hidden(batch), self.codes_of(batch).transpose(1, 2)))

    def _hidden(self, batch: GridBatch) -> Tensor:
        """What the heads read: [B, T, D]."""
        return self._trunk(batch)

    def _pieces(self, x: Tensor) -> tuple[Tensor, ...]:
        """[B, T, ...] in pieces over T, of so many frames that the logits of one are small."""
        return x.split(frames_at_once(len(x), max(self.spec.codebook_sizes)), dim=1)
