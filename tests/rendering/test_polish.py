"""Silence is silent, nothing sounds ahead of a hit, and attacks and rings are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from midigroove_core.rendering.polish import polished

RATE = 32_000
ONSETS = np.array([0.5, 1.5])


def hit(decay_sec: float = 0.03, seed: int = 1) -> np.ndarray:
    time = np.arange(RATE // 2) / RATE
    noise = np.random.default_rng(seed).uniform(-1, 1, len(time))
    return noise * 0.5 * np.exp(-time / decay_sec)


def recording(channels: int = 1, noise: float = 1e-5, echo: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    audio = noise * rng.standard_normal((channels, 2 * RATE))
    for onset in ONSETS:
        at = round(onset * RATE)
        audio[:, at : at + len(hit())] += hit()
        audio[:, at - 320 : at] += echo * rng.uniform(-1, 1, (channels, 320))
    return audio.astype(np.float32)


def part(audio: np.ndarray, start_sec: float, stop_sec: float) -> np.ndarray:
    return audio[..., round(start_sec * RATE) : round(stop_sec * RATE)]


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_is_silent_and_hits_stay(channels: int) -> None:
    given = recording(channels)
    mended = polished(given, RATE, ONSETS)
    assert mended.dtype == np.float32 and mended.shape == given.shape
    assert not part(mended, 0.0, 0.47).any() and not part(mended, 1.0, 1.47).any()
    for onset in ONSETS:
        assert np.array_equal(part(mended, onset, onset + 0.2), part(given, onset, onset + 0.2))


def test_echoes_ahead_of_hits_are_cut() -> None:
    given = recording(echo=0.03)
    mended = polished(given, RATE, ONSETS)
    for onset in ONSETS:
        before = [np.abs(part(x, onset - 0.01, onset - 0.002)).max() for x in (given, mended)]
        assert before[0] > 0.02 and before[1] == 0.0
        assert np.array_equal(part(mended, onset, onset + 0.2), part(given, onset, onset + 0.2))


def test_what_rings_into_a_hit_goes_on() -> None:
    ring = 0.05 * np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)
    given = recording() + ring.astype(np.float32)
    mended = polished(given, RATE, ONSETS)
    assert np.array_equal(part(mended, 0.1, 1.9), part(given, 0.1, 1.9))


def test_a_hit_that_comes_early_or_late_keeps_its_attack() -> None:
    given = recording()
    for shift in (-0.01, 0.01):
        mended = polished(given, RATE, ONSETS + shift)
        for onset in ONSETS:
            assert np.array_equal(part(mended, onset, onset + 0.2), part(given, onset, onset + 0.2))


def test_it_begins_at_zero() -> None:
    given = np.full((1, 4000), 0.1, dtype=np.float32)
    mended = polished(given, RATE, np.zeros(1))
    assert mended[0, 0] == 0.0 and np.array_equal(mended[0, 16:], given[0, 16:])
    assert polished(given[:, :0], RATE, ONSETS).shape == (1, 0)
    assert polished(given[:, :3], RATE, ONSETS).shape == (1, 3)
    assert not polished(1e-5 * given, RATE, np.zeros(0)).any()
