"""The codec contract: a frozen tokenizer between audio and discrete codes.

This module imports no torch, so that `midigroove codecs` can list codecs in a blink;
implementations should import torch inside their methods or constructor too.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.interfaces.construct import construct

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Codebook:
    """One of the K rows of codes.

    Attributes:
        size: V of this row; its codes lie in [0, size).
        level: which level of the codec it belongs to; 0 is the coarsest.
        slot: a level that gives several codes per frame has as many rows; this is the place of
            this row's code among them, in order of time.
        slots: how many rows the level has.
    """

    size: int
    level: int
    slot: int = 0
    slots: int = 1

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int:
                raise InputError(f"codebook: {name} is {value!r}, expected an integer")
        if self.size < 2 or self.level < 0 or not 0 <= self.slot < self.slots:
            raise InputError(f"{self}: size is 2 or more, level 0 or more, slot less than slots")

    def to_json(self) -> dict[str, int]:
        """The four numbers, for headers."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Codebook:
        """What `to_json` gave.

        Raises:
            InputError: something else.
        """
        return construct(cls, value, "codebook")


def residual_codebooks(count: int, size: int) -> tuple[Codebook, ...]:
    """One row per level, all of one size, as residual quantizers have them."""
    return tuple(Codebook(size, level) for level in range(count))


def read_codebooks(facts: Mapping[str, Any]) -> tuple[Codebook, ...]:
    """The codebooks that `Codec.facts()` recorded in a cache or a checkpoint.

    Raises:
        InputError: there are none, or they are not as `facts` writes them.
    """
    rows = facts.get("codebooks")
    if not isinstance(rows, list) or not rows:
        raise InputError(f"codebooks are {rows!r}, expected an object per row of codes")
    return tuple(Codebook.from_json(row) for row in rows)


class Codec(ABC):
    """A neural audio codec with fixed weights.

    The class attributes are the facts of the variant as `midigroove codecs` shows them; an instance
    may override them (a bandwidth that was asked for, say), and they never change afterwards.

    Attributes:
        codec_id: registry id, such as `dac_44khz`.
        clock: sample rate and hop length.
        channels: audio channels C that encode takes and decode gives.
        codebooks: one for each of the K rows of codes, level by level, coarsest first, and within
            a level in order of slots. A codec whose levels run at different rates has one row per
            slot of the slowest level's frame.
        decodes_prefix: whether `decode` can do with the coarser levels alone.
        license: licence of the weights (an SPDX id, or a short name).
        encode_reach: (left, right) frames of context with which encoding a chunk gives exactly what
            the whole gives, (left, 0) for a causal encoder; None when no finite context does, and
            then the whole take must be encoded at once.
        decode_reach: the same for decoding; None as above.
        segment_frames: a codec that cannot encode a long take as a whole cuts it itself, by
            `split_frames`, into parts of at most this many frames and encodes each by itself;
            None when `encode` never cuts.
        latent_dim: D of the latents that `embed`, `decode_latents` and `quantize` speak of; None
            where the codec has no such thing.
    """

    codec_id: ClassVar[str]
    clock: FrameClock
    channels: int = 1
    codebooks: tuple[Codebook, ...]
    decodes_prefix: bool = False
    license: str
    encode_reach: tuple[int, int] | None
    decode_reach: tuple[int, int] | None
    segment_frames: int | None = None
    latent_dim: int | None = None

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON, without local paths: equal configs mean equal codecs."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, path: str | None = None) -> Self:
        """Builds a codec from `get_config()`.

        Args:
            config: what `get_config` returned.
            path: a local directory (or file) with the weights, for codecs that are otherwise
                fetched from a hub. Where weights lie is not part of what a codec is.

        Raises:
            MidigrooveError: an unknown argument, or weights that cannot be had; says what to do.
        """
        if "path" in config:  # a stranger's cache or checkpoint would choose a file of ours
            raise InputError(f"codec {cls.codec_id}: a config names no path; give it as `path`")
        arguments = dict(config) if path is None else {**config, "path": path}
        return construct(cls, arguments, f"codec {cls.codec_id}")

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
            codes [B, K, T] int64, row k in [0, codebooks[k].size), with T = ceil(S / hop_length).
        """

    @abstractmethod
    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        """Codes to audio.

        Args:
            codes: [B, K, T] int64, row k in [0, codebooks[k].size), T >= 1.
            levels: decode from the first so many levels only; the rows of the others are there but
                are not looked at. None takes all. Fewer than all need `decodes_prefix`.

        Returns:
            audio [B, C, T * hop_length] float32.
        """

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes [B, K, T] to what the decoder reads, the sum of the code vectors: [B, D, T].

        Raises:
            MidigrooveError: this codec has no latents.
        """
        raise self._no_latents()

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents [B, D, T] float32 to audio [B, C, T * hop_length].

        Raises:
            MidigrooveError: this codec has no latents.
        """
        raise self._no_latents()

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        """The codes [B, K, T] whose `embed` comes near latents [B, D, T].

        Raises:
            MidigrooveError: this codec has no latents.
        """
        raise self._no_latents()

    def _no_latents(self) -> MidigrooveError:
        return MidigrooveError(f"codec {self.codec_id} has no latents; it gives codes only")

    @abstractmethod
    def to(self, device: str | torch.device) -> Self:
        """Moves the weights; returns self."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the weights are."""

    @property
    def num_codebooks(self) -> int:
        """K, the number of rows of codes."""
        return len(self.codebooks)

    @property
    def num_levels(self) -> int:
        """How many levels the rows belong to."""
        return self.codebooks[-1].level + 1

    def num_rows(self, levels: int | None) -> int:
        """How many rows, from the first, the first `levels` levels have; None means all."""
        if levels is None:
            return self.num_codebooks
        return sum(book.level < levels for book in self.codebooks)

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """The facts of the default configuration, from class attributes alone, as JSON."""
        return {
            **cls.clock.to_json(),
            "frame_rate": float(cls.clock.frame_rate),
            "channels": cls.channels,
            "codebooks": [book.to_json() for book in cls.codebooks],
            "kbit_per_second": bits_per_frame(cls.codebooks) * float(cls.clock.frame_rate) / 1000,
            "license": cls.license,
            "weights_here": cls.weights_here(),
        }

    @property
    def bits_per_second(self) -> float:
        """The sum of log2(size) over the rows, times the frame rate."""
        return bits_per_frame(self.codebooks) * float(self.clock.frame_rate)

    def facts(self) -> dict[str, Any]:
        """What caches and checkpoints record, as JSON."""
        return {
            "codec_id": self.codec_id,
            **self.clock.to_json(),
            "channels": self.channels,
            "codebooks": [book.to_json() for book in self.codebooks],
            "license": self.license,
        }


def bits_per_frame(codebooks: Iterable[Codebook]) -> float:
    """The sum of log2(size) over rows: what a frame costs when every code is equally likely."""
    return sum(math.log2(book.size) for book in codebooks)


def shape_of_codebooks(codebooks: Iterable[Codebook]) -> str:
    """Rows and sizes in a few characters: `8 x 1024`, or `1 x 4096 + 2 x 1024`."""
    counts: list[list[int]] = []
    for book in codebooks:
        if counts and counts[-1][1] == book.size:
            counts[-1][0] += 1
        else:
            counts.append([1, book.size])
    return " + ".join(f"{count} x {size}" for count, size in counts)


def split_frames(num_frames: int, segment_frames: int) -> list[tuple[int, int]]:
    """Cuts a take into the fewest parts of at most `segment_frames`, as equal as can be.

    Equal parts, so that no take ends in a part of a frame or two.

    Returns:
        (start, length) in frames; lengths differ by at most one.
    """
    parts = max(1, math.ceil(num_frames / segment_frames))
    bounds = [num_frames * i // parts for i in range(parts + 1)]
    return [(start, stop - start) for start, stop in zip(bounds, bounds[1:], strict=False)]
