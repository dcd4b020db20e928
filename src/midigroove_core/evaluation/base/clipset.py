"""The clips that everything is judged on, in seconds, so that systems of any codec share them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache import CacheEntry
from midigroove_core.cache.cutting import Cutting
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.base.takes import JudgedTake, TakeSource
from midigroove_core.midi import DrumPerformance
from midigroove_core.scorecard.records import JudgedClip


@dataclass(frozen=True, eq=False)
class EvalClip:
    """A window of a take.

    Attributes:
        index: its number in this evaluation.
        take: whose.
        performance: the events of the whole take.
        start_sec, end_sec: the window.
    """

    index: int
    take: JudgedTake
    performance: DrumPerformance
    start_sec: float
    end_sec: float

    @property
    def clip_id(self) -> str:
        """Take and start in milliseconds."""
        return f"{self.take.key}@{round(self.start_sec * 1000)}"

    @property
    def duration_sec(self) -> float:
        """Length in seconds."""
        return self.end_sec - self.start_sec

    @cached_property
    def _inside(self) -> slice:
        onsets = self.performance.onset_sec
        first, last = np.searchsorted(onsets, [self.start_sec, self.end_sec])
        return slice(int(first), int(last))

    @property
    def onsets_sec(self) -> NDArray[np.float64]:
        """Raw MIDI onset times from the clip's start, of the hits struck inside it only."""
        return self.performance.onset_sec[self._inside] - self.start_sec

    @property
    def pitches(self) -> NDArray[np.int64]:
        """Pitches of `onsets_sec`."""
        return self.performance.pitch[self._inside]

    @property
    def velocities(self) -> NDArray[np.int64]:
        """Velocities of `onsets_sec`."""
        return self.performance.velocity[self._inside]

    @property
    def judged(self) -> JudgedClip:
        """What tables say of it."""
        take = self.take
        return JudgedClip(
            self.clip_id, take.key, take.performance_key, take.kit, take.drummer, take.style,
            take.bpm, self.start_sec, self.duration_sec, len(self.onsets_sec),
        )  # fmt: skip

    def samples(self, sample_rate: int) -> tuple[int, int]:
        """First sample and number of samples at a rate."""
        first = round(self.start_sec * sample_rate)
        return first, round(self.end_sec * sample_rate) - first


@dataclass(frozen=True)
class FrameWindow:
    """The frames of one take that a clip needs, in one codec's clock.

    Attributes:
        entry: the take in that codec's cache.
        start, stop: frames that cover the clip.
        left, right: the same with context, inside the take.
    """

    entry: CacheEntry
    start: int
    stop: int
    left: int
    right: int

    @property
    def num_frames(self) -> int:
        """Frames with context."""
        return self.right - self.left

    @property
    def inner(self) -> slice:
        """Where the clip's own frames lie inside the window."""
        return slice(self.start - self.left, self.stop - self.left)


def frame_window(
    clip: EvalClip, entry: CacheEntry, clock: FrameClock, left: int, right: int
) -> FrameWindow:
    """The frames of `entry` that cover the clip, and up to `left` and `right` frames around them.

    Raises:
        InputError: the take is too short in this cache.
    """
    first, last = clock.seconds_to_frames([clip.start_sec, clip.end_sec])
    start, stop = math.floor(first + 1e-6), math.ceil(last - 1e-6)
    if start < 0 or stop > entry.num_frames or stop <= start:
        raise InputError(
            f"clip outside the take: frames {start} to {stop} of {entry.num_frames} in the cache"
        )
    return FrameWindow(
        entry, start, stop, max(0, start - left), min(entry.num_frames, stop + right)
    )


def eval_clips(
    source: TakeSource,
    takes: Sequence[JudgedTake],
    *,
    cutting: Cutting,
    max_items: int,
    seed: int,
    journal: Journal | None = None,
) -> list[EvalClip]:
    """Windows of every take, in their order, as training cuts them.

    Their edges are whole milliseconds and depend on no codec, so evaluations of different codecs
    judge the same clips.

    Args:
        source: of performances.
        takes: which of its takes.
        cutting: how takes are cut.
        max_items: keep so many, drawn with the seed, a smaller draw being part of any larger one;
            0 keeps all.
        seed: of the draw.
        journal: told which takes cannot be read; without it that is an error.

    Raises:
        InputError: there are no clips.
    """
    clips: list[tuple[JudgedTake, float, float]] = []
    for take in takes:
        try:
            edges = _edges_sec(source.performance(take), source.duration_sec(take), cutting)
        except InputError as error:
            if journal is None:
                raise
            journal.skip(take.key, "", f"take cannot be read: {error}")
            continue
        clips += [(take, start, end) for start, end in edges]
    if not clips:
        raise InputError(f"{source.where}: none of {len(takes)} takes can be read")
    if 0 < max_items < len(clips):
        chosen = np.random.default_rng(seed).permutation(len(clips))[:max_items]
        clips = [clips[index] for index in sorted(chosen)]
    return [
        EvalClip(index, take, source.performance(take), start, end)
        for index, (take, start, end) in enumerate(clips)
    ]


def _edges_sec(
    performance: DrumPerformance, duration_sec: float, cutting: Cutting
) -> list[tuple[float, float]]:
    """Start and end of each window, in whole milliseconds; see `cache.clips`, which has frames."""
    end_sec = math.floor(duration_sec * 1000) / 1000
    found: list[tuple[float, float]] = []
    for start, end in np.round(cutting.edges(lambda: performance, end_sec), 3).tolist():
        inside = min(end, end_sec) - start
        if inside > 0 and (2 * inside >= end - start or not found):
            found.append((start, min(end, end_sec)))
    return found
