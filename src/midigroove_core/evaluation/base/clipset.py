"""The clips that everything is judged on, in seconds, so that systems of any codec share them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache import Cache, CacheEntry
from midigroove_core.cache.clips import cut_clips
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError
from midigroove_core.midi import DrumPerformance


@dataclass(frozen=True, eq=False)
class EvalClip:
    """A window of a take.

    Attributes:
        index: its number in this evaluation.
        entry: the take, as the first system's cache has it.
        performance: the events of the whole take.
        start_sec, end_sec: the window; its borders are frame borders of the first system's codec.
    """

    index: int
    entry: CacheEntry
    performance: DrumPerformance
    start_sec: float
    end_sec: float

    @property
    def clip_id(self) -> str:
        """Take and start in milliseconds; the same for every codec up to a frame."""
        return f"{self.entry.key}@{round(self.start_sec * 1000)}"

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


def judged_entries(caches: Sequence[Cache], split: str, intersection: bool) -> list[CacheEntry]:
    """The takes of the first cache's split; with `intersection` only those that all caches have."""
    entries = caches[0].split(split)
    if intersection:
        for cache in caches[1:]:
            there = {entry.key for entry in cache.entries}
            entries = [entry for entry in entries if entry.key in there]
    return entries


def eval_clips(
    caches: Sequence[Cache],
    split: str,
    *,
    beats: int,
    intersection: bool,
    max_items: int,
    seed: int,
) -> list[EvalClip]:
    """The clips of the first cache's split, in its order.

    Args:
        caches: one per system.
        split: which takes.
        beats: length of a clip.
        intersection: leave out takes that not every cache has.
        max_items: keep so many, drawn with the seed; 0 keeps all.
        seed: of the draw.

    Raises:
        InputError: there are no clips; says which splits there are.
    """
    first = caches[0]
    kept_keys = {entry.key for entry in judged_entries(caches, split, intersection)}
    clips = []
    for clip in cut_clips(first, split, beats=beats):
        entry = first.entries[clip.entry_index]
        if entry.key in kept_keys:
            edges = first.clock.frames_to_seconds(
                [clip.start_frame, clip.start_frame + clip.num_frames]
            )
            clips.append((entry, float(edges[0]), float(edges[1])))
    if not clips:
        there = ", ".join(sorted({entry.split for entry in first.entries}))
        raise InputError(f"{first.path}: no clips in split {split!r} (the cache has {there})")
    if 0 < max_items < len(clips):
        chosen = np.random.default_rng(seed).choice(len(clips), max_items, replace=False)
        clips = [clips[index] for index in sorted(chosen)]
    return [
        EvalClip(index, entry, first.performance(entry), start, end)
        for index, (entry, start, end) in enumerate(clips)
    ]
