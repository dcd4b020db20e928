"""Bootstrap over performances: covers the truth, knows what is noise, repeats exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from midigroove_core import metrics


def clustered(seed: int, groups: int = 20, per_group: int = 40) -> tuple[np.ndarray, list[int]]:
    """Values that share most of their variation inside a group: N(group) + small noise."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(0.0, 1.0, groups)
    values = np.repeat(centres, per_group) + generator.normal(0.0, 0.1, groups * per_group)
    return values, list(np.repeat(np.arange(groups), per_group))


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        values, groups = clustered(seed)
        interval = metrics.bootstrap_mean(values, groups, num_resamples=300, seed=seed)
        covered += interval.low <= 0.0 <= interval.high
    assert 85 <= covered <= 99


def test_clips_taken_for_samples_would_be_far_too_sure() -> None:
    values, groups = clustered(0)
    honest = metrics.bootstrap_mean(values, groups)
    naive = metrics.bootstrap_mean(values, range(len(values)))
    assert honest.high - honest.low > 4.0 * (naive.high - naive.low)
    assert (honest.num_clips, honest.num_groups) == (800, 20)


def test_interval_width_agrees_with_theory() -> None:
    values, groups = clustered(1, groups=60, per_group=5)
    interval = metrics.bootstrap_mean(values, groups)
    error = values.reshape(60, 5).mean(axis=1).std(ddof=1) / math.sqrt(60)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert interval.mean == pytest.approx(values.mean())


def test_same_seed_same_interval() -> None:
    values, groups = clustered(2)
    assert metrics.bootstrap_mean(values, groups, seed=4) == metrics.bootstrap_mean(
        values, groups, seed=4
    )
    assert metrics.bootstrap_mean(values, groups, seed=4) != metrics.bootstrap_mean(
        values, groups, seed=5
    )


def test_undefined_values_are_left_out() -> None:
    interval = metrics.bootstrap_mean([1.0, math.nan, 3.0], ["a", "b", "c"])
    assert (interval.mean, interval.num_clips, interval.num_groups) == (2.0, 2, 2)
    nothing = metrics.bootstrap_mean([math.nan], ["a"])
    assert math.isnan(nothing.mean) and nothing.num_clips == 0
    single = metrics.bootstrap_mean([1.0, 2.0], ["a", "a"])
    assert single.mean == 1.5 and math.isnan(single.low) and math.isnan(single.high)


def test_paired_differences_see_what_separate_intervals_do_not() -> None:
    values, groups = clustered(3)
    generator = np.random.default_rng(0)
    better = values + 0.05 + generator.normal(0.0, 0.02, values.size)
    same = values + generator.normal(0.0, 0.02, values.size)
    first, second = (metrics.bootstrap_mean(item, groups) for item in (values, better))
    assert first.high > second.low, "the separate intervals overlap"
    difference = metrics.paired_difference(values, better, groups)
    assert difference.mean == pytest.approx(0.05, abs=0.01)
    assert metrics.distinguishable(difference)
    assert not metrics.distinguishable(metrics.paired_difference(values, same, groups))
    identical = metrics.paired_difference(values, values, groups)
    assert identical.mean == 0.0 and not metrics.distinguishable(identical)


def test_one_performance_never_distinguishes() -> None:
    assert not metrics.distinguishable(metrics.paired_difference([0.0, 0.0], [5.0, 6.0], [1, 1]))


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="groups"):
        metrics.bootstrap_mean([1.0, 2.0], ["a"])
    with pytest.raises(ValueError, match="infinite"):
        metrics.bootstrap_mean([1.0, math.inf], ["a", "b"])
    with pytest.raises(ValueError, match="shapes"):
        metrics.paired_difference([1.0], [1.0, 2.0], ["a"])


@pytest.mark.parametrize(
    ("value", "silence", "oracle", "better", "percent"),
    [
        (0.7, 0.0, 0.8, "higher", 87.5),
        (8.0, 20.0, 4.0, "lower", 75.0),
        (-3.0, -40.0, 1.0, "zero", 100.0 * 37 / 39),
        (25.0, 20.0, 4.0, "lower", -31.25),
    ],
)
def test_percent_between_silence_and_oracle(
    value: float, silence: float, oracle: float, better: str, percent: float
) -> None:
    assert metrics.percent_of_oracle(value, silence, oracle, better) == pytest.approx(percent)
    assert math.isnan(metrics.percent_of_oracle(1.0, 2.0, 2.0, better))


def test_permutation_p_agrees_with_scipy_and_with_counting() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(0.0, 1.0, (2, 8)) + [[0.0], [0.8]]
    exact = metrics.permutation_p(first, second, range(8))
    expected = scipy.stats.permutation_test(
        (second - first,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert exact == pytest.approx(expected)
    drawn = metrics.permutation_p(first, second, range(8), num_permutations=200, seed=1)
    assert drawn == pytest.approx(exact, abs=0.06)
    # Clips of one performance are swapped together: two performances, four ways, two as extreme.
    assert metrics.permutation_p([0.0] * 6, [1.0] * 6, [0, 0, 0, 1, 1, 1]) == 0.5


def test_permutation_p_is_uniform_where_nothing_differs() -> None:
    found = []
    for seed in range(200):
        values, groups = clustered(seed, groups=8, per_group=5)
        found.append(metrics.permutation_p(np.zeros(40), values, groups, seed=seed))
    assert 0.02 < np.mean(np.array(found) <= 0.1) < 0.18
    # What no swap changes is no difference, and one performance says nothing.
    assert metrics.permutation_p([1.0, 2.0], [1.0, 2.0], ["a", "b"]) == 1.0
    assert math.isnan(metrics.permutation_p([1.0, math.nan], [2.0, 3.0], ["a", "b"]))
    with pytest.raises(ValueError, match="different shapes"):
        metrics.permutation_p([1.0], [1.0, 2.0], ["a"])


def test_holm_corrects_for_the_length_of_the_table() -> None:
    """The example of Holm's paper in words: smallest times N, next times N - 1, never falling."""
    found = metrics.holm([0.01, 0.04, math.nan, 0.03, 0.005])
    assert found[[4, 0, 3, 1]].tolist() == pytest.approx([0.02, 0.03, 0.06, 0.06])
    assert math.isnan(found[2])
    assert metrics.holm([0.9, 0.8]).tolist() == [1.0, 1.0] and metrics.holm([]).size == 0
