"""From figures per clip to what one reads: means with intervals, differences, breakdowns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from midigroove_core.evaluation.base.results import Row, Scores, number
from midigroove_core.evaluation.output.paired import compare_paired, interval_json
from midigroove_core.evaluation.scoring.take_scores import TAKE_METRICS
from midigroove_core.metrics.info import LONG_METRICS, METRICS, MetricInfo
from midigroove_core.metrics.statistics import (
    Interval,
    bootstrap_mean,
    percent_of_oracle,
)

CODE_METRICS: dict[str, MetricInfo] = {
    "nll_nats": MetricInfo(
        "NLL", "nats/code", "lower", True, "Compare within one codec only; see bits per second."
    ),
    "bits_per_second": MetricInfo(
        "Code cost", "bit/s", "lower", True, "What the true codes cost under the model."
    ),
    "accuracy": MetricInfo(
        "Code accuracy", "", "higher", True, "Share of codes guessed right; within one codec only."
    ),
}
"""Figures of codes, per clip."""

CLIP_METRICS: dict[str, MetricInfo] = {
    **CODE_METRICS,
    **METRICS,
    "drum_f1": LONG_METRICS["drum_f1"],
}
"""Everything that clips.csv has."""

ALL_METRICS: dict[str, MetricInfo] = {**CLIP_METRICS, **TAKE_METRICS}


def summarise_rows(
    rows: Sequence[Row], scores: Scores, groups: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """For each row its metrics: mean, interval over performances, percent of the oracle."""
    means: dict[tuple[str, str], Interval] = {}
    for row in rows:
        for metric in scores.metrics_of(row.name):
            values = scores.values(row.name, metric)
            means[row.name, metric] = bootstrap_mean(values, groups, seed=seed)
    result = []
    for row in rows:
        entries = {}
        for metric in scores.metrics_of(row.name):
            interval = means[row.name, metric]
            silence = means.get(("silence", metric))
            oracle = means.get((row.oracle or "", metric))
            percent = None
            if silence is not None and oracle is not None:
                better = ALL_METRICS[metric].better
                share = percent_of_oracle(interval.mean, silence.mean, oracle.mean, better)
                percent = number(share)
            entries[metric] = {**interval_json(interval), "percent": percent}
        result.append(
            {
                "row": row.name,
                "kind": row.kind,
                "codec": row.codec_id,
                "clips": int(scores.scored(row.name).sum()),
                "metrics": entries,
            }
        )
    return result


def summarise_differences(
    rows: Sequence[Row], scores: Scores, groups: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """Paired differences between systems, and between each system and its oracle."""
    systems = [row for row in rows if row.kind == "system"]
    pairs = [(first.name, second.name) for first, second in combinations(systems, 2)]
    pairs += [(row.name, row.oracle) for row in systems if row.oracle is not None]
    result = []
    for first, second in pairs:
        for metric in scores.metrics:
            ours, theirs = scores.values(first, metric), scores.values(second, metric)
            if not np.isfinite(ours + theirs).any():
                continue
            better = ALL_METRICS[metric].better
            found = compare_paired(ours, theirs, groups, better, seed)
            result.append({"first": first, "second": second, "metric": metric, **found})
    return result


def by_kit(
    rows: Sequence[Row], scores: Scores, kits: Sequence[str]
) -> tuple[list[str], list[list[object]]]:
    """Columns and lines of per_kit.csv: means per kit and row."""
    columns = ["kit", "row", "clips", *scores.metrics]
    lines: list[list[object]] = []
    of_kit = np.array(kits)
    for kit in sorted(set(kits)):
        for row in rows:
            here = (of_kit == kit) & scores.scored(row.name)
            if not here.any():
                continue
            means = [_mean(scores.values(row.name, metric)[here]) for metric in scores.metrics]
            lines.append([kit, row.name, int(here.sum()), *means])
    return columns, lines


def metric_facts(metrics: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How to read each metric, for summary.json and the report."""
    return {name: dict(vars(ALL_METRICS[name])) for name in metrics}


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
