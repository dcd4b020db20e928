"""Draws the codes of one frame after another from a depth head, with little to do per frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.code_heads import DepthHead
from midigroove_core.builtin.following_head import FollowingHead
from midigroove_core.interfaces.drawing import draw
from midigroove_core.interfaces.sampling import SamplingConfig


class DepthSampler:
    """Codes [B, K] of one frame after another; `head.generate`, made for very many small calls.

    A code is drawn by inverting its cumulative distribution, which takes one random number where
    `draw` takes V: those would be half of the time of a frame. The temperature goes into the
    output weights once. With top-k or top-p the slower `draw` does it.

    Args:
        head: the head whose codebooks are drawn.
        sampling: how.
        generator: source of randomness.
        rows: B.
        frames: how many frames will be asked for.
        follow: whether hidden vectors are joined to a sketch, as a `FollowingHead` reads them.
    """

    def __init__(
        self,
        head: DepthHead,
        sampling: SamplingConfig,
        generator: torch.Generator,
        rows: int,
        frames: int,
        *,
        follow: bool = False,
    ) -> None:
        self._sampling, self._generator, self._rows = sampling, generator, rows
        self._plain = sampling.top_k == 0 and sampling.top_p >= 1
        divide = sampling.temperature if self._plain and sampling.temperature > 0 else 1.0
        self._enter = torch.cat(_all(head.trunk, "weight")).T.contiguous()
        self._enter_bias = torch.cat(_all(head.trunk, "bias"))
        self._mix = [weight.T for weight in _all(head.mix, "weight")]
        self._out = [(weight / divide).T for weight in _all(head.out, "weight")]
        self._bias = [bias / divide for bias in _all(head.out, "bias")]
        self._embed = _all(head.embed, "weight")
        self._following = head if follow and isinstance(head, FollowingHead) else None
        self._divide = divide
        shape = (frames, len(self._out), rows, 1)
        device = self._enter.device
        self._chance = torch.rand(shape, device=device, generator=generator).unbind(0)
        self._frame = 0

    def draw(self, hidden: Tensor) -> Tensor:
        """Codes [B, K] for hidden [B, D], to which a sketch is joined when that is followed."""
        chance = self._chance[self._frame].unbind(0)
        self._frame += 1
        following = self._following
        if following is not None:
            hidden, rest, trust = following.split(hidden)
            trust = trust / self._divide
        joined = torch.addmm(self._enter_bias, hidden, self._enter)
        entering = joined.view(self._rows, len(self._out), -1).unbind(1)  # K times [B, H]
        codes: list[Tensor] = []
        before: Tensor | None = None
        for k, x in enumerate(entering):
            if before is not None:
                x = torch.addmm(x, before, self._mix[k - 1])
            logits = torch.addmm(self._bias[k], F.gelu(x), self._out[k])
            if following is not None:
                logits = logits + following.towards(k, rest, trust)
            codes.append(self._pick(logits, chance[k]))
            if following is not None:
                rest = rest - following.book(k)[codes[k]]
            if k < len(self._embed):
                embedded = F.embedding(codes[k], self._embed[k])
                before = embedded if before is None else before + embedded
        return torch.stack(codes, dim=-1)

    def _pick(self, logits: Tensor, chance: Tensor) -> Tensor:
        """Codes [B] for logits [B, V] (over the temperature) and numbers in [0, 1) [B, 1]."""
        if self._sampling.temperature == 0:
            return logits.argmax(-1)
        if not self._plain:
            return draw(logits, self._sampling, self._generator)
        reached = logits.softmax(-1).cumsum(-1)
        # The sum may end a rounding error below 1.
        return torch.searchsorted(reached, chance, right=True)[:, 0].clamp_(max=logits.shape[1] - 1)


def _all(layers: nn.ModuleList, name: str) -> list[Tensor]:
    return [layer.get_parameter(name) for layer in layers]
