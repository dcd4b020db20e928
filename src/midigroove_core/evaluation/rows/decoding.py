"""From codes to clips at the evaluation's rate; what cannot be decoded costs no other clip."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip, FrameWindow
from midigroove_core.evaluation.base.failures import FAILURES, failure
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.source import Audio, ClipBatch

Offer = tuple[EvalClip, FrameWindow, NDArray[np.int64]]
"""A clip, the frames around it, and codes `[K, T]` of those frames."""


@dataclass(frozen=True)
class Decoder:
    """Decodes what rows offer.

    Attributes:
        sample_rate: of the clips that come out.
        journal: notes what fails, and the time.
    """

    sample_rate: int
    journal: Journal

    def clips(
        self, row: str, group: CodecGroup, offers: Sequence[Offer], batch: ClipBatch
    ) -> Iterator[tuple[EvalClip, Audio]]:
        """Audio `[C, S]` of each offered clip that has a reference."""
        wanted = [offer for offer in offers if offer[0].index in batch.references]
        if wanted:
            yield from self._decode(row, group, wanted)

    def _decode(
        self, row: str, group: CodecGroup, offers: Sequence[Offer]
    ) -> Iterator[tuple[EvalClip, Audio]]:
        clips, windows, codes = zip(*offers, strict=True)
        began = time.perf_counter()
        try:
            decoded = group.decode(clips, windows, codes)
        except FAILURES as error:
            if len(offers) == 1:
                self.journal.skip(clips[0].clip_id, row, failure("cannot be decoded", error))
                return
            for offer in offers:
                yield from self._decode(row, group, [offer])
            return
        seconds = time.perf_counter() - began
        self.journal.of(row).add("decode", seconds, [clip.index for clip in clips])
        for clip, audio in zip(clips, decoded, strict=True):
            yield clip, group.at_rate(clip, audio, self.sample_rate)


def windows_of(
    batch: ClipBatch, window: Callable[[EvalClip], FrameWindow], row: str, journal: Journal
) -> list[tuple[EvalClip, FrameWindow]]:
    """Each clip with its frames in a cache; clips that the cache lacks are noted."""
    found = []
    for clip in batch.clips:
        try:
            found.append((clip, window(clip)))
        except InputError as error:
            journal.skip(clip.clip_id, row, f"not in the cache: {error}")
    return found
