"""A codec with the cache of its codes: what all rows that play its codes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample
from midigroove_core.cache import Cache
from midigroove_core.coding.decode import decode_batch, window_context
from midigroove_core.errors import MismatchError
from midigroove_core.evaluation.base.clipset import EvalClip, FrameWindow, frame_window
from midigroove_core.interfaces.codec import Codec, bits_per_frame
from midigroove_core.scorecard.records import CacheFacts, CodecFacts, CodecLine, number


@dataclass
class CodecGroup:
    """A codec and the cache of its codes; systems that share them share its reference rows.

    Attributes:
        cache: true codes and performances.
        codec: decodes; None when only codes are scored.
        suffix: added to the names of its reference rows where there are several codecs.
    """

    cache: Cache
    codec: Codec | None
    suffix: str = ""

    @cached_property
    def entry_index(self) -> dict[str, int]:
        """Take -> its place in the cache."""
        return {entry.key: index for index, entry in enumerate(self.cache.entries)}

    def window(self, clip: EvalClip, before_sec: float = 0.0) -> FrameWindow:
        """The frames for a clip with the context that decoding needs, or `before_sec` if longer.

        Raises:
            InputError: the cache does not have the take, or not all of the clip.
        """
        left, right = window_context(self.codec) if self.codec is not None else (0, 0)
        before = max(left, round(before_sec * float(self.cache.clock.frame_rate)))
        entry = self.cache.entry(clip.take.key)
        return frame_window(clip, entry, self.cache.clock, before, right)

    def decode(
        self, clips: Sequence[EvalClip], windows: Sequence[FrameWindow],
        codes: Sequence[NDArray[np.int64]], levels: int | None = None,
    ) -> list[NDArray[np.float32]]:  # fmt: skip
        """Audio of each clip alone, `[C, S]` at the codec's rate, at the recording's level."""
        if self.codec is None:
            raise MismatchError("audio was not asked for, so no codec was loaded")
        clock = self.cache.clock
        result = []
        decoded = decode_batch(self.codec, codes, levels)
        for clip, window, audio in zip(clips, windows, decoded, strict=True):
            first, count = clip.samples(clock.sample_rate)
            offset = first - window.left * clock.hop_length
            result.append(audio[:, offset : offset + count] / np.float32(window.entry.gain))
        return result

    def at_rate(
        self, clip: EvalClip, audio: NDArray[np.float32], sample_rate: int
    ) -> NDArray[np.float32]:
        """A clip `[C, S]` at the codec's rate at another one, to the sample."""
        _, count = clip.samples(sample_rate)
        found = resample(audio, self.cache.clock.sample_rate, sample_rate)[:, :count]
        return np.pad(found, ((0, 0), (0, count - found.shape[1])))

    def bits_per_second(self, levels: int | None = None) -> float:
        """What the first so many levels cost, every code equally likely; None for all."""
        books = [b for b in self.cache.codebooks if levels is None or b.level < levels]
        return bits_per_frame(books) * float(self.cache.clock.frame_rate)

    @property
    def line(self) -> CodecLine:
        """The codec, as the summary has it."""
        clock, books = self.cache.clock, self.cache.codebooks
        return CodecLine(
            self.oracle, self.cache.path.name, self.cache.header["codec_id"], clock.sample_rate,
            number(float(clock.frame_rate)), len(books), books[-1].level + 1,
            number(self.bits_per_second()),
        )  # fmt: skip

    @property
    def oracle(self) -> str:
        """Name of its oracle row."""
        return f"oracle{self.suffix}"

    @property
    def cache_facts(self) -> CacheFacts:
        """The cache, as the manifest has it."""
        return CacheFacts(self.cache.path.name, self.cache.fingerprint, self.facts)

    @property
    def facts(self) -> CodecFacts:
        """The codec, as the manifest has it."""
        header = self.cache.header
        return CodecFacts(header["codec_id"], header["codec_config"], header["weights_sha"])
