"""Beats heard in audio: perfect on a metronome, worse with damage, undefined if there are few."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.synthetic_drums import SAMPLE_RATE

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures

PERIOD_SEC = 0.5
BEATS = np.arange(0.25, 20.0, PERIOD_SEC)


def clicks(times_sec: np.ndarray) -> AudioFeatures:
    audio = np.zeros(20 * SAMPLE_RATE, np.float32)
    burst = np.random.default_rng(0).normal(0, 0.3, 800) * np.exp(-np.arange(800) / 150)
    for start in np.round(times_sec * SAMPLE_RATE).astype(int):
        audio[start : start + 800] += burst[: len(audio) - start].astype(np.float32)
    return AudioFeatures.from_audio(audio, SAMPLE_RATE)


def test_a_metronome_is_followed() -> None:
    found = metrics.track_beats(clicks(BEATS), PERIOD_SEC)
    assert len(found) == len(BEATS) and np.abs(found - BEATS).max() < 0.02
    assert metrics.beat_scores(BEATS, clicks(BEATS)) == {"beat_cmlt": 1.0, "beat_amlt": 1.0}


def test_off_beats_are_right_at_another_level_only() -> None:
    scores = metrics.beat_scores(BEATS[:-1], clicks(BEATS[:-1] + PERIOD_SEC / 2))
    assert scores["beat_cmlt"] < 0.1 and scores["beat_amlt"] > 0.9


def test_each_damage_costs() -> None:
    """A stumble in the middle, beats here and there, nothing at all."""
    stumble = clicks(np.where(BEATS > 10.0, BEATS + 0.17, BEATS)[:-1])
    generator = np.random.default_rng(1)
    shaken = [clicks(BEATS + generator.uniform(-s, s, BEATS.size)) for s in (0.02, 0.2)]
    assert metrics.beat_scores(BEATS, stumble)["beat_cmlt"] < 0.7
    little, much = (metrics.beat_scores(BEATS, audio)["beat_cmlt"] for audio in shaken)
    assert little > 0.95 and much < 0.8
    silence = AudioFeatures.from_audio(np.zeros(20 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert metrics.track_beats(silence, PERIOD_SEC).size == 0
    assert metrics.beat_scores(BEATS, silence) == {"beat_cmlt": 0.0, "beat_amlt": 0.0}


def test_few_beats_say_nothing_and_wrong_ones_are_refused() -> None:
    audio = clicks(BEATS)
    assert all(math.isnan(value) for value in metrics.beat_scores(BEATS[:7], audio).values())
    for bad in ([1.0, 1.0], [1.0, math.nan], [[1.0]]):
        with pytest.raises(ValueError, match="must be finite and ascend"):
            metrics.beat_scores(bad, audio)
