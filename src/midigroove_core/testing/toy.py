"""A codec without weights: fast, deterministic, and exact in every point of the contract."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec, residual_codebooks
from midigroove_core.interfaces.codec_checks import check_audio, check_codes, sha256_of_tensors

if TYPE_CHECKING:
    import torch

_MU = 255.0  # of mu-law companding, ITU-T G.711


class ToyCodec(Codec):
    """Follows the loudness of the audio: code k of a frame is the mu-law RMS of its k-th part.

    Decoding plays noise with that loudness, so hits stay where they were and silence stays silent.
    The default clock has no round frame rate (62.5 frames a second) on purpose.

    Args:
        sample_rate, hop_length: the clock; `num_codebooks` must divide `hop_length`.
        num_codebooks: parts of a frame.
        codebook_size: loudness levels; level 0 is silence.
        seed: seed of the noise.
    """

    codec_id = "toy"
    clock = FrameClock(16000, 256)
    codebooks = residual_codebooks(4, 64)
    license = "MIT"
    encode_reach = decode_reach = (0, 0)

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        hop_length: int = 256,
        num_codebooks: int = 4,
        codebook_size: int = 64,
        seed: int = 0,
    ) -> None:
        import torch

        if num_codebooks < 1 or hop_length % num_codebooks or codebook_size < 2:
            raise MidigrooveError(
                f"toy: num_codebooks {num_codebooks} must divide hop_length {hop_length}, and "
                f"codebook_size {codebook_size} must be 2 or more"
            )
        self.clock = FrameClock(sample_rate, hop_length)
        self.codebooks = residual_codebooks(num_codebooks, codebook_size)
        self._size = codebook_size
        self._seed = seed
        signs = np.random.default_rng(seed).integers(0, 2, hop_length) * 2 - 1
        self._carrier = torch.from_numpy(signs.astype(np.float32))

    def get_config(self) -> dict[str, Any]:
        return {
            **self.clock.to_json(),
            "num_codebooks": self.num_codebooks,
            "codebook_size": self._size,
            "seed": self._seed,
        }

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
        import torch

        check_audio(self, audio)
        frames = self.clock.num_frames(audio.shape[-1])
        missing = self.clock.num_samples(frames) - audio.shape[-1]
        padded = torch.nn.functional.pad(audio.to(self.device), (0, missing))
        parts = padded.reshape(len(audio), frames, self.num_codebooks, -1)
        rms = parts.double().square().mean(-1).sqrt().clamp(max=1.0)
        level = torch.log1p(_MU * rms) / math.log1p(_MU)
        return (level * (self._size - 1)).round().long().transpose(1, 2).contiguous()

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        import torch

        check_codes(self, codes, levels)
        level = codes.to(self.device).transpose(1, 2).double() / (self._size - 1)
        rms = torch.expm1(level * math.log1p(_MU)) / _MU
        carrier = self._carrier.reshape(self.num_codebooks, -1)
        return (rms[..., None] * carrier).float().reshape(len(codes), 1, -1)
