"""From logits to codes and to what codes cost: for authors of models."""

from __future__ import annotations

import torch
from torch import Tensor

from midigroove_core.interfaces.sampling import SamplingConfig

PIECE_BYTES = 32 * 2**20
"""Logits of so many bytes are worked on at once; memory then follows no length and no batch."""


def make_generator(sampling: SamplingConfig, device: str | torch.device) -> torch.Generator:
    """The one source of randomness that `generate` may use, at the seed that was asked for."""
    return torch.Generator(device).manual_seed(sampling.seed)


def draw(logits: Tensor, sampling: SamplingConfig, generator: torch.Generator) -> Tensor:
    """Draws one code per position.

    Args:
        logits: [..., V] float32.
        sampling: temperature (0 takes the most likely code), top-k, top-p.
        generator: source of randomness, on the device of `logits`; see `make_generator`.

    Returns:
        codes [...] int64 in [0, V).
    """
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits / sampling.temperature
    size = logits.shape[-1]
    if 0 < sampling.top_k < size:
        lowest = logits.topk(sampling.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < lowest, float("-inf"))
    if sampling.top_p < 1:
        logits = _nucleus(logits, sampling.top_p)
    # Exponential races: argmax(p / e) with e ~ Exp(1) is a draw from p, for all positions at once.
    race = torch.empty_like(logits).exponential_(generator=generator)
    return (logits.softmax(dim=-1) / race).argmax(dim=-1)


def costs(logits: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """What codes cost under logits, and whether each was the most likely one.

    Args:
        logits: [..., V].
        codes: [...] int64 in [0, V).

    Returns:
        nats [...] float32 and correct [...] bool.
    """
    logits = logits.float()
    picked = logits.gather(-1, codes[..., None])[..., 0]
    return torch.logsumexp(logits, dim=-1) - picked, logits.argmax(dim=-1) == codes


def frames_at_once(rows: int, codebook_size: int) -> int:
    """How many frames of `rows` clips to make the logits of one codebook for at once."""
    return max(1, PIECE_BYTES // (4 * max(1, rows) * codebook_size))


def _nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Keeps the smallest set of codes whose probability reaches `top_p`: [..., V]."""
    ordered, order = logits.sort(dim=-1, descending=True)
    probability = ordered.softmax(dim=-1)
    before = probability.cumsum(dim=-1) - probability
    dropped = torch.zeros_like(before, dtype=torch.bool).scatter(-1, order, before >= top_p)
    return logits.masked_fill(dropped, float("-inf"))
