"""Distances between sets, the embedding under them, and seams."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
from scipy import signal
from support.synthetic_drums import SAMPLE_RATE, groove, onsets_sec, play

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures

SET_DISTANCES = [
    metrics.kernel_audio_distance,
    metrics.polynomial_kernel_distance,
    metrics.frechet_distance,
]


def cloud(seed: int, rows: int = 200, shift: float = 0.0, size: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (rows, size))


@pytest.mark.parametrize("distance", SET_DISTANCES)
def test_distances_between_sets_grow_with_the_difference(distance) -> None:
    scores = [distance(cloud(0), cloud(1, shift=shift)) for shift in (0.0, 0.2, 0.5, 1.0)]
    assert scores == sorted(scores) and scores[-1] > 10.0 * abs(scores[0])


def test_kernel_distance_is_unbiased_where_the_frechet_distance_is_not() -> None:
    kernel = [metrics.kernel_audio_distance(cloud(i, 30), cloud(i + 100, 30)) for i in range(40)]
    error = np.std(kernel) / math.sqrt(len(kernel))
    assert abs(np.mean(kernel)) < 3.0 * error
    frechet = [metrics.frechet_distance(cloud(i, 30), cloud(i + 100, 30)) for i in range(40)]
    assert min(frechet) > 1.0


def test_kernel_distance_agrees_with_its_definition() -> None:
    first, second = cloud(0, 7, size=3), cloud(1, 5, 0.5, size=3)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return math.exp(-float(np.sum((x - y) ** 2)) / (2.0 * 1.5**2))

    def within(rows: np.ndarray) -> float:
        pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows)) if i != j]
        return float(np.mean([kernel(rows[i], rows[j]) for i, j in pairs]))

    across = float(np.mean([kernel(x, y) for x in first for y in second]))
    expected = 100.0 * (within(first) + within(second) - 2.0 * across)
    assert metrics.kernel_audio_distance(first, second, 1.5) == pytest.approx(expected)


@pytest.mark.parametrize("rows", [8, 300])
def test_frechet_distance_agrees_with_scipys_matrix_root(rows: int) -> None:
    first, second = cloud(0, rows), cloud(1, 300, 0.3) * np.linspace(0.5, 2.0, 12)
    covariances = [np.cov(values, rowvar=False) for values in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    shift = first.mean(axis=0) - second.mean(axis=0)
    expected = shift @ shift + np.trace(covariances[0] + covariances[1] - 2.0 * root)
    assert metrics.frechet_distance(first, second) == pytest.approx(expected, rel=1e-5)
    assert metrics.frechet_distance(first, first) == pytest.approx(0.0, abs=1e-9)


def test_extrapolation_removes_most_of_the_bias() -> None:
    reference = cloud(0, 5000)
    plain = np.mean([metrics.frechet_distance(reference, cloud(i, 100)) for i in range(1, 9)])
    endless = np.mean(
        [metrics.frechet_distance_infinity(reference, cloud(i, 100), seed=i) for i in range(1, 9)]
    )
    assert abs(endless) < 0.4 * plain
    # Far too few rows for their size extrapolate to anything: -200 was seen.
    assert (metrics.least_rows(12), metrics.least_rows(4)) == (24, 20)
    with pytest.raises(ValueError, match="at least 24"):
        metrics.frechet_distance_infinity(reference, cloud(1, 23))
    assert math.isfinite(metrics.frechet_distance_infinity(reference, cloud(1, 24)))


def test_density_and_coverage_see_what_a_single_distance_does_not() -> None:
    """Noise costs both, monotony the coverage alone, and equal sets have both near 1."""
    reference = cloud(0)
    density, coverage = metrics.density_and_coverage(reference, cloud(1))
    assert 0.8 < density < 1.2 and coverage > 0.9
    shifted = [metrics.density_and_coverage(reference, cloud(1, shift=s)) for s in (0.5, 1.0, 2.0)]
    assert [d for d, _ in shifted] == sorted((d for d, _ in shifted), reverse=True)
    assert [c for _, c in shifted] == sorted((c for _, c in shifted), reverse=True)
    monotonous = metrics.density_and_coverage(reference, 0.2 * cloud(1))
    assert monotonous[0] > 1.5 and monotonous[1] < 0.8
    assert metrics.density_and_coverage(reference, reference)[1] == 1.0
    # By the definition, ball by ball.
    first, second = cloud(2, 9, size=2), cloud(3, 7, size=2)
    radius = [sorted(np.linalg.norm(first - x, axis=1))[5] for x in first]
    away = np.linalg.norm(first[:, None] - second, axis=2)
    inside = away <= np.array(radius)[:, None]
    expected = (inside.sum() / (5 * len(second)), inside.any(axis=1).mean())
    assert metrics.density_and_coverage(first, second) == pytest.approx(expected)
    with pytest.raises(ValueError, match="no 5 neighbours"):
        metrics.density_and_coverage(cloud(0, 5, size=2), second)


def test_split_floor_is_what_real_against_real_scores() -> None:
    mean, high = metrics.split_floor(cloud(0))
    assert abs(mean) < 0.5 and mean < high
    assert metrics.kernel_audio_distance(cloud(0), cloud(1, shift=0.5)) > 5.0 * high
    centres = np.repeat(cloud(2, 10, size=12), 20, axis=0)
    grouped, _ = metrics.split_floor(centres + 0.1 * cloud(3), groups=np.repeat(range(10), 20))
    assert grouped > 5.0 * mean + 1.0, "rows of one performance must not be in both halves"
    with pytest.raises(ValueError, match="cannot be split"):
        metrics.split_floor(cloud(0, 10), groups=[1] * 10)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros(5), np.zeros((5, 2)), "reference"),
        (np.zeros((5, 2)), np.zeros((1, 2)), "estimated"),
        (np.zeros((5, 2)), np.zeros((5, 3)), "sizes differ"),
        (np.zeros((5, 2)), np.full((5, 2), np.nan), "NaN"),
    ],
)
def test_bad_sets_are_refused(first: np.ndarray, second: np.ndarray, message: str) -> None:
    for distance in SET_DISTANCES:
        with pytest.raises(ValueError, match=message):
            distance(first, second)


def embedded(kit: str = "wood", seeds: range = range(6), change=lambda audio: audio) -> np.ndarray:
    """Windows of takes, each changed in the same way."""
    audio = [play(groove(seed), 4.0, kit, seed) for seed in seeds]
    return np.concatenate([metrics.embed_log_mel(change(clip), SAMPLE_RATE) for clip in audio])


@pytest.fixture(scope="module")
def wood() -> np.ndarray:
    return embedded()


def test_embedding_has_the_shape_it_says(wood: np.ndarray) -> None:
    assert wood.shape == (6 * 7, metrics.EMBEDDING_SIZE) and wood.dtype == np.float32
    whole = metrics.embed_log_mel(play(groove(0)), SAMPLE_RATE, window_sec=None)
    assert whole.shape == (1, metrics.EMBEDDING_SIZE)
    short = metrics.embed_log_mel(np.full(10, 0.1, np.float32), SAMPLE_RATE)
    assert short.shape == (1, metrics.EMBEDDING_SIZE) and np.isfinite(short).all()
    assert np.isfinite(metrics.embed_log_mel(np.zeros(8000, np.float32), SAMPLE_RATE)).all()
    with pytest.raises(ValueError, match="16000 Hz"):
        metrics.embed_log_mel(np.zeros(8000, np.float32), 8000)


def test_embedding_finds_the_same_kit_nearer_than_another(wood: np.ndarray) -> None:
    same, other = embedded(seeds=range(6, 12)), embedded("metal", seeds=range(6, 12))
    for distance in (metrics.kernel_audio_distance, metrics.frechet_distance):
        assert distance(wood, other) > 1.5 * distance(wood, same)


def test_embedding_orders_damage_and_ignores_gain(wood: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(size=4 * SAMPLE_RATE).astype(np.float32)
    damages = [
        [lambda audio, amount=amount: audio + amount * noise for amount in (0.002, 0.01, 0.05)],
        [
            lambda audio, cutoff=cutoff: signal.sosfiltfilt(
                signal.butter(4, cutoff, fs=SAMPLE_RATE, output="sos"), audio
            ).astype(np.float32)
            for cutoff in (6000, 3000, 1000)
        ],
    ]
    for grades in damages:
        scores = [metrics.kernel_audio_distance(wood, embedded(change=grade)) for grade in grades]
        assert scores == sorted(scores) and scores[0] > 0.0
    quiet = embedded(change=lambda audio: np.float32(0.25) * audio)
    np.testing.assert_allclose(quiet, wood, atol=1e-2)


def test_embedding_does_not_depend_on_the_sample_rate(wood: np.ndarray) -> None:
    doubled = [signal.resample_poly(play(groove(s), 4.0, seed=s), 3, 2) for s in range(6)]
    other = np.concatenate([metrics.embed_log_mel(clip, 48000) for clip in doubled])
    assert np.abs(other - wood).mean() < 0.1 * np.abs(wood).mean()


def broken(amount: float, joins: np.ndarray) -> AudioFeatures:
    """A steady rumble with drums, whose background steps at the joins."""
    hits = groove(1, 8.0)
    audio = play(hits, 8.0) + 0.01 * np.random.default_rng(0).normal(size=8 * SAMPLE_RATE)
    for join in np.round(joins * SAMPLE_RATE).astype(int):
        audio[join : join + 300] += amount * np.random.default_rng(1).normal(size=300)
    return AudioFeatures.from_audio(audio.astype(np.float32), SAMPLE_RATE)


def test_seams_are_noticed_and_their_absence_too() -> None:
    hits = onsets_sec(groove(1, 8.0))
    joins = np.array([0.49, 1.7, 2.95, 3.7, 5.66, 7.75])
    scores = [metrics.seam_scores(broken(a, joins), joins, hits) for a in (0.0, 0.03, 0.1)]
    ratios = [score["seam_flux_ratio"] for score in scores]
    assert ratios == sorted(ratios) and 0.5 < ratios[0] < 1.6 and ratios[-1] > 3.0
    assert scores[-1]["seam_percentile_mean"] > 95.0
    assert scores[0]["seams_compared"] >= 4


def test_seams_in_silence_or_under_hits() -> None:
    silent = AudioFeatures.from_audio(np.zeros(2 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    scores = metrics.seam_scores(silent, [1.0])
    assert (scores["seam_flux_ratio"], scores["seam_percentile_mean"]) == (1.0, 50.0)
    hidden = metrics.seam_scores(silent, [1.0], [1.01])
    assert math.isnan(hidden["seam_flux_ratio"]) and hidden["seams_compared"] == 0.0
    with pytest.raises(ValueError, match=r"between 0 and 2\.000 s"):
        metrics.seam_scores(silent, [2.5])
