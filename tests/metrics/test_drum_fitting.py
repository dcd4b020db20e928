"""Templates fitted to recordings hear an unknown kit, and still notice what is played wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from support.synthetic_drums import CLASSES, SAMPLE_RATE, Hit, groove, one_shot, play

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures, DrumTemplates
from midigroove_core.metrics.drum_fitting import LEAST_HITS, Recording

DURATION_SEC = 10.0
HITS = groove(5, DURATION_SEC)


def by_class(hits: list[Hit]) -> dict[str, tuple[list[float], list[int]]]:
    return {
        name: (
            [hit.onset_sec for hit in hits if hit.drum == name],
            [hit.velocity for hit in hits if hit.drum == name],
        )
        for name in CLASSES
    }


def recording(seed: int, kit: str = "metal", delay_sec: float = 0.0) -> Recording:
    """Another groove on the unknown kit, as `fit_templates` wants it."""
    hits = groove(seed, DURATION_SEC)
    late = [Hit(hit.onset_sec + delay_sec, hit.drum, hit.velocity) for hit in hits]
    return play(late, DURATION_SEC, kit, seed=10 * seed), by_class(hits)


def shared_templates() -> DrumTemplates:
    shots = {name: [0.5 * one_shot(name, "wood", 80, seed=9)] for name in CLASSES}
    return metrics.build_templates(shots, SAMPLE_RATE)


def scored(hits: list[Hit], templates: DrumTemplates) -> dict[str, float]:
    audio = play(hits, DURATION_SEC, "metal")
    found = metrics.transcribe(AudioFeatures.from_audio(audio, SAMPLE_RATE), templates)
    reference = {name: times for name, (times, _) in by_class(HITS).items()}
    return metrics.drum_scores(metrics.drum_counts(reference, found))


@pytest.fixture(scope="module")
def fitted() -> DrumTemplates:
    return metrics.fit_templates([recording(1), recording(2)], SAMPLE_RATE)


def test_an_unknown_kit_is_heard_where_shared_templates_fail(fitted: DrumTemplates) -> None:
    shared, own = scored(HITS, shared_templates()), scored(HITS, fitted)
    assert own["drum_f1"] > 0.9 and shared["drum_f1"] < own["drum_f1"] - 0.15
    for name in CLASSES:
        assert own[f"drum_f1_{name}"] > 0.7, name


def test_strength_one_is_a_hit_of_velocity_80(fitted: DrumTemplates) -> None:
    """Thresholds are in this scale: each head within a factor of two of the one-shot's."""
    shots = {name: [0.5 * one_shot(name, "metal", 80, seed=3)] for name in fitted.classes}
    built = metrics.build_templates(shots, SAMPLE_RATE)
    assert fitted.heads.shape == built.heads.shape and fitted.tails.shape == built.tails.shape
    ratios = fitted.heads.sum(axis=(1, 2)) / built.heads.sum(axis=(1, 2))
    assert (ratios > 0.5).all() and (ratios < 2.0).all(), ratios


def test_scores_fall_with_dropped_hits(fitted: DrumTemplates) -> None:
    scores = []
    for share in (0.0, 0.25, 0.5, 0.75):
        generator = np.random.default_rng(4)
        kept = [hit for hit in HITS if generator.random() >= share]
        scores.append(scored(kept, fitted)["drum_f1"])
    assert scores == sorted(scores, reverse=True) and scores[-1] < 0.6 * scores[0]


def test_swapped_drums_are_noticed(fitted: DrumTemplates) -> None:
    swap = {"kick": "snare", "snare": "kick"}
    swapped = [Hit(hit.onset_sec, swap.get(hit.drum, hit.drum), hit.velocity) for hit in HITS]
    scores = scored(swapped, fitted)
    assert scores["drum_f1_kick"] < 0.5 and scores["drum_f1_snare"] < 0.5
    assert scores["drum_f1_hat"] > 0.7


def test_a_constant_delay_goes_into_the_templates() -> None:
    """A module that answers 15 ms late is as well heard, at the times of its MIDI."""
    late = metrics.fit_templates([recording(1, delay_sec=0.015)], SAMPLE_RATE)
    audio = play([Hit(0.515, "snare", 100)], 1.5, "metal")
    found = metrics.transcribe(AudioFeatures.from_audio(audio, SAMPLE_RATE), late)
    assert found["snare"] == pytest.approx([0.5], abs=0.012)


def test_the_same_bytes_twice(fitted: DrumTemplates) -> None:
    again = metrics.fit_templates([recording(1), recording(2)], SAMPLE_RATE)
    assert again.classes == fitted.classes
    assert again.heads.tobytes() == fitted.heads.tobytes()
    assert again.tails.tobytes() == fitted.tails.tobytes()


def test_a_class_with_too_few_hits_has_no_template() -> None:
    audio, hits = recording(1)
    onsets, velocities = hits["tom"]
    few = {**hits, "tom": (onsets[: LEAST_HITS - 1], velocities[: LEAST_HITS - 1])}
    assert len(onsets) >= LEAST_HITS
    templates = metrics.fit_templates([(audio, few)], SAMPLE_RATE)
    assert set(templates.classes) == set(CLASSES) - {"tom"}
    assert "tom" not in metrics.transcribe(AudioFeatures(np.asarray(audio), SAMPLE_RATE), templates)


def test_rare_voices_of_a_class_share_a_template() -> None:
    audio, hits = recording(1)
    onsets, velocities = hits["snare"]
    voices = {"snare": (onsets[4:], velocities[4:]), "kick": hits["kick"]}
    voices |= {"rimshot": (onsets[:2], velocities[:2]), "xstick": (onsets[2:4], velocities[2:4])}
    class_of = {"snare": "snare", "rimshot": "snare", "xstick": "snare", "kick": "kick"}
    two = metrics.fit_templates([(audio, voices)], SAMPLE_RATE, class_of)
    assert two.classes == ("kick", "snare") and two.class_index.tolist() == [0, 1]
    hat = {"hat": hits["hat"], "cowbell": hits["ride"]}  # a voice without a class is left out
    assert metrics.fit_templates([(audio, hat)], SAMPLE_RATE, {"hat": "hat"}).classes == ("hat",)


def test_hits_outside_the_audio_are_left_out() -> None:
    audio, hits = recording(1)
    onsets, velocities = hits["kick"]
    more = {"kick": ([-0.1, *onsets, 99.0], [100, *velocities, 100])}
    first = metrics.fit_templates([(audio, more)], SAMPLE_RATE)
    second = metrics.fit_templates([(audio, {"kick": (onsets, velocities)})], SAMPLE_RATE)
    assert first.heads.tobytes() == second.heads.tobytes()


def test_what_cannot_be_fitted_is_named() -> None:
    audio, hits = recording(1)
    with pytest.raises(ValueError, match="too few hits: no drum is struck 5 times"):
        metrics.fit_templates([], SAMPLE_RATE)
    with pytest.raises(ValueError, match="recording 1 has 1 NaN"):
        metrics.fit_templates([(audio, hits), (np.array([0.1, np.nan]), hits)], SAMPLE_RATE)
    with pytest.raises(ValueError, match="kick: 2 onsets but 1 velocities"):
        metrics.fit_templates([(audio, {"kick": ([0.1, 0.2], [100])})], SAMPLE_RATE)


def test_silence_and_hits_at_the_edges_do_no_harm() -> None:
    onsets = [0.0, 0.1, 0.2, 0.3, 0.4, 0.4999]
    silence = np.zeros(SAMPLE_RATE // 2, np.float32)
    templates = metrics.fit_templates([(silence, {"kick": (onsets, [80] * 6)})], SAMPLE_RATE)
    assert np.isfinite(templates.heads).all() and np.isfinite(templates.tails).all()
    audio, _ = recording(1)
    found = metrics.transcribe(AudioFeatures(np.asarray(audio), SAMPLE_RATE), templates)
    assert np.isfinite(found["kick"]).all()
