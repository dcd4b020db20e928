"""Velocities and microtiming are read back from audio that has them, and not from audio without."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.synthetic_drums import SAMPLE_RATE, Hit, groove, play

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures
from midigroove_core.metrics.dynamics import CLASS_BANDS_HZ

DURATION_SEC = 16.0
HITS = groove(8, DURATION_SEC)


def played(hits: list[Hit]) -> AudioFeatures:
    return AudioFeatures.from_audio(play(hits, DURATION_SEC), SAMPLE_RATE)


def asked_for(names: tuple[str, ...] = ("kick", "snare", "hat")) -> dict:
    hits = {name: [hit for hit in HITS if hit.drum == name] for name in names}
    return {
        name: ([hit.onset_sec for hit in chosen], [hit.velocity for hit in chosen])
        for name, chosen in hits.items()
    }


# The few isolated hats of the groove lie under the crash.
@pytest.mark.parametrize(("name", "floor"), [("kick", 0.9), ("snare", 0.9), ("hat", 0.6)])
def test_right_velocities_correlate(name: str, floor: float) -> None:
    onsets, velocities = asked_for()[name]
    assert metrics.velocity_correlation(played(HITS), onsets, velocities, name) > floor


def test_correlation_falls_as_velocities_go_wrong() -> None:
    scores = []
    for spread in (0.0, 15.0, 40.0, 200.0):
        generator = np.random.default_rng(0)
        wrong = [
            Hit(hit.onset_sec, hit.drum, int(np.clip(hit.velocity + noise, 5, 127)))
            for hit, noise in zip(HITS, spread * generator.normal(size=len(HITS)), strict=True)
        ]
        correlations = metrics.velocity_correlations(played(wrong), asked_for())
        scores.append(np.mean(list(correlations.values())))
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.85 and scores[-1] < 0.6


def test_constant_velocities_and_silence_correlate_with_nothing() -> None:
    onsets, velocities = asked_for()["snare"]
    silent = AudioFeatures.from_audio(np.zeros(int(16 * SAMPLE_RATE), np.float32), SAMPLE_RATE)
    assert metrics.velocity_correlation(silent, onsets, velocities, "snare") == 0.0
    same = metrics.velocity_correlation(silent, onsets, [90] * len(onsets), "snare")
    assert math.isnan(same)
    assert math.isnan(metrics.velocity_correlation(silent, onsets[:4], velocities[:4], "snare"))


def test_isolated_hits_have_no_neighbour_of_any_drum() -> None:
    onsets = [0.1, 0.5, 0.54, 1.0, 2.0]
    isolated = metrics.isolated_hits(onsets, [1.05, 2.0, 3.0])
    assert isolated.tolist() == [True, False, False, False, False]


def test_hit_levels_are_in_db_and_undefined_outside() -> None:
    tone = np.sin(2 * np.pi * 80.0 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    tone[: SAMPLE_RATE // 2] = 0.0
    features = AudioFeatures.from_audio(tone, SAMPLE_RATE)
    levels = metrics.hit_levels_db(features, [0.5, 1.5], CLASS_BANDS_HZ["kick"])
    assert levels[0] == pytest.approx(-3.0, abs=0.5) and math.isnan(levels[1])
    assert metrics.hit_levels_db(features, [0.5], CLASS_BANDS_HZ["hat"])[0] < -50.0
    ringing = metrics.hit_levels_db(features, [0.8], CLASS_BANDS_HZ["kick"])
    assert ringing[0] < -10.0, "what rings from before is not this hit's"


def test_bad_arguments_are_refused() -> None:
    features = played(HITS)
    with pytest.raises(ValueError, match="unknown drum class 'gong': one of kick"):
        metrics.velocity_correlation(features, [0.1], [100], "gong")
    with pytest.raises(ValueError, match="velocities"):
        metrics.velocity_correlation(features, [0.1, 0.2], [100], "kick")
    with pytest.raises(ValueError, match="grid"):
        metrics.microtiming([0.1, 0.2], [0.1], [0.1])


def grid_and_onsets(spread_ms: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    grid = np.arange(1, 64) * 0.125
    return grid, grid + 0.001 * spread_ms * np.random.default_rng(0).normal(size=grid.size)


def test_the_drummers_own_timing_scores_perfectly_whatever_the_delay() -> None:
    grid, onsets = grid_and_onsets()
    for delay_ms in (0.0, 4.0, -7.0):
        scores = metrics.microtiming(onsets, grid, onsets + 0.001 * delay_ms)
        assert scores["microtiming_correlation"] == pytest.approx(1.0)
        assert scores["microtiming_error_ms"] == pytest.approx(0.0, abs=1e-6)
        assert scores["microtiming_delay_ms"] == pytest.approx(delay_ms)


def test_quantised_playing_has_lost_the_timing() -> None:
    grid, onsets = grid_and_onsets()
    scores = metrics.microtiming(onsets, grid, grid)
    assert scores["microtiming_correlation"] == 0.0
    assert scores["microtiming_error_ms"] > 5.0


def test_microtiming_falls_with_jitter() -> None:
    grid, onsets = grid_and_onsets()
    noise = np.random.default_rng(1).normal(size=grid.size)
    scores = [
        metrics.microtiming(onsets, grid, onsets + 0.001 * jitter_ms * noise)
        for jitter_ms in (0, 2, 5, 10, 15)
    ]
    correlations = [score["microtiming_correlation"] for score in scores]
    errors = [score["microtiming_error_ms"] for score in scores]
    assert correlations == sorted(correlations, reverse=True) and correlations[-1] < 0.7
    assert errors == sorted(errors)


def test_microtiming_is_heard_in_audio() -> None:
    hits = [hit for hit in HITS if hit.drum in ("kick", "snare", "hat")]
    onsets = np.array([hit.onset_sec for hit in hits])
    grid = 0.1 + 2.0 * (onsets // 2.0) + 0.24 * np.round((onsets % 2.0 - 0.1) / 0.24)
    scores = metrics.microtiming(onsets, grid, played(hits))
    assert scores["microtiming_correlation"] > 0.8
    assert scores["microtiming_error_ms"] < 2.0
    assert math.isnan(metrics.microtiming([], [], [0.5])["microtiming_error_ms"])
