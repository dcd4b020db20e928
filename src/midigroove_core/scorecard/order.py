"""Does each figure put the rows in the order that they must have?

Recording before codec oracle, oracle before codes drawn by chance, silence last: a figure that says
otherwise, beyond noise, does not measure quality on these clips. It is marked as not trusted, with
what it got wrong. The same is checked for systems (oracle before system, system before chance and
silence), but there the system may be to blame: those lines are told and mark nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from midigroove_core.metrics.info import MetricInfo
from midigroove_core.scorecard.figures import Disorder
from midigroove_core.scorecard.paired import compare_paired
from midigroove_core.scorecard.rows import CHANCE_KINDS, Row, RowKind
from midigroove_core.scorecard.scores import Scores


def find_disorder(
    rows: Sequence[Row],
    scores: Scores,
    groups: Sequence[str],
    facts: Mapping[str, MetricInfo],
    seed: int,
) -> list[Disorder]:
    """Pairs of rows that a trusted metric puts in the wrong order, the interval excluding zero.

    Args:
        rows: of the evaluation.
        scores: figures per row and clip (or take).
        groups: the performance of each clip (or take).
        facts: how to read each metric; others are not looked at.
        seed: of the bootstrap.
    """
    found = []
    for metric in scores.metrics:
        if metric not in facts or not facts[metric].trusted:
            continue
        better_is = facts[metric].better
        for better, worse in expected_order(rows):
            first, second = scores.values(better.name, metric), scores.values(worse.name, metric)
            if not np.isfinite(first + second).any():
                continue
            if better_is == "higher":
                # Less than nothing is no worse than nothing: chance correlates a little below 0
                # as often as above, and silence, which is 0 by definition, has not beaten it then.
                first, second = np.maximum(first, 0.0), np.maximum(second, 0.0)
            result = compare_paired(first, second, groups, better_is, seed)
            if result.verdict == "second":
                marks = not (better.is_system or worse.is_system)
                interval = (result.mean, result.low, result.high)
                found.append(Disorder(metric, better.name, worse.name, *interval, marks))
    return found


def mark_untrusted(
    facts: Mapping[str, MetricInfo], disorder: Sequence[Disorder]
) -> dict[str, MetricInfo]:
    """The facts, without trust in metrics that got reference rows wrong; their notes say why."""
    marked = dict(facts)
    for line in disorder:
        info = marked[line.metric]
        if line.marks and info.trusted:
            note = f"{info.note} Not trusted here: {line.but} beats {line.better}."
            marked[line.metric] = replace(info, trusted=False, note=note)
    return marked


def expected_order(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Pairs of (what must be better, what must be worse); only rows of one codec are compared.

    The sampler has no place: it may be better or worse than a codec.
    """
    ranked = [row for row in rows if row.kind is not RowKind.SAMPLER]
    # Audio from elsewhere went through no codec, so no oracle is above it.
    elsewhere = [row for row in ranked if row.is_system and row.codec_id is None]
    for better in ranked:
        for worse in ranked:
            same_codec = None in (better.codec_id, worse.codec_id) or better.oracle == worse.oracle
            if better.kind is RowKind.ORACLE and worse in elsewhere:
                continue
            if same_codec and _rank(better) < _rank(worse):
                yield better, worse


def _rank(row: Row) -> int:
    """0 recording, 1 oracle, 2 system, 3 chance, 4 silence."""
    if row.kind in CHANCE_KINDS:
        return 3
    order = (RowKind.RECORDING, RowKind.ORACLE, RowKind.SYSTEM, None, RowKind.SILENCE)
    return order.index(row.kind)
