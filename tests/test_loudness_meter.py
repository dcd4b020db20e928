"""The loudness meter against the figures of the standard's test signals (EBU Tech 3341)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from midigroove_core.loudness import LoudnessMeter

RATE = 48_000


def sine(level_db: float, seconds: float, rate: int = RATE) -> np.ndarray:
    n = np.arange(round(seconds * rate))
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * 1000 * n / rate)).astype(np.float32)


def lufs(audio: np.ndarray, rate: int = RATE, block: int = 70_001) -> float:
    meter = LoudnessMeter(rate, len(audio))
    for start in range(0, audio.shape[1], block):
        meter.add(audio[:, start : start + block])
    return meter.lufs


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_stereo_sines_read_as_their_level(rate: int) -> None:
    for level in (-23.0, -33.0):  # cases 1 and 2
        assert lufs(np.stack([sine(level, 5, rate)] * 2), rate) == pytest.approx(level, abs=0.1)


def test_soft_parts_are_gated() -> None:
    parts = [(-72.0, 10), (-36.0, 10), (-23.0, 60), (-36.0, 10), (-72.0, 10)]  # case 4
    audio = np.concatenate([sine(level, seconds) for level, seconds in parts])
    assert lufs(np.stack([audio] * 2)) == pytest.approx(-23.0, abs=0.1)


def test_blocks_do_not_matter_and_mono_is_one_channel() -> None:
    audio = sine(-20.0, 3.0)[None]
    assert lufs(audio, block=999) == pytest.approx(lufs(audio, block=1 << 20), abs=1e-9)
    assert lufs(audio) == pytest.approx(-23.0, abs=0.1)


def test_short_and_silent_audio() -> None:
    assert lufs(sine(-20.0, 0.3)[None]) == pytest.approx(-23.0, abs=0.3)
    assert lufs(np.zeros((1, RATE), np.float32)) == -math.inf
    assert LoudnessMeter(RATE).lufs == -math.inf
