"""Figures that put rows in an order that cannot be are found, marked and explained."""

from __future__ import annotations

import numpy as np

from midigroove_core.metrics.info import MetricInfo
from midigroove_core.scorecard.figures import Disorder
from midigroove_core.scorecard.metrics import ALL_METRICS
from midigroove_core.scorecard.order import (
    expected_order,
    find_disorder,
    mark_untrusted,
)
from midigroove_core.scorecard.rows import Row, RowKind
from midigroove_core.scorecard.scores import Scores
from midigroove_core.scorecard.summary import Summary
from midigroove_core.scorecard.tables import order_table

ROWS = [
    Row("silence", RowKind.SILENCE, None, "oracle"),
    Row("random", RowKind.RANDOM, "toy", "oracle"),
    Row("sampler", RowKind.SAMPLER, None, "oracle"),
    Row("late", RowKind.SYSTEM, "toy", "oracle"),
    Row("oracle", RowKind.ORACLE, "toy", "oracle"),
    Row("recording", RowKind.RECORDING, None, "oracle"),
]
GROUPS = [f"performance{index // 4}" for index in range(24)]


def scores_of(metric: str, means: dict[str, float]) -> Scores:
    noise = np.random.default_rng(1).normal(0.0, 0.05, len(GROUPS))
    scores = Scores((metric,), len(GROUPS))
    for number, (row, mean) in enumerate(means.items()):
        wobble = np.roll(noise, number) * (row != "silence")  # which is the same in every clip
        for clip in range(len(GROUPS)):
            scores.add(row, clip, {metric: mean + wobble[clip]})
    return scores


def disorder(metric: str, means: dict[str, float]) -> tuple[list[Disorder], MetricInfo]:
    facts = {metric: ALL_METRICS[metric]}
    found = find_disorder(ROWS, scores_of(metric, means), GROUPS, facts, seed=0)
    return found, mark_untrusted(facts, found)[metric]


def test_a_figure_in_order_is_left_alone() -> None:
    means = {"silence": 0, "random": 0.5, "late": 0.8, "oracle": 0.88, "recording": 0.95}
    found, info = disorder("onset_f1_50ms", means)
    assert found == []
    assert info.trusted and "Not trusted here" not in info.note


def test_silence_before_chance_marks_the_figure() -> None:
    means = {"silence": 1.0, "random": 1.7, "late": 0.9, "oracle": 0.4, "recording": 0.0}
    found, info = disorder("mel_l1", means)
    assert [(line.better, line.but, line.marks) for line in found] == [("random", "silence", True)]
    assert not info.trusted
    assert info.note.endswith("Not trusted here: silence beats random.")


def test_a_system_before_its_oracle_is_told_and_marks_nothing() -> None:
    means = {"silence": 9.0, "random": 7.0, "late": 0.2, "oracle": 2.0, "recording": 0.0}
    found, info = disorder("mel_l1", means)
    assert [(line.better, line.but, line.marks) for line in found] == [("oracle", "late", False)]
    assert info.trusted


def test_a_difference_within_noise_is_no_disorder() -> None:
    means = {"silence": 0.5, "random": 0.5, "late": 0.5, "oracle": 0.5, "recording": 0.5}
    assert disorder("envelope_correlation", means)[0] == []


def test_chance_below_zero_is_not_beaten_by_silence() -> None:
    means = {"silence": 0.0, "random": -0.3, "late": 0.7, "oracle": 0.8, "recording": 0.9}
    assert disorder("envelope_correlation", means)[0] == []


def test_figures_that_nobody_trusts_are_not_checked() -> None:
    means = {"silence": 1.0, "random": 1.7, "late": 1.2, "oracle": 0.4, "recording": 0.0}
    assert disorder("spectral_convergence", means)[0] == []


def test_rows_of_different_codecs_are_not_compared() -> None:
    rows = [
        Row("random-dac", RowKind.RANDOM, "dac", "oracle-dac"),
        Row("late", RowKind.SYSTEM, "encodec", "oracle-encodec"),
        Row("oracle-dac", RowKind.ORACLE, "dac", "oracle-dac"),
        Row("recording", RowKind.RECORDING, None, "oracle-encodec"),
    ]
    pairs = {(better.name, worse.name) for better, worse in expected_order(rows)}
    assert pairs == {
        ("oracle-dac", "random-dac"), ("recording", "oracle-dac"), ("recording", "random-dac"),
        ("recording", "late"),
    }  # fmt: skip


def test_the_table_says_what_to_make_of_it() -> None:
    means = {"silence": 1.0, "random": 1.7, "late": 1.5, "oracle": 0.4, "recording": 0.0}
    found, info = disorder("mel_l1", means)
    summary = Summary("test", 1, 1, 1, 0.95, {"mel_l1": info}, (), (), tuple(found), (), {}, None)
    table = order_table(summary)
    rows = table.rows
    assert len(table.columns) == len(rows[0])
    assert {(row[1], row[2], row[-1]) for row in rows} == {
        ("silence", "random", "figure not trusted"),
        ("silence", "late", "look at the system"),
    }
