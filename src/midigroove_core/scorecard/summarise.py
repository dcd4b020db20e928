"""From figures per clip to what one reads: means with intervals, differences, breakdowns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from midigroove_core.metrics.info import MetricInfo
from midigroove_core.metrics.statistics import Interval, bootstrap_mean, percent_of_oracle
from midigroove_core.scorecard.figures import Difference, Disorder, Figure, Range
from midigroove_core.scorecard.measured import AudioMeasured, LongMeasured, Measured
from midigroove_core.scorecard.metrics import ALL_METRICS, LONG_FIGURES, SEAM_FIGURES
from midigroove_core.scorecard.order import find_disorder, mark_untrusted
from midigroove_core.scorecard.paired import correct, figure, make_difference
from midigroove_core.scorecard.records import LongLine, number
from midigroove_core.scorecard.rows import Row, RowKind
from midigroove_core.scorecard.scores import (
    Scores,
    skips_by_reason,
    skips_of,
    spread_over_seeds,
)
from midigroove_core.scorecard.summary import (
    AudioSummary,
    LongRow,
    LongSummary,
    RowSummary,
    Summary,
)

CONFIDENCE = 0.95


def summarise(measured: Measured, split: str, seed: int) -> Summary:
    """Everything that summary.json says.

    Args:
        measured: the evaluation.
        split: that was judged.
        seed: of the bootstrap.
    """
    parts = [(measured.scores, measured.performances)]
    if measured.audio is not None:
        parts.append((measured.audio.takes, list(measured.takes.values())))
    rows = measured.rows
    infos = {**ALL_METRICS, **({} if measured.audio is None else measured.audio.added)}
    figures: dict[str, dict[str, Figure]] = {row.name: {} for row in rows}
    facts: dict[str, MetricInfo] = {}
    differences: list[Difference] = []
    disorder: list[Disorder] = []
    for scores, groups in parts:
        for name, found in row_figures(rows, scores, groups, infos, seed).items():
            figures[name] |= found
        there = {name for row in rows for name in scores.metrics_of(row.name)}
        known = {name: infos[name] for name in scores.metrics if name in there}
        differences += system_differences(rows, scores, groups, infos, seed)
        disorder += find_disorder(rows, scores, groups, known, seed)
        facts |= known
    metrics = mark_untrusted(facts, disorder)
    return Summary(
        split=split,
        clips=len(measured.clips),
        performances=len(set(measured.performances)),
        takes=len(measured.takes),
        confidence=CONFIDENCE,
        metrics=metrics,
        rows=tuple(_row(row, measured, figures[row.name]) for row in rows),
        differences=correct(differences, metrics),
        disorder=tuple(disorder),
        codes=measured.codes,
        skipped=skips_by_reason(measured.skips),
        audio=None if measured.audio is None else _audio(measured.audio),
        seeds=max((measured.scores.draws(row.name) for row in rows), default=1),
    )


def row_figures(
    rows: Sequence[Row],
    scores: Scores,
    groups: Sequence[str],
    infos: Mapping[str, MetricInfo],
    seed: int,
) -> dict[str, dict[str, Figure]]:
    """Row -> metric -> mean, interval over performances, percent of the oracle."""
    means: dict[tuple[str, str], Interval] = {}
    for row in rows:
        for metric in scores.metrics_of(row.name):
            values = scores.values(row.name, metric)
            means[row.name, metric] = bootstrap_mean(values, groups, seed=seed)
    silent = next((row.name for row in rows if row.kind is RowKind.SILENCE), "")
    result = {}
    for row in rows:
        entries = {}
        for metric in scores.metrics_of(row.name):
            interval = means[row.name, metric]
            silence = means.get((silent, metric))
            oracle = means.get((row.oracle or "", metric))
            percent = None
            if silence is not None and oracle is not None:
                better = infos[metric].better
                share = percent_of_oracle(interval.mean, silence.mean, oracle.mean, better)
                percent = number(share)
            spread = number(spread_over_seeds(scores.draw_values(row.name, metric)))
            deviation = _deviation(scores.values(row.name, metric))
            entries[metric] = figure(interval, percent, deviation, spread)
        result[row.name] = entries
    return result


def _deviation(values: np.ndarray) -> float | None:
    """Of the clips themselves, as other work has it; it says nothing about the mean's error."""
    finite = values[np.isfinite(values)]
    return number(float(finite.std(ddof=1))) if finite.size > 1 else None


def system_differences(
    rows: Sequence[Row],
    scores: Scores,
    groups: Sequence[str],
    infos: Mapping[str, MetricInfo],
    seed: int,
) -> list[Difference]:
    """Paired differences between systems, and of each system and its oracle; not yet corrected."""
    systems = [row for row in rows if row.is_system]
    pairs = [(first.name, second.name) for first, second in combinations(systems, 2)]
    pairs += [(row.name, row.oracle) for row in systems if row.oracle is not None]
    result = []
    for first, second in pairs:
        for metric in scores.metrics:
            ours, theirs = scores.values(first, metric), scores.values(second, metric)
            if not np.isfinite(ours + theirs).any():
                continue
            better = infos[metric].better
            result.append(
                make_difference((first, second), metric, (ours, theirs), groups, better, seed)
            )
    return result


def _row(row: Row, measured: Measured, figures: dict[str, Figure]) -> RowSummary:
    return RowSummary(
        row=row.name,
        kind=row.kind,
        codec=row.codec_id,
        clips=int(measured.scores.scored(row.name).sum()),
        skipped=skips_of(measured.skips, row.name),
        metrics=figures,
        is_bound=row.is_bound,
    )


def _audio(audio: AudioMeasured) -> AudioSummary:
    return AudioSummary(
        reference=audio.reference.row,
        sample_rate=audio.sample_rate,
        drums=audio.drums,
        heard_with=audio.heard_with,
        sets=audio.sets,
        knee=audio.knee,
        codecs=audio.codecs,
        long=None if audio.long is None else _long(audio.long),
    )


def _long(long: LongMeasured) -> LongSummary:
    """For each row means over takes, and their range.

    A take counts for the seams by its number of joins away from hits. A handful of takes carries
    no interval; the lowest and the highest take say more honestly how they vary.
    """
    pairs = dict.fromkeys((line.row, line.joins_of) for line in long.lines)
    return LongSummary(
        seconds=long.seconds,
        takes=len(long.stretches),
        performances=len({s.performance for s in long.stretches}),
        metrics=LONG_FIGURES,
        rows=tuple(_long_row(long.lines, *pair) for pair in pairs),
    )


def _long_row(all_lines: Sequence[LongLine], row: str, joins_of: str) -> LongRow:
    lines = [line for line in all_lines if (line.row, line.joins_of) == (row, joins_of)]
    off = [line.samples_off for line in lines if line.samples_off is not None]
    return LongRow(
        row=row,
        joins_of=joins_of,
        takes=len(lines),
        joins=sum(line.joins for line in lines),
        seams_compared=int(sum(line.seams_compared for line in lines)),
        samples_off=max(off, key=abs, default=None),
        metrics={name: _range(lines, name) for name in LONG_FIGURES},
    )


def _range(lines: Sequence[LongLine], name: str) -> Range:
    """Mean of one figure, and its least and most."""
    there = [line for line in lines if math.isfinite(getattr(line, name))]
    if not there:
        return Range(None, None, None)
    values = [getattr(line, name) for line in there]
    of_seams = name in SEAM_FIGURES
    weights = [line.seams_compared if of_seams else 1.0 for line in there]
    mean = float(np.average(values, weights=weights))
    return Range(number(mean), number(min(values)), number(max(values)))
