"""The model that fills in: it hears any codes that are there, before and after, and draws the rest.

    grid, conditions ---------------+--> trunk (sees the whole window) --> depth head --> codes
    codes heard so far, any frames -+        ^                                              |
                                    +--------+------ the surest are kept, and heard next ---+

The first pass hears nothing and is `parallel`, whose trunk and head these are, name by name. Every
pass draws all codes that are still open and keeps those it is surest of (MaskGIT, Chang et al.
2022, https://arxiv.org/abs/2202.04200); the next pass hears them. So frames agree with each other
that `parallel` draws apart, and a bar can be drawn anew between two that stay.

Codebooks come in two stages, coarse before fine (SoundStorm, Borsos et al. 2023,
https://arxiv.org/abs/2305.09636; VampNet, Garcia et al. 2023, https://arxiv.org/abs/2307.04686):
fine ones are drawn when the coarse ones of all frames are there. Within a stage and a frame the
depth head draws one codebook after the other, each seeing those before.

In training a random number of a clip's frames is open, and the loss is what their codes cost. Drawn
one frame at a time, in any order, the codes of n frames would cost at most the mean over orders,

    E over m = 1..n of n / m * (cost of m open frames, given the other n - m),

which is the bound of absorbing diffusion as well (Hoogeboom et al. 2022,
https://arxiv.org/abs/2110.02037); `score` gives an unbiased estimate of it, for each stage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.code_heads import DepthHead, place_codes
from midigroove_core.builtin.grid_trunk import CONDITIONS
from midigroove_core.builtin.parallel import PRESETS, ParallelModel
from midigroove_core.errors import InputError
from midigroove_core.interfaces.drawing import costs, draw, frames_at_once, make_generator
from midigroove_core.interfaces.model import (
    CodeScores,
    GridBatch,
    Loss,
    ModelSpec,
    SamplingConfig,
    SamplingOption,
)

DRAWS = 4
"""How many random sets of open frames `score` looks at, besides the one that has all."""


class MaskedModel(ParallelModel):
    """Predicts codes [B, K, T] from a grid [B, F, T], conditions, and any codes that are there.

    Args:
        spec: what it has to fit.
        conditions, dim, layers, heads, conv_kernel, dropout, ff_mult: of the trunk, as in
            `parallel`.
        head_dim: width of the depth head.
        coarse: codebooks of the coarse stage; the others are fine.
        code_dim: width of what stands for a code that is heard.
        stretches: share of training clips in which all is heard but a random stretch, as where a
            take goes on, or a bar is drawn anew.
    """

    model_id: ClassVar[str] = "masked"
    likelihood: ClassVar[Literal["exact", "bound", "none"]] = "bound"
    uses_known: ClassVar[bool] = True

    head: DepthHead
    _offsets: Tensor

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
        head_dim: int = 96,
        coarse: int = 3,
        code_dim: int = 32,
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
            head_dim=head_dim,
            ff_mult=ff_mult,
        )
        _check(coarse=coarse, code_dim=code_dim, stretches=stretches)
        self.stretches, sizes = stretches, spec.codebook_sizes
        books = range(len(sizes))
        self._stages = [stage for stage in (books[:coarse], books[coarse:]) if stage]
        self.heard = nn.Embedding(sum(sizes), code_dim)
        self.enter = nn.Linear(code_dim, dim, bias=False)
        self.open = nn.Parameter(torch.zeros(len(self._stages), dim))
        nn.init.normal_(self.heard.weight, std=len(sizes) ** -0.5)
        nn.init.zeros_(self.enter.weight)  # begins as `parallel`
        offsets = torch.tensor([0, *accumulate(sizes[:-1])])  # of each codebook's embeddings
        self.register_buffer("_offsets", offsets, persistent=False)
        vectors = spec.code_vectors()
        if vectors is not None:
            place_codes(self.heard, vectors)

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        return {name: args for name, args in PRESETS.items() if name != "paper"}

    @classmethod
    def sampling_options(cls) -> tuple[SamplingOption, ...]:
        return (
            SamplingOption("passes", 8, "passes over the coarse codebooks", low=1, high=1000),
            SamplingOption("fine_passes", 2, "passes over the fine codebooks", low=1, high=1000),
        )

    def loss(self, batch: GridBatch, step: int) -> Loss:
        """What open codes cost; each clip is in one of the stages."""
        codes = self.codes_of(batch).transpose(1, 2)
        asked = batch.mask & ~batch.known & random_stretch(batch.mask, self.stretches)
        share = torch.rand(len(codes), 1, device=codes.device)
        open_, _ = _choose_open(asked, 1 + (share * asked.sum(1, keepdim=True)).long())
        at = torch.randint(len(self._stages), (len(codes),), device=codes.device)
        heard, stages = batch.mask & ~open_, range(len(self._stages))
        entering = torch.stack([self._entering(codes, heard, index) for index in stages])
        hidden = self._trunk(batch, entering[at, torch.arange(len(at), device=at.device)])
        nll: list[Tensor] = []
        for index in at.unique().tolist():
            here = open_ & (at == index)[:, None]
            logits = self._logits(hidden[here], codes[here], index)
            nll += [F.cross_entropy(x.float(), codes[here][:, k]) for k, x in logits]
        return Loss(torch.stack(nll).mean())

    def score(self, batch: GridBatch) -> CodeScores:
        """An upper bound of what the codes cost, estimated.

        The term of m = n has all frames open and is exact; of the others `DRAWS` are drawn, evenly
        spread over m. `correct` is said with all frames open.
        """
        codes = self.codes_of(batch).transpose(1, 2)
        asked = batch.mask & ~batch.known
        n = asked.sum(1, keepdim=True)
        nll, correct = self._costs(batch, codes, asked)
        nll = nll / n.clamp(min=1)[..., None]
        offset = torch.rand(len(n), 1, device=n.device)
        for turn in range(DRAWS):
            wanted = 1 + ((turn + offset) / DRAWS * (n - 1)).long()
            open_, count = _choose_open(asked, wanted.minimum(n - 1))
            weight = (n - 1) / (DRAWS * count.clamp(min=1))
            nll = nll + self._costs(batch, codes, open_)[0] * weight[..., None]
        return CodeScores(nll.transpose(1, 2), correct.transpose(1, 2))

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        """Codes [B, K, T]; known frames keep `batch.codes` and are heard from the first pass."""
        generator = make_generator(sampling, batch.grid.device)
        rows, frames = batch.mask.shape
        if batch.codes is not None:
            codes = batch.codes.transpose(1, 2) * batch.known[..., None]
        else:
            shape = (rows, frames, len(self._offsets))
            codes = torch.zeros(shape, dtype=torch.int64, device=batch.grid.device)
        for index, setting in enumerate(("passes", "fine_passes")[: len(self._stages)]):
            passes = int(sampling.extras.get(setting, 1))
            open_ = batch.mask & ~batch.known
            n = open_.sum(1, keepdim=True)
            for turn in range(1, passes + 1):
                codes, sure = self._draw(batch, codes, open_, index, sampling, generator)
                stay_open = (n * math.cos(math.pi / 2 * turn / passes)).long()
                luck = torch.empty_like(sure).exponential_(generator=generator).log()
                sure = sure - sampling.temperature * (1 - turn / passes) * luck  # Gumbel noise
                order = sure.masked_fill(~open_, math.inf).argsort(dim=1, stable=True).argsort(1)
                open_ = open_ & (order < stay_open)
                if not open_.any():
                    break
        return codes.transpose(1, 2)

    def _draw(
        self,
        batch: GridBatch,
        codes: Tensor,
        open_: Tensor,
        index: int,
        sampling: SamplingConfig,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Codes [B, T, K] with those of open frames drawn for one stage, and how sure [B, T]: the
        log probability of the stage's codes."""
        hidden = self._trunk(batch, self._entering(codes, batch.mask & ~open_, index))
        sure, codes = torch.zeros_like(hidden[..., 0], dtype=torch.float32), codes.clone()
        for place in self._pieces_of(open_):
            drawn = codes[place]
            for k, logits in self._logits(hidden[place], drawn, index):
                drawn[:, k] = draw(logits.float(), sampling, generator)  # seen by the next k
                sure[place] -= costs(logits, drawn[:, k])[0]
            codes[place] = drawn
        return codes, sure

    def _costs(self, batch: GridBatch, codes: Tensor, open_: Tensor) -> tuple[Tensor, Tensor]:
        """Nats and correctness [B, T, K] of the codes of open frames [B, T], 0 elsewhere."""
        nll = torch.zeros(codes.shape, device=codes.device)
        correct = torch.zeros_like(codes, dtype=torch.bool)
        for index in range(len(self._stages)):
            hidden = self._trunk(batch, self._entering(codes, batch.mask & ~open_, index))
            for place in self._pieces_of(open_):
                for k, logits in self._logits(hidden[place], codes[place], index):
                    nll[(*place, k)], correct[(*place, k)] = costs(logits, codes[(*place, k)])
        return nll, correct

    def _pieces_of(self, frames: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Where [B, T] is True, so many places at a time that their logits are small."""
        places = frames.nonzero()
        pieces = places.split(frames_at_once(1, max(self.spec.codebook_sizes)))
        return [(piece[:, 0], piece[:, 1]) for piece in pieces]

    def _entering(self, codes: Tensor, heard: Tensor, index: int) -> Tensor:
        """What the trunk hears in a stage [B, T, D]: of codes [B, T, K] all of the stages before,
        and of this one those of frames that are `heard` [B, T]."""
        start, stop = self._stages[index].start, self._stages[index].stop
        entries = self.heard(codes[..., :stop] + self._offsets[:stop])
        entries[..., start:, :] *= heard[..., None, None]
        not_there = self.open[index] * ~heard[..., None] + self.open[index + 1 :].sum(0)
        return self.enter(entries.sum(-2)) + not_there

    def _hidden(self, batch: GridBatch) -> Tensor:
        """What the heads read when only known frames are heard: [B, T, D]."""
        codes = self.codes_of(batch).transpose(1, 2)
        return self._trunk(batch, self._entering(codes, batch.known, 0))

    def _logits(self, hidden: Tensor, codes: Tensor, index: int) -> Iterator[tuple[int, Tensor]]:
        """Codebooks k of a stage and their logits [N, V] for hidden [N, D], given codes [N, K]; of
        these each step reads what is there by then, those before k."""
        for k in self._stages[index]:
            before = [embed(codes[:, j]) for j, embed in enumerate(self.head.embed) if j < k]
            yield k, self.head.step(k, hidden, sum(before) if before else None)


def random_stretch(mask: Tensor, share: float) -> Tensor:
    """Frames [B, T] that may be open: all, or in a share of the clips a random stretch of them."""
    rows, frames = mask.shape
    ends = (torch.rand(2, rows, 1, device=mask.device) * mask.sum(1, keepdim=True)).long()
    place = torch.arange(frames, device=mask.device)
    inside = (place >= ends.amin(0)) & (place <= ends.amax(0))
    return inside | (torch.rand(rows, 1, device=mask.device) >= share)


def _choose_open(asked: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """As many of the frames asked for [B, T] as `count` [B, 1] says, at random, and how many."""
    chance = torch.rand(asked.shape, device=asked.device).masked_fill(~asked, 2.0)
    open_ = asked & (chance.argsort(1).argsort(1) < count)
    return open_, open_.sum(1, keepdim=True)


def _check(*, coarse: int, code_dim: int, stretches: float) -> None:
    for name, value in {"coarse": coarse, "code_dim": code_dim}.items():
        if type(value) is not int or not 1 <= value <= 2**16:
            raise InputError(
                f"model argument {name} = {value!r}: must be a whole number from 1 to {2**16}"
            )
    if type(stretches) not in (int, float) or not 0 <= stretches <= 1:
        raise InputError(f"model argument stretches = {stretches!r}: must be a number from 0 to 1")
