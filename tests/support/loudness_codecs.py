"""Codecs without weights of the shapes that the toy has not: stereo, many rates, wide codebooks.

All follow the loudness of the parts of a frame, as the toy does; what differs is how that is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codebook, Codec
from midigroove_core.interfaces.codec_checks import (
    check_audio,
    check_codes,
    check_latents,
    sha256_of_tensors,
)

PARTS = 4
MU = 255.0

LOUDNESS_PLUGIN = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("multirate_toy", "support.loudness_codecs:MultiRateCodec")
    register("stereo_toy", "support.loudness_codecs:StereoCodec")
    register("wide_toy", "support.loudness_codecs:WideCodec")
"""


class LoudnessCodec(Codec):
    """Latents `[B, C * 4, T]` are the companded loudness, 0 to 1, of four parts of a frame.

    A subclass says how they become codes: `quantize`, and `_vectors` back.
    """

    clock = FrameClock(16000, 256)
    license = "MIT"
    encode_reach = decode_reach = (0, 0)

    def __init__(self) -> None:
        self.latent_dim = self.channels * PARTS
        signs = np.random.default_rng(0).integers(0, 2, (self.channels, self.clock.hop_length))
        self._carrier = torch.from_numpy((signs * 2 - 1).astype(np.float32))

    def get_config(self) -> dict[str, Any]:
        return {}

    @property
    def weights_sha(self) -> str:
        return sha256_of_tensors({"carrier": self._carrier})

    @property
    def device(self) -> torch.device:
        return self._carrier.device

    def to(self, device: str | torch.device) -> Self:
        self._carrier = self._carrier.to(device)
        return self

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        check_audio(self, audio)
        return self.quantize(self.analyse(audio.to(self.device)))

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        """Audio to latents."""
        frames = self.clock.num_frames(audio.shape[-1])
        missing = self.clock.num_samples(frames) - audio.shape[-1]
        parts = torch.nn.functional.pad(audio, (0, missing))
        parts = parts.reshape(len(audio), self.channels, frames, PARTS, -1)
        rms = parts.double().square().mean(-1).sqrt().clamp(max=1.0)
        level = torch.log1p(MU * rms) / math.log1p(MU)
        return level.permute(0, 1, 3, 2).flatten(1, 2).float()

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        check_codes(self, codes, levels)
        return self.decode_latents(self._vectors(codes.to(self.device), self.num_rows(levels)))

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        check_latents(self, latents)
        level = latents.to(self.device).clamp(0, 1).double()
        rms = torch.expm1(level * math.log1p(MU)) / MU
        rms = rms.unflatten(1, (self.channels, PARTS)).transpose(2, 3)  # [B, C, T, parts]
        carrier = self._carrier.reshape(self.channels, 1, PARTS, -1)
        return (rms[..., None] * carrier).float().flatten(2)

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        check_codes(self, codes)
        return self._vectors(codes.to(self.device), self.num_codebooks)

    def _vectors(self, codes: torch.Tensor, rows: int) -> torch.Tensor:
        """The first rows of codes to latents."""
        raise NotImplementedError


def level_rows(slots: Sequence[int], sizes: Sequence[int]) -> tuple[Codebook, ...]:
    """Levels with so many slots each, flattened to rows."""
    return tuple(
        Codebook(size, level, slot, count)
        for level, (count, size) in enumerate(zip(slots, sizes, strict=True))
        for slot in range(count)
    )


class ResidualCodec(LoudnessCodec):
    """Level by level, each quantizes what the ones before left; a level has a rate of its own."""

    decodes_prefix = True
    steps = (64, 32, 32)
    slots: tuple[int, ...] = (1, 2, 4)

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        check_latents(self, latents)
        left = latents.to(self.device).double()
        rows = []
        for level in range(self.num_levels):
            slots, size = self.slots[level], self.steps[level]
            mean = left.unflatten(1, (slots, -1)).mean(2)  # [B, slots, T]
            if level > 0:
                mean = (mean + 1) / 2
            codes = (mean * (size - 1)).round().clamp(0, size - 1).long()
            rows.append(codes)
            left = left - self._level(codes, level)
        return torch.cat(rows, dim=1)

    def _level(self, codes: torch.Tensor, level: int) -> torch.Tensor:
        """The codes [B, slots, T] of one level as latents [B, D, T]."""
        value = codes.double() / (self.steps[level] - 1)
        if level > 0:
            value = 2 * value - 1
        assert self.latent_dim is not None
        return value.repeat_interleave(self.latent_dim // self.slots[level], dim=1)

    def _vectors(self, codes: torch.Tensor, rows: int) -> torch.Tensor:
        total: torch.Tensor | None = None
        for level in sorted({book.level for book in self.codebooks[:rows]}):
            own = [row for row, book in enumerate(self.codebooks) if book.level == level]
            value = self._level(codes[:, own], level)
            total = value if total is None else total + value
        assert total is not None
        return total.float()


class MultiRateCodec(ResidualCodec):
    """Three levels, of one, two and four codes a frame, as SNAC has them: seven rows."""

    codec_id = "multirate_toy"
    codebooks = level_rows((1, 2, 4), (64, 32, 32))


class StereoCodec(ResidualCodec):
    """Two channels; a coarse level of one code a channel and frame, a fine one of four."""

    codec_id = "stereo_toy"
    channels = 2
    steps = (64, 64)
    slots = (2, 8)
    codebooks = level_rows((2, 8), (64, 64))


class WideCodec(LoudnessCodec):
    """One row of `steps ** 4` entries, as finite scalar quantization makes them.

    Args:
        steps: of each of the four parts: 16 makes 65,536 entries, 17 more than 16 bits hold.
    """

    codec_id = "wide_toy"
    codebooks = (Codebook(65_536, 0),)

    def __init__(self, steps: int = 16) -> None:
        super().__init__()
        if not 2 <= steps <= 40:
            raise MidigrooveError(f"wide_toy: steps must be 2 to 40, not {steps}")
        self._steps = steps
        self.codebooks = (Codebook(steps**PARTS, 0),)

    def get_config(self) -> dict[str, Any]:
        return {"steps": self._steps}

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        check_latents(self, latents)
        digits = (latents.to(self.device).double() * (self._steps - 1)).round()
        digits = digits.clamp(0, self._steps - 1).long()
        places = self._steps ** torch.arange(PARTS, device=self.device)
        return (digits * places[:, None]).sum(1, keepdim=True)

    def _vectors(self, codes: torch.Tensor, rows: int) -> torch.Tensor:
        places = self._steps ** torch.arange(PARTS, device=self.device)
        digits = codes // places[:, None] % self._steps
        return (digits.double() / (self._steps - 1)).float()
