"""Windows that overlap, and codes joined in the middle of the overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from midigroove_core.coding.windows import joins, plan_windows, stitch
from midigroove_core.errors import MidigrooveError


@pytest.mark.parametrize("num_frames", [1, 9, 10, 11, 17, 20, 63, 64, 65, 1000])
@pytest.mark.parametrize("overlap", [0, 1, 4, 9])
def test_windows_keep_every_frame_once(num_frames: int, overlap: int) -> None:
    windows = plan_windows(num_frames, 10, overlap)
    kept = [f for window in windows for f in range(window.keep_start, window.keep_stop)]
    assert kept == list(range(num_frames))
    assert {window.stop - window.start for window in windows} == {min(10, num_frames)}
    assert windows[0].start == 0 and windows[-1].stop == num_frames


def test_joins_have_context_on_both_sides() -> None:
    windows = plan_windows(1000, 100, 30)
    for before, after in zip(windows, windows[1:], strict=False):
        join = after.keep_start
        assert before.keep_stop == join
        assert before.stop - join >= 15 and join - after.start >= 15
    assert joins(windows)[0] == (70 + 100) // 2


def test_a_window_shorter_than_asked_is_whole() -> None:
    (window,) = plan_windows(7, 100, 50)
    assert (window.start, window.stop, window.keep_start, window.keep_stop) == (0, 7, 0, 7)


@pytest.mark.parametrize(("frames", "window", "overlap"), [(0, 10, 2), (5, 0, 0), (50, 10, 10)])
def test_impossible_plans_are_named(frames: int, window: int, overlap: int) -> None:
    with pytest.raises(MidigrooveError, match="overlap"):
        plan_windows(frames, window, overlap)


def test_stitch_gives_each_frame_its_own_code() -> None:
    windows = plan_windows(137, 20, 7)
    truth = np.arange(2 * 137).reshape(2, 137)
    parts = [truth[:, window.start : window.stop] for window in windows]
    assert np.array_equal(stitch(windows, parts), truth)


def test_stitch_refuses_codes_of_another_length() -> None:
    windows = plan_windows(30, 20, 4)
    with pytest.raises(MidigrooveError, match="20 frames"):
        stitch(windows, [np.zeros((2, 19), np.int64), np.zeros((2, 20), np.int64)])
