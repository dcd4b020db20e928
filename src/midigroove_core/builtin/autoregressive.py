"""The model that hears what it has played: frame after frame, each knowing the codes before it.

    grid, conditions --> encoder (sees the whole window) --> e[t] -----------------+--> h[t]
                                                              |                    |
    codes of frame t-1, t-2, ... --> embeddings --> p[t] --> causal decoder --> d[t]

`h[t] = e[t] + W d[t]` goes to the depth head, which draws the codes of frame t one level after the
other. The encoder is the trunk of `parallel`, name by name, so that its weights can be taken over;
`W` starts at zero, and then the model is that one until it learns what the past adds.

The grid tells what is struck and when; the past codes tell what the sound is doing: the phase of a
ringing drum, which of a kit's samples was played, the kit itself where it has no name. Drums ring
on deterministically, so most of what the past tells is near: the decoder sees `span` frames, time
and memory per frame stay the same however long a take is, and any stretch can be continued.

Real audio has a past that is not always given: a training window begins anywhere. A frame whose
past is unknown gets a learned vector in its place, and training hides a random stretch of the past
(`hide_past`) and replaces some of its codes (`code_noise`), so that the model starts cold and does
not take its own mistakes for the truth (Bengio et al. 2015, https://arxiv.org/abs/1506.03099).

A kit without a name is heard in a recording of it, where there is one: a kit cut from it, however
roughly, plays the performance, and the codes of that sketch enter the encoder frame by frame. What
they tell of the kit need not be looked for, and what is wrong with them (hits that were cut short,
other drums that sound along, drums that the recording does not have) is alike from kit to kit.

Sources: frames in time by one network and levels in depth by a small one: RQ-Transformer (Lee et
al. 2022, https://arxiv.org/abs/2203.01941); Fourier features of a scalar that a network must
resolve finely (Tancik et al. 2020, https://arxiv.org/abs/2006.10739).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.causal_decoder import CausalDecoder
from midigroove_core.builtin.code_heads import DepthHead, place_codes
from midigroove_core.builtin.depth_sampler import DepthSampler
from midigroove_core.builtin.following_head import FollowingHead
from midigroove_core.builtin.grid_trunk import CONDITIONS
from midigroove_core.builtin.hit_phases import HitPhases
from midigroove_core.builtin.parallel import PRESETS, ParallelModel
from midigroove_core.errors import InputError
from midigroove_core.interfaces.drawing import make_generator
from midigroove_core.interfaces.model import (
    GridBatch,
    Loss,
    ModelSpec,
    SamplingConfig,
    SamplingOption,
)


class AutoregressiveModel(ParallelModel):
    """Predicts codes [B, K, T] from a grid [B, F, T], conditions, and the codes of past frames.

    Args:
        spec: what it has to fit. Rows of the grid that tell how recent the last hit of each
            articulation is (`recency/...` of `expressive_grid`) have their sub-frame timing read as
            phases.
        conditions: as in `parallel`.
        dim, layers, heads, conv_kernel, dropout, ff_mult: of the encoder, as in `parallel`.
        head_dim: width of the depth head.
        decoder_layers: blocks of the causal decoder, as wide as the encoder.
        span: past frames that the decoder attends to.
        past_kernel: past frames that also enter directly, by a depthwise causal convolution.
        harmonics: phases per row of recency; 0 leaves them out.
        code_noise: mean share of past codes that training replaces with those of other frames.
        hide_past: share of training windows of whose past a random stretch is hidden.
        sketch: whether it hears `batch.sketch`.
    """

    model_id: ClassVar[str] = "autoregressive"
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
        decoder_layers: int = 2,
        span: int = 200,
        past_kernel: int = 4,
        harmonics: int = 12,
        code_noise: float = 0.06,
        hide_past: float = 0.15,
        sketch: bool = False,
        ff_mult: int = 4,
    ) -> None:
        self.uses_sketch = sketch  # before the head is made
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
        _check(decoder_layers=decoder_layers, span=span, past_kernel=past_kernel,
               harmonics=harmonics)  # fmt: skip
        self.code_noise, self.hide_past = code_noise, hide_past
        rows = [r for r, name in enumerate(spec.feature_names) if name.startswith("recency/")]
        self.phases = (
            HitPhases(rows, float(spec.clock.frame_rate), harmonics, dim)
            if harmonics and rows
            else None
        )
        codebook_sizes = spec.codebook_sizes
        self.past = nn.Embedding(sum(codebook_sizes), dim)
        self.unknown_past = nn.Parameter(torch.zeros(dim))
        self.past_taps = nn.Parameter(torch.zeros(past_kernel, dim))
        self.decoder = CausalDecoder(dim, decoder_layers, heads, dropout, span)
        self.adds = nn.Linear(dim, dim)
        # Into the encoder, and past it straight to decoder and head.
        self.heard = nn.ModuleList(nn.Linear(dim, dim) for _ in range(2)) if sketch else None
        nn.init.normal_(self.past.weight, std=0.5 * len(codebook_sizes) ** -0.5)
        for last in (self.adds, *(self.heard or ())):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        offsets = torch.tensor([0, *accumulate(codebook_sizes[:-1])])  # of each row's embeddings
        self.register_buffer("_offsets", offsets, persistent=False)
        vectors = spec.code_vectors()
        if vectors is not None:
            place_codes(self.past, vectors)

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        return {name: args for name, args in PRESETS.items() if name != "paper"}

    @classmethod
    def sampling_options(cls) -> tuple[SamplingOption, ...]:
        follow = "How much more than it learned to it trusts a sketch, where it hears kits."
        return (SamplingOption("follow", 1.0, follow, low=0.0, high=1000.0),)

    def loss(self, batch: GridBatch, step: int) -> Loss:
        codes = self.codes_of(batch).transpose(1, 2)
        past = self._past(codes, spoil=self.training)
        hidden = self._after(*self._encoded(batch), past)[batch.mask]  # [N, D], N real frames
        codes = codes[batch.mask]
        nll = [
            F.cross_entropy(logits.float(), codes[:, k])
            for k, logits in enumerate(self.head.each(hidden, codes))
        ]
        return Loss(torch.stack(nll).mean())

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        """Codes [B, K, T], drawn frame after frame; known frames keep `batch.codes`.

        What is known at the start in all rows is read in one pass, as in training. Known frames
        further on are heard by the frames after them (but not by those before).
        """
        encoded, beside = self._encoded(batch)
        follows = self.uses_sketch and batch.sketch is not None
        if follows:
            assert isinstance(self.head, FollowingHead)
            beside = self.head.trusting(beside, float(sampling.extras.get("follow", 1.0)))
        rows, frames, _ = encoded.shape
        generator, known = make_generator(sampling, encoded.device), batch.known
        if known.any():
            codes = self.codes_of(batch).transpose(1, 2) * known[..., None]
        else:
            books = len(self._offsets)
            codes = torch.zeros(rows, frames, books, dtype=torch.int64, device=encoded.device)
        heard = int(known.all(dim=0).long().cumprod(0).sum())  # frames known at the start, by all
        mixed = known.any(dim=0).tolist()
        memory = self.decoder.start(rows, frames, encoded)
        sampler = DepthSampler(self.head, sampling, generator, rows, frames - heard, follow=follows)
        past = self._past(codes[:, :heard])  # of frames 0 to heard - 1
        if heard:
            self.decoder.extend(encoded[:, :heard] + past, memory)
        recent = self._last_entries(codes, heard)
        taps = self._taps
        for frame in range(heard, frames):
            entering = (taps * recent).sum(1)[:, None]  # [B, 1, D]
            decoded = self.decoder.extend(encoded[:, frame : frame + 1] + entering, memory)
            hidden = encoded[:, frame] + self.adds(decoded[:, 0])
            if follows:
                hidden = torch.cat([hidden, beside[:, frame]], dim=-1)
            drawn = sampler.draw(hidden)
            if mixed[frame]:
                drawn = torch.where(known[:, frame, None], codes[:, frame], drawn)
            codes[:, frame] = drawn
            recent = torch.cat([recent[:, 1:], self._embed(drawn)[:, None]], dim=1)
        return codes.transpose(1, 2) * batch.mask[:, None]

    def _encoded(self, batch: GridBatch) -> tuple[Tensor, Tensor]:
        """All that grid, conditions and sketch tell of each frame, [B, T, D], and what the head
        reads of the sketch itself (a model that hears none: nothing, [B, T, 0])."""
        if self.heard is None:
            encoded = self._trunk(batch)
            return encoded, encoded[..., :0]
        if batch.sketch is None:
            rows, frames = batch.mask.shape
            codes = batch.mask.new_full((rows, frames, len(self._offsets)), -1, dtype=torch.int64)
        else:
            codes = batch.sketch.transpose(1, 2)
        given = codes[..., :1] >= 0
        places = codes.clamp(min=0) + self._offsets
        entries = self.past(places).sum(-2)
        early, late = (linear(entries) * given for linear in self.heard)
        encoded = self._trunk(batch, early) + late
        assert isinstance(self.head, FollowingHead)
        return encoded, self.head.join(encoded, places, given)

    def _make_head(self, spec: ModelSpec, dim: int, head_dim: int) -> DepthHead:
        if not self.uses_sketch:
            return super()._make_head(spec, dim, head_dim)
        return FollowingHead(dim, spec.codebook_sizes, head_dim, spec.code_vectors())

    def _grid(self, batch: GridBatch) -> Tensor:
        hidden = super()._grid(batch)
        return hidden if self.phases is None else hidden + self.phases(batch.grid)

    def _hidden(self, batch: GridBatch) -> Tensor:
        return self._after(*self._encoded(batch), self._past(self.codes_of(batch).transpose(1, 2)))

    def _after(self, encoded: Tensor, beside: Tensor, past: Tensor) -> Tensor:
        """What the head reads [B, T, D], and what there is beside it, for all frames at once."""
        return torch.cat([encoded + self.adds(self.decoder(encoded + past)), beside], dim=-1)

    def _embed(self, codes: Tensor) -> Tensor:
        """Codes [..., K] of frames to their entries [..., D]."""
        return self.past(codes + self._offsets).sum(-2)

    @property
    def _taps(self) -> Tensor:
        """Weights of past frames [past_kernel, D], the last frame's at the end."""
        return F.pad(torch.ones_like(self.past_taps[:1]), (0, 0, len(self.past_taps) - 1, 0)) + (
            self.past_taps
        )

    def _past(self, codes: Tensor, spoil: bool = False) -> Tensor:
        """What enters each frame from the frames before it: codes [B, T, K] -> [B, T, D]."""
        entries = self._embed(self._replaced(codes) if spoil else codes)
        if spoil:
            entries = torch.where(self._hidden_stretch(codes), self.unknown_past, entries)
        kernel = len(self.past_taps)
        before = self.unknown_past.expand(len(codes), kernel, -1)
        entries = torch.cat([before, entries[:, :-1]], dim=1)  # [B, kernel + T - 1, D]
        frames = codes.shape[1]
        return sum(tap * entries[:, i : i + frames] for i, tap in enumerate(self._taps))

    def _last_entries(self, codes: Tensor, frame: int) -> Tensor:
        """Entries of the frames before `frame`, unknown where there are none: [B, kernel, D]."""
        kernel = len(self.past_taps)
        unknown = self.unknown_past.expand(len(codes), kernel, -1)
        return torch.cat([unknown, self._embed(codes[:, max(0, frame - kernel) : frame])], 1)[
            :, -kernel:
        ]

    def _replaced(self, codes: Tensor) -> Tensor:
        """Some codes taken from other frames of the batch, in every window another share."""
        if not self.code_noise:
            return codes
        rows, frames, books = codes.shape
        other = codes.reshape(rows * frames, books)[
            torch.randint(rows * frames, (rows * frames, books), device=codes.device),
            torch.arange(books, device=codes.device),
        ].view_as(codes)
        share = 2 * self.code_noise * torch.rand(rows, 1, 1, device=codes.device)
        return torch.where(torch.rand(codes.shape, device=codes.device) < share, other, codes)

    def _hidden_stretch(self, codes: Tensor) -> Tensor:
        """Which past frames are not told: [B, T, 1]."""
        rows, frames, _ = codes.shape
        some = torch.rand(rows, 1, 1, device=codes.device) < self.hide_past
        ends = torch.rand(rows, 1, 1, device=codes.device) * frames
        place = torch.arange(frames, device=codes.device)[:, None]
        return some & (place < ends)


def _check(**counts: int) -> None:
    for name, value in counts.items():
        low = 0 if name in ("harmonics", "decoder_layers") else 1
        if type(value) is not int or not low <= value <= 2**16:
            raise InputError(
                f"model argument {name} = {value!r}: must be a whole number from {low} to {2**16}"
            )
