"""The codec contract: a frozen tokenizer between audio and discrete codes.

This module imports no torch, so that `midigroove codecs` can list codecs in a blink;
implementations should import torch inside their methods or constructor too.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError, MidigrooveError

if TYPE_CHECKING:
    import torch


class Codec(ABC):
    """A neural audio codec with fixed weights.

    The class attributes are the facts of the variant as `midigroove codecs` shows them; an instance
    may override them (a bandwidth that was asked for, say), and they never change afterwards.

    Attributes:
        codec_id: registry id, such as `dac_44khz`.
        clock: sample rate and hop length.
        channels: audio channels C that encode takes and decode gives.
        num_codebooks: K.
        codebook_size: V; codes lie in [0, V).
        license: licence of the weights (an SPDX id, or a short name).
        context_frames: frames of context on each side with which encoding or decoding a chunk
            gives exactly what the whole gives; None when no finite context does, and then the
            whole take must be encoded at once.
        decode_context_frames: the same for decoding; None as above.
        segment_frames: a codec that cannot encode a long take as a whole cuts it itself, by
            `split_frames`, into parts of at most this many frames and encodes each by itself;
            None when `encode` never cuts.
    """

    codec_id: ClassVar[str]
    clock: FrameClock
    channels: int = 1
    num_codebooks: int
    codebook_size: int
    license: str
    context_frames: int | None
    decode_context_frames: int | None
    segment_frames: int | None = None

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON, without local paths: equal configs mean equal codecs."""

    @classmethod
    def from_config(cls, config: dict[str, Any], *, path: str | None = None) -> Self:
        """Builds a codec from `get_config()`.

        Args:
            config: what `get_config` returned.
            path: a local directory (or file) with the weights, for codecs that are otherwise
                fetched from a hub. Where weights lie is not part of what a codec is.

        Raises:
            MidigrooveError: an unknown argument, or weights that cannot be had; says what to do.
        """
        try:
            return cls(**config if path is None else {**config, "path": path})
        except TypeError as error:
            raise MidigrooveError(f"codec {cls.codec_id}: {error}") from error

    @classmethod
    def weights_here(cls) -> bool:
        """Whether the default weights are on this machine, without loading anything."""
        return True

    @property
    @abstractmethod
    def weights_sha(self) -> str:
        """SHA-256 over the names, shapes and values of all weights, as hexadecimal."""

    @abstractmethod
    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        """Audio to codes.

        Args:
            audio: [B, C, S] float32 at `clock.sample_rate`, S >= 1.

        Returns:
            codes [B, K, T] int64 in [0, V) with T = ceil(S / hop_length).
        """

    @abstractmethod
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes to audio.

        Args:
            codes: [B, K, T] int64 in [0, V), T >= 1.

        Returns:
            audio [B, C, T * hop_length] float32.
        """

    @abstractmethod
    def to(self, device: str | torch.device) -> Self:
        """Moves the weights; returns self."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the weights are."""

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """The facts of the default configuration, from class attributes alone, as JSON."""
        bits = cls.num_codebooks * math.log2(cls.codebook_size) * float(cls.clock.frame_rate)
        return {
            **cls.clock.to_json(),
            "frame_rate": float(cls.clock.frame_rate),
            "channels": cls.channels,
            "num_codebooks": cls.num_codebooks,
            "codebook_size": cls.codebook_size,
            "kbit_per_second": bits / 1000,
            "license": cls.license,
            "weights_here": cls.weights_here(),
        }

    @property
    def bits_per_second(self) -> float:
        """K * log2(V) * frame rate."""
        return self.num_codebooks * math.log2(self.codebook_size) * float(self.clock.frame_rate)

    def facts(self) -> dict[str, Any]:
        """What caches and checkpoints record, as JSON."""
        return {
            "codec_id": self.codec_id,
            **self.clock.to_json(),
            "channels": self.channels,
            "num_codebooks": self.num_codebooks,
            "codebook_size": self.codebook_size,
            "license": self.license,
        }


def check_audio(codec: Codec, audio: torch.Tensor) -> None:
    """Raises InputError unless `audio` is finite float32 [B >= 1, C, S >= 1] for this codec."""
    import torch

    if not isinstance(audio, torch.Tensor):
        raise InputError(f"{codec.codec_id}: audio is {type(audio).__name__}, expected a tensor")
    shape = tuple(audio.shape)
    if audio.ndim != 3 or audio.shape[1] != codec.channels or 0 in shape:
        raise InputError(
            f"{codec.codec_id}: audio has shape {shape}, expected [B, {codec.channels}, S] "
            f"with at least one sample"
        )
    if audio.dtype != torch.float32:
        raise InputError(f"{codec.codec_id}: audio is {audio.dtype}, expected torch.float32")
    if not bool(torch.isfinite(audio).all()):
        raise InputError(f"{codec.codec_id}: audio has NaN or infinite samples")


def check_codes(codec: Codec, codes: torch.Tensor) -> None:
    """Raises InputError unless `codes` is int64 [B >= 1, K, T >= 1] in [0, V) for this codec."""
    import torch

    if not isinstance(codes, torch.Tensor):
        raise InputError(f"{codec.codec_id}: codes are {type(codes).__name__}, expected a tensor")
    shape = tuple(codes.shape)
    if codes.ndim != 3 or codes.shape[1] != codec.num_codebooks or 0 in shape:
        raise InputError(
            f"{codec.codec_id}: codes have shape {shape}, expected "
            f"[B, {codec.num_codebooks}, T] with at least one frame"
        )
    if codes.dtype != torch.int64:
        raise InputError(f"{codec.codec_id}: codes are {codes.dtype}, expected torch.int64")
    low, high = (int(value) for value in torch.aminmax(codes))
    if low < 0 or high >= codec.codebook_size:
        raise InputError(
            f"{codec.codec_id}: codes lie in [{low}, {high}], expected [0, {codec.codebook_size})"
        )


def split_frames(num_frames: int, segment_frames: int) -> list[tuple[int, int]]:
    """Cuts a take into the fewest parts of at most `segment_frames`, as equal as can be.

    Equal parts, so that no take ends in a part of a frame or two.

    Returns:
        (start, length) in frames; lengths differ by at most one.
    """
    parts = max(1, math.ceil(num_frames / segment_frames))
    bounds = [num_frames * i // parts for i in range(parts + 1)]
    return [(start, stop - start) for start, stop in zip(bounds, bounds[1:], strict=False)]


def sha256_of_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over names, dtypes, shapes and values, in order of name; for `weights_sha`."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
