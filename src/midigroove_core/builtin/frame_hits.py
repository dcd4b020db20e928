"""Hits sorted into lanes and laid on frames: what every grid of drum hits starts from."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core.clock import FrameClock
from midigroove_core.midi import DrumPerformance

T = TypeVar("T")

_LANE_SHIFT = 40
"""A hit's sort key is lane << 40 | frame; no take has 2**40 frames."""


@dataclass(frozen=True)
class FrameHits:
    """The hits of one performance on one clock, at most one per lane and frame.

    Hits of one lane that fall into one frame (0.2 % of human hits) are one entry: its velocity is
    the loudest, its time the first, and `count` says how many there were. Arrays have M + 1
    entries sorted by lane, then time; entry 0 stands for "no hit yet" (silent, infinitely long
    ago), so that an index array can point at it.

    Attributes:
        key: [M] lane << 40 | frame.
        lane: [M + 1] lane of each entry.
        frame: [M + 1] absolute frame.
        offset: [M + 1] place of the first hit inside the frame, in [0, 1).
        onset_sec: [M + 1] time of the first hit; -inf for entry 0.
        velocity: [M + 1] the louder hit's velocity / 127.
        count: [M + 1] hits.
        lane_start: [L + 1] entry index at which each lane begins.
    """

    key: NDArray[np.int64]
    lane: NDArray[np.int64]
    frame: NDArray[np.int64]
    offset: NDArray[np.float64]
    onset_sec: NDArray[np.float64]
    velocity: NDArray[np.float32]
    count: NDArray[np.float32]
    lane_start: NDArray[np.int64]

    def window(self, start_frame: int, num_frames: int) -> NDArray[np.int64]:
        """Entries whose hits fall inside [start_frame, start_frame + num_frames)."""
        inside = (self.frame >= start_frame) & (self.frame < start_frame + num_frames)
        inside[0] = False
        return np.flatnonzero(inside)

    def last(
        self, start_frame: int, num_frames: int, window: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """For each lane and frame the entry of the latest hit up to and including that frame.

        Args:
            start_frame, num_frames: the frames.
            window: what `window(start_frame, num_frames)` returned.

        Returns:
            [L, T] entry indices; 0 where the lane has not been hit yet.
        """
        lanes = np.arange(len(self.lane_start) - 1, dtype=np.int64)
        before = (lanes << _LANE_SHIFT) + max(start_frame, 0)
        carried = np.searchsorted(self.key, before, side="left")
        index = np.zeros((len(lanes), num_frames), dtype=np.int64)
        index[:, 0] = np.where(carried >= self.lane_start[:-1], carried, 0)
        index[self.lane[window], self.frame[window] - start_frame] = window
        return np.maximum.accumulate(index, axis=1)


def lay_hits(
    performance: DrumPerformance, clock: FrameClock, lane_of_pitch: NDArray[np.int64], lanes: int
) -> FrameHits:
    """Sorts the hits of a performance into lanes and frames.

    Args:
        performance: the hits.
        clock: the frames.
        lane_of_pitch: [128] lane of each pitch; -1 leaves the pitch out.
        lanes: number of lanes L.
    """
    lane = lane_of_pitch[performance.pitch]
    frame, offset = clock.split(performance.onset_sec)
    key = (lane << _LANE_SHIFT) + frame
    order = np.argsort(key, kind="stable")
    order = order[lane[order] >= 0]
    key, first, count = np.unique(key[order], return_index=True, return_counts=True)
    velocity = performance.velocity[order].astype(np.float32) / 127.0
    loudest = np.maximum.reduceat(velocity, first) if len(first) else velocity
    entry = order[first]

    def with_none(values: NDArray[Any], none: float) -> NDArray[Any]:
        return np.concatenate([np.array([none], dtype=values.dtype), values])

    return FrameHits(
        key=key,
        lane=with_none(lane[entry], -1),
        frame=with_none(frame[entry], -1),
        offset=with_none(offset[entry], 0.0),
        onset_sec=with_none(performance.onset_sec[entry], -np.inf),
        velocity=with_none(loudest, 0.0),
        count=with_none(count.astype(np.float32), 0.0),
        lane_start=1 + np.searchsorted(key, np.arange(lanes + 1, dtype=np.int64) << _LANE_SHIFT),
    )


def hat_steps(
    performance: DrumPerformance, articulation: NDArray[np.object_]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """How open the hi-hat is, as steps: times and the openness in [0, 1] from each time on.

    In recordings of Roland modules (GMD, E-GMD) a high CC4 is a pedal that is down, with a plateau
    at 90: openness = 1 - min(cc4, 90) / 90. Until the first CC4 event, and in a performance
    without any, the hits themselves say it: open after an open hit, closed after a closed or pedal
    hit. Before anything is known the hat counts as closed.

    Args:
        performance: the performance.
        articulation: [N] articulation id of each hit, None for what is no drum.
    """
    first_cc4 = performance.cc4_sec[0] if len(performance.cc4_sec) else np.inf
    is_open = articulation == "hat_open"
    says = is_open | (articulation == "hat_closed") | (articulation == "hat_pedal")
    says &= performance.onset_sec < first_cc4
    time = np.concatenate([[-np.inf], performance.onset_sec[says], performance.cc4_sec])
    from_cc4 = 1.0 - np.minimum(performance.cc4_value, 90) / 90.0
    openness = np.concatenate([[0.0], is_open[says], from_cc4]).astype(np.float32)
    return time, openness


class PerFrameMemo(Generic[T]):
    """Remembers one value per performance and clock for as long as the performance lives."""

    def __init__(self) -> None:
        self._values: weakref.WeakKeyDictionary[DrumPerformance, dict[FrameClock, T]]
        self._values = weakref.WeakKeyDictionary()

    def get(self, performance: DrumPerformance, clock: FrameClock) -> T | None:
        """The value, or None when there is none yet."""
        return self._values.get(performance, {}).get(clock)

    def put(self, performance: DrumPerformance, clock: FrameClock, value: T) -> T:
        """Remembers `value` and returns it."""
        self._values.setdefault(performance, {})[clock] = value
        return value
