"""The transcriber hears which drum was played, and notices dropped, swapped and added hits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.synthetic_drums import CLASSES, SAMPLE_RATE, Hit, groove, one_shot, play

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures, DrumTemplates

DURATION_SEC = 8.0
HITS = groove(5, DURATION_SEC)


def featured(audio: np.ndarray) -> AudioFeatures:
    return AudioFeatures.from_audio(audio.astype(np.float32), SAMPLE_RATE)


def by_class(hits: list[Hit]) -> dict[str, list[float]]:
    return {name: [hit.onset_sec for hit in hits if hit.drum == name] for name in CLASSES}


def scored(hits: list[Hit], templates: DrumTemplates, kit: str = "wood") -> dict[str, float]:
    found = metrics.transcribe(featured(play(hits, DURATION_SEC, kit)), templates)
    return metrics.drum_scores(metrics.drum_counts(by_class(HITS), found))


@pytest.fixture(scope="module")
def templates() -> DrumTemplates:
    shots = {name: [0.5 * one_shot(name, velocity=80, seed=9)] for name in CLASSES}
    return metrics.build_templates(shots, SAMPLE_RATE)


def test_every_drum_is_heard_with_the_kits_own_one_shots(templates: DrumTemplates) -> None:
    scores = scored(HITS, templates)
    assert scores["drum_f1"] > 0.85
    for name in CLASSES:
        assert scores[f"drum_f1_{name}"] > 0.65, name


def test_one_shots_are_found_where_they_are(templates: DrumTemplates) -> None:
    for name in CLASSES:
        found = metrics.transcribe(featured(play([Hit(0.5, name, 100)], 1.5)), templates)
        assert found[name] == pytest.approx([0.5], abs=0.02), name


def test_scores_fall_with_dropped_hits(templates: DrumTemplates) -> None:
    scores = []
    for share in (0.0, 0.25, 0.5, 0.75):
        generator = np.random.default_rng(4)
        kept = [hit for hit in HITS if generator.random() >= share]
        scores.append(scored(kept, templates)["drum_f1"])
    assert scores == sorted(scores, reverse=True) and scores[-1] < 0.6 * scores[0]


def test_swapped_drums_are_noticed_though_the_onsets_are_right(templates: DrumTemplates) -> None:
    swap = {"kick": "snare", "snare": "kick"}
    swapped = [Hit(hit.onset_sec, swap.get(hit.drum, hit.drum), hit.velocity) for hit in HITS]
    scores = scored(swapped, templates)
    assert scores["drum_f1_kick"] < 0.5 and scores["drum_f1_snare"] < 0.5
    assert scores["drum_f1_hat"] > 0.7


def test_a_wrong_kit_scores_lower(templates: DrumTemplates) -> None:
    assert scored(HITS, templates, "metal")["drum_f1"] < scored(HITS, templates)["drum_f1"] - 0.05


def test_silence_and_short_clips_have_no_hits(templates: DrumTemplates) -> None:
    for size in (10, 500, SAMPLE_RATE):
        found = metrics.transcribe(featured(np.zeros(size)), templates)
        assert all(times.size == 0 for times in found.values())
    metrics.transcribe(featured(one_shot("kick")[:10]), templates)


def test_identical_times_score_one_and_absent_drums_are_undefined() -> None:
    reference = {"kick": [0.1, 0.5], "snare": [0.3], "tom": []}
    counts = metrics.drum_counts(reference, {**reference, "ride": [0.2]})
    assert counts == {"kick": (2, 2, 2), "snare": (1, 1, 1), "tom": (0, 0, 0), "ride": (0, 0, 1)}
    scores = metrics.drum_scores(counts)
    assert scores["drum_f1"] == scores["drum_f1_kick"] == 1.0
    assert math.isnan(scores["drum_f1_tom"]) and math.isnan(scores["drum_f1_ride"])
    assert math.isnan(metrics.drum_scores({})["drum_f1"])


def test_empty_estimate_scores_zero() -> None:
    counts = metrics.drum_counts({"kick": [0.1]}, {})
    assert metrics.drum_scores(counts)["drum_f1"] == 0.0


def test_bad_one_shots_are_named() -> None:
    with pytest.raises(ValueError, match="one-shot of tom is silent"):
        metrics.build_templates({"tom": [np.zeros(4000, np.float32)]}, SAMPLE_RATE)
    with pytest.raises(ValueError, match="one-shot of tom has 1 NaN"):
        metrics.build_templates({"tom": [np.array([0.1, np.nan])]}, SAMPLE_RATE)
    with pytest.raises(ValueError, match="no one-shots"):
        metrics.build_templates({}, SAMPLE_RATE)


def test_templates_of_another_rate_are_refused(templates: DrumTemplates) -> None:
    audio = AudioFeatures.from_audio(np.zeros(1000, np.float32), 44100)
    with pytest.raises(ValueError, match="32000 Hz, the audio has 44100"):
        metrics.transcribe(audio, templates)
