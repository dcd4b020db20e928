"""Onset detection and scores: unbiased, perfect on ideal input, worse with graded damage."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from support.synthetic_drums import SAMPLE_RATE, groove, onsets_sec, play

from midigroove_core import metrics
from midigroove_core.metrics import METRICS, AudioFeatures
from midigroove_core.metrics.onset_detection import pick_peaks

HITS = groove(3, duration_sec=8.0)
REFERENCE = onsets_sec(HITS)


def featured(audio: np.ndarray, sample_rate: int = SAMPLE_RATE) -> AudioFeatures:
    return AudioFeatures.from_audio(audio.astype(np.float32), sample_rate)


def clicks(times_sec: np.ndarray, sample_rate: int) -> AudioFeatures:
    audio = np.zeros(round((times_sec[-1] + 0.5) * sample_rate), np.float32)
    audio[np.round(times_sec * sample_rate).astype(int)] = 0.8
    return featured(audio, sample_rate)


@pytest.mark.parametrize("sample_rate", [16000, 24000, 32000, 44100, 48000])
def test_detector_is_unbiased_on_ideal_clicks(sample_rate: int) -> None:
    generator = np.random.default_rng(0)
    times = 0.1 + 0.2 * np.arange(30) + generator.uniform(0.0, 0.05, 30)
    scores = metrics.onset_scores(times, clicks(times, sample_rate))
    assert scores["onset_f1_10ms"] == 1.0
    assert abs(scores["onset_offset_mean_ms"]) < 0.3
    assert scores["onset_offset_std_ms"] < 0.5


@pytest.mark.parametrize("kit", ["wood", "metal"])
def test_detector_finds_drums(kit: str) -> None:
    scores = metrics.onset_scores(REFERENCE, featured(play(HITS, 8.0, kit)))
    assert scores["onset_f1_50ms"] > 0.9
    assert abs(scores["onset_offset_mean_ms"]) < 2.0


@pytest.mark.parametrize("first_sec", [0.006, 0.01, 0.03])
def test_hits_near_the_start_are_found_where_they_are(first_sec: float) -> None:
    audio = np.zeros(SAMPLE_RATE // 2, np.float32)
    start = round(first_sec * SAMPLE_RATE)
    decay = np.exp(-np.arange(6400) / 900.0)
    audio[start : start + 6400] = 0.3 * decay * np.random.default_rng(0).normal(size=6400)
    assert featured(audio).onsets_sec == pytest.approx([first_sec], abs=0.002)


def test_silence_and_noise_floor_have_no_onsets() -> None:
    assert featured(np.zeros(SAMPLE_RATE)).onsets_sec.size == 0
    hiss = np.random.default_rng(0).normal(0.0, 1e-4, SAMPLE_RATE)
    assert featured(hiss).onsets_sec.size == 0


def test_identical_onsets_score_perfectly() -> None:
    scores = metrics.onset_scores(REFERENCE, metrics.merge_onsets(REFERENCE))
    for name, value in scores.items():
        assert value == (0.0 if "offset" in name else 1.0), name


@pytest.mark.parametrize(
    ("reference", "estimated"), [([], [0.5]), ([0.5], []), ([], [])], ids=["ref", "est", "both"]
)
def test_empty_input_warns_and_scores_zero(reference: list[float], estimated: list[float]) -> None:
    with pytest.warns(UserWarning, match="empty"):
        scores = metrics.onset_scores(reference, estimated)
    assert scores["onset_f1_50ms"] == scores["onset_precision_10ms"] == 0.0
    assert math.isnan(scores["onset_offset_mean_ms"])


@pytest.mark.parametrize("bad", [[-0.1], [np.nan], [[0.1]]])
def test_bad_times_are_refused(bad: list) -> None:
    with pytest.raises(ValueError, match="reference_onsets_sec"):
        metrics.onset_scores(bad, [0.1])


def test_scores_agree_with_mir_eval() -> None:
    mir_eval = pytest.importorskip("mir_eval")
    generator = np.random.default_rng(2)
    reference = metrics.merge_onsets(np.cumsum(generator.uniform(0.02, 0.3, 80)))
    jittered = np.sort(reference + generator.normal(0.0, 0.02, reference.size))
    estimated = jittered[(generator.random(jittered.size) > 0.2) & (jittered > 0.0)]
    scores = metrics.onset_scores(reference, estimated)
    for ms in (50, 25, 10):
        theirs = mir_eval.onset.f_measure(reference, estimated, window=0.001 * ms)
        ours = [scores[f"onset_{kind}_{ms}ms"] for kind in ("f1", "precision", "recall")]
        assert ours == pytest.approx(theirs)


def test_hits_struck_together_are_one_onset() -> None:
    assert metrics.merge_onsets([0.52, 0.5, 0.529, 0.54, 1.0]).tolist() == [0.5, 0.54, 1.0]


def test_a_shift_costs_its_tolerance_and_shows_in_the_offset() -> None:
    reference = np.arange(1, 20) * 0.25
    for shift_ms, f1 in [(5, (1, 1, 1)), (20, (1, 1, 0)), (40, (1, 0, 0)), (60, (0, 0, 0))]:
        scores = metrics.onset_scores(reference, reference + 0.001 * shift_ms)
        assert tuple(scores[f"onset_f1_{ms}ms"] for ms in (50, 25, 10)) == f1
        if shift_ms < 50:
            assert scores["onset_offset_mean_ms"] == pytest.approx(shift_ms)


def test_recall_falls_with_dropped_hits_and_precision_with_added_ones() -> None:
    recalls, precisions = [], []
    for share in (0.0, 0.2, 0.4, 0.6):
        generator = np.random.default_rng(1)
        kept = [hit for hit in HITS if generator.random() >= share]
        audio = featured(play(kept, 8.0))
        recalls.append(metrics.onset_scores(REFERENCE, audio)["onset_recall_50ms"])
        full = featured(play(HITS, 8.0))
        precisions.append(metrics.onset_scores(onsets_sec(kept), full)["onset_precision_50ms"])
    assert recalls == sorted(recalls, reverse=True) and recalls[-1] < 0.6
    assert precisions == sorted(precisions, reverse=True) and precisions[-1] < 0.6


def test_onsets_rounded_to_frames_cap_a_perfect_detector() -> None:
    """The known mistake: references taken from 50 Hz codec frames fail the 10 ms test."""
    reference = np.cumsum(np.random.default_rng(0).uniform(0.1, 0.3, 100))
    floored = np.floor(reference * 50.0) / 50.0
    assert metrics.onset_scores(floored, reference)["onset_f1_10ms"] < 0.7
    assert metrics.onset_scores(reference, reference)["onset_f1_10ms"] == 1.0


def test_pick_peaks_keeps_the_larger_of_near_peaks() -> None:
    strength = np.zeros(200)
    strength[[50, 52, 120]] = [0.5, 0.9, 0.3]
    assert pick_peaks(strength, 0.01, 0.02).tolist() == [52, 120]
    assert pick_peaks(np.zeros(0), 0.01, 0.02).size == 0


def test_clip_metrics_returns_every_name_it_documents() -> None:
    audio = featured(play(HITS, 8.0))
    scores = metrics.clip_metrics(audio, audio, REFERENCE)
    assert list(scores) == list(METRICS)
    assert all(isinstance(value, float) and math.isfinite(value) for value in scores.values())
    for name, info in METRICS.items():
        assert info.better in ("higher", "lower", "zero") and info.label and info.note, name
        if info.better != "higher" and not name.startswith("onset"):
            assert scores[name] == 0.0, name


def test_longer_metrics_are_documented_under_the_names_they_return() -> None:
    names = list(metrics.drum_scores(dict.fromkeys(metrics.HEARD_DRUMS, (1, 1, 1))))
    audio = featured(play(HITS, 8.0))
    names += metrics.velocity_correlations(audio, dict.fromkeys(metrics.HEARD_DRUMS, ([], [])))
    names += metrics.microtiming([], [], [])
    names += [name for name in metrics.seam_scores(audio, [1.0]) if name != "seams_compared"]
    names += metrics.beat_scores([], audio)
    assert names == list(metrics.LONG_METRICS)
    *distances, density, coverage = metrics.SET_METRICS
    assert all(callable(getattr(metrics, name)) for name in distances)
    assert callable(getattr(metrics, f"{density}_and_{coverage}"))


def test_trusted_clip_metrics_put_silence_last() -> None:
    reference = featured(play(HITS, 8.0))
    other = metrics.clip_metrics(reference, featured(play(HITS, 8.0, seed=5)), REFERENCE)
    silent = metrics.clip_metrics(reference, featured(np.zeros(8 * SAMPLE_RATE)), REFERENCE)
    sign = {"higher": 1.0, "lower": -1.0, "zero": -1.0}
    for name, info in METRICS.items():
        if info.trusted and not math.isnan(silent[name]):
            first, last = (abs(scores[name]) * sign[info.better] for scores in (other, silent))
            assert first > last, name


def test_a_clip_without_hits_is_left_out_without_a_warning() -> None:
    audio = featured(np.zeros(SAMPLE_RATE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = metrics.clip_metrics(audio, audio, [])
    assert math.isnan(scores["onset_f1_50ms"])
    assert math.isnan(scores["transient_tail_difference_db"])
    assert scores["mel_l1"] == 0.0
