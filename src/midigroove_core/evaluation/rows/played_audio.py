"""Rows that need no codec: the recording itself, silence, and the built-in sampler."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.references import References
from midigroove_core.evaluation.rows.source import ClipBatch, Played, RowSource
from midigroove_core.kits import sampler
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.scorecard.rows import Row, RowKind

SAMPLER_LEAD_SEC = 8.0
"""Hits so long before a clip are left out of it: even a crash has died away."""


class RecordingSource(RowSource):
    """The recording under every metric: its onset figures are the detector's own limit."""

    def __init__(self, oracle: str | None) -> None:
        self.row = Row(RowKind.RECORDING.value, RowKind.RECORDING, None, oracle)

    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """See `RowSource`."""
        for clip in batch.clips:
            if clip.index in batch.references:
                yield Played(self.row, clip, audio=batch.recorded[clip.index])


class SilenceSource(RowSource):
    """Zeros."""

    def __init__(self, oracle: str | None) -> None:
        self.row = Row(RowKind.SILENCE.value, RowKind.SILENCE, None, oracle)

    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """See `RowSource`."""
        for clip in batch.clips:
            if clip.index in batch.references:
                silence = np.zeros_like(batch.references[clip.index].audio)
                yield Played(self.row, clip, audio=silence[None])


class SamplerSource(RowSource):
    """The built-in sampler, for takes whose kit has the name of a built-in one."""

    def __init__(
        self,
        oracle: str | None,
        references: References,
        clips: Sequence[EvalClip],
        journal: Journal,
    ) -> None:
        self.row = Row(RowKind.SAMPLER.value, RowKind.SAMPLER, None, oracle)
        self._sampler = BuiltinSampler(references, clips)
        self._journal = journal

    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """See `RowSource`."""
        for clip in batch.clips:
            if clip.index not in batch.references:
                continue
            began = time.perf_counter()
            played = self._sampler.audio(clip)
            if played is not None:
                spent = self._journal.of(self.row.name)
                spent.add("decode", time.perf_counter() - began, [clip.index])
                yield Played(self.row, clip, audio=played[None])


class BuiltinSampler:
    """The built-in sampler, for takes whose kit is one of the built-in kits.

    A dataset may have been recorded at another level, so each kit's level is that of the reference
    on the first of all clips that it plays, whichever of them this process was given.

    Args:
        references: what clips are compared with, and at which rate.
        clips: all that are judged.
    """

    def __init__(self, references: References, clips: Sequence[EvalClip]) -> None:
        self._references, self._clips = references, clips
        self._sample_rate = references.sample_rate
        self._known = {info.id.casefold() for info in list_kits()}
        self._kits: dict[str, Kit] = {}
        self._gains: dict[str, float] = {}

    def kit(self, name: str) -> Kit | None:
        """The built-in kit of that name, or None."""
        folded = name.casefold()
        if folded not in self._known:
            return None
        if folded not in self._kits:
            self._kits[folded] = load_kit(folded)
        return self._kits[folded]

    def audio(self, clip: EvalClip) -> NDArray[np.float32] | None:
        """The clip `[S]` as the sampler plays it, hits of before still ringing; None if unknown."""
        kit = self.kit(clip.take.kit)
        if kit is None:
            return None
        if kit.name not in self._gains:
            self._gains[kit.name] = self._gain(kit)
        return self._play(clip, kit) * np.float32(self._gains[kit.name])

    def _gain(self, kit: Kit) -> float:
        for clip in self._clips:
            if self.kit(clip.take.kit) is kit:
                try:
                    reference = self._references.clip(clip)
                except InputError:
                    continue
                gain = rms(reference.audio) / max(rms(self._play(clip, kit)), 1e-9)
                if 0.01 < gain < 100.0:  # a clip without sound says nothing about the level
                    return gain
        return 1.0

    def _play(self, clip: EvalClip, kit: Kit) -> NDArray[np.float32]:
        # At the kit's own rate and from a whole second on, so that every hit starts on the very
        # sample on which it starts in a render of the whole take, and then resampled.
        rate = kit.sample_rate
        start_sec = max(0, math.floor(clip.start_sec - SAMPLER_LEAD_SEC))
        stop_sec = math.ceil(clip.end_sec) + 1  # a hit after the clip may choke one inside it
        part = clip.performance.slice(start_sec, stop_sec)
        audio = sampler.render(
            part, kit, sample_rate=rate, num_samples=(stop_sec - start_sec) * rate
        )
        first, count = clip.samples(self._sample_rate)
        offset = first - start_sec * self._sample_rate
        return resample(audio, rate, self._sample_rate)[offset : offset + count]


def rms(audio: NDArray[np.float32]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
