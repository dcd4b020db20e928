"""Long codes from short windows: which windows to predict, and which frames of each to keep.

A model has a length that it was trained on; a performance has any length. Windows of equal length
overlap, and neighbours meet in the middle of their overlap, so that every frame that is kept has
been predicted with context on both sides (except at the two ends of the performance, where there
is none). What is joined is codes, frame by frame; the codec then decodes the joined codes as one,
so that no cross-fade is needed and no window border exists in the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import MidigrooveError


@dataclass(frozen=True)
class Window:
    """Frames [start, stop) are predicted, frames [keep_start, keep_stop) are kept."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def plan_windows(
    num_frames: int, window_frames: int, overlap_frames: int, *, before: int | None = None
) -> list[Window]:
    """Windows that cover [0, num_frames) with equal lengths; what they keep is a partition.

    Args:
        num_frames: frames to cover, at least 1.
        window_frames: length of a window; a shorter performance is one window of its own length.
        overlap_frames: least overlap of neighbours, less than `window_frames`. The last window is
            moved back to end with the performance, so its overlap may be larger.
        before: how many frames of its own a window sees before those that are kept of it; None
            meets in the middle of the overlap.

    Raises:
        MidigrooveError: lengths that make no sense.
    """
    if num_frames < 1 or window_frames < 1 or not 0 <= overlap_frames < window_frames:
        raise MidigrooveError(
            f"cannot cover {num_frames} frames with windows of {window_frames} that overlap "
            f"by {overlap_frames}; the overlap must be shorter than the window"
        )
    if num_frames <= window_frames:
        return [Window(0, num_frames, 0, num_frames)]
    step = window_frames - overlap_frames
    starts = list(range(0, num_frames - window_frames, step)) + [num_frames - window_frames]
    joins = [
        (following + start + window_frames) // 2 if before is None else following + before
        for start, following in zip(starts, starts[1:], strict=False)
    ]
    edges = [0, *joins, num_frames]
    return [
        Window(start, start + window_frames, edges[index], edges[index + 1])
        for index, start in enumerate(starts)
    ]


def stitch(windows: Sequence[Window], codes: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Joins the codes `[K, T_window]` of each window into `[K, T]`.

    Raises:
        MidigrooveError: a window's codes do not have the window's length.
    """
    parts = []
    for window, part in zip(windows, codes, strict=True):
        if part.shape[1] != window.stop - window.start:
            raise MidigrooveError(
                f"a window of {window.stop - window.start} frames got codes of shape {part.shape}"
            )
        parts.append(part[:, window.keep_start - window.start : window.keep_stop - window.start])
    return np.concatenate(parts, axis=1)


def joins(windows: Sequence[Window]) -> list[int]:
    """Frames at which one window's codes end and the next one's begin."""
    return [window.keep_start for window in windows[1:]]
