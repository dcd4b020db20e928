"""Seconds, samples and frames agree exactly, however late in a take."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError

CLOCKS = [FrameClock(32000, 640), FrameClock(44100, 512), FrameClock(16000, 320)]


def test_the_frame_rate_is_exact() -> None:
    assert FrameClock(44100, 512).frame_rate == Fraction(11025, 128)


@pytest.mark.parametrize("clock", CLOCKS)
def test_frames_are_the_ceiling_of_samples(clock: FrameClock) -> None:
    hop = clock.hop_length
    assert [clock.num_frames(n) for n in (0, 1, hop, hop + 1, 7 * hop)] == [0, 1, 1, 2, 7]
    assert clock.num_samples(7) == 7 * hop


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_frame_number_survives_the_way_through_seconds(clock: FrameClock) -> None:
    frames = np.arange(0, 200_000, 37)
    back, offset = clock.split(clock.frames_to_seconds(frames))
    assert np.array_equal(back, frames)
    assert np.all(offset < 1e-6)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_place_in_the_frame_is_kept(clock: FrameClock) -> None:
    seconds = np.random.default_rng(0).uniform(0, 600, 5000)
    frame, offset = clock.split(seconds)
    assert np.all((offset >= 0) & (offset < 1))
    np.testing.assert_allclose(clock.frames_to_seconds(frame + offset), seconds, atol=1e-8)


def test_a_rate_guessed_from_a_window_drifts() -> None:
    """The baseline took frames per second as T / window: 12 ms wrong at the end of 2.01 s."""
    clock, window_sec = FrameClock(32000, 640), 2.003
    frames = clock.num_frames(clock.seconds_to_samples(window_sec))
    stretched = 2.0 * frames / window_sec
    exact = float(clock.seconds_to_frames(2.0))
    assert exact == 100.0
    assert abs(stretched - exact) / float(clock.frame_rate) > 0.012


@pytest.mark.parametrize("bad", [(0, 512), (44100, -1), (44100, 86.13), (True, 512)])
def test_a_clock_is_two_positive_integers(bad) -> None:
    with pytest.raises(MidigrooveError, match="positive integer"):
        FrameClock(*bad)
