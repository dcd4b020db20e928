"""Does each figure put the rows in the order that they must have?

Recording before codec oracle, oracle before codes drawn by chance, silence last: a figure that says
otherwise, beyond noise, does not measure quality on these clips. It is marked as not trusted, with
what it got wrong. The same is checked for systems (oracle before system, system before chance and
silence), but there the system may be to blame: those lines are told and mark nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from midigroove_core.evaluation.base.results import Row, Scores
from midigroove_core.evaluation.output.paired import compare_paired

CHANCE_ROWS = ("random", "unigram", "nearest")


def find_disorder(
    rows: Sequence[Row],
    scores: Scores,
    groups: Sequence[str],
    facts: dict[str, dict[str, Any]],
    seed: int,
) -> list[dict[str, Any]]:
    """Pairs of rows that a trusted metric puts in the wrong order, the interval excluding zero.

    Args:
        rows: of the evaluation.
        scores: figures per row and clip (or take).
        groups: the performance of each clip (or take).
        facts: what summary.json says of each metric, see `summary.metric_facts`.
        seed: of the bootstrap.

    Returns:
        One dict per finding: metric; `better`, the row that should be; `but`, the row that is;
        the mean of `but - better` with its interval; and `marks`, whether the metric is to blame.
    """
    found = []
    for metric in scores.metrics:
        if metric not in facts or not facts[metric]["trusted"]:
            continue
        for better, worse in expected_order(rows):
            first, second = scores.values(better.name, metric), scores.values(worse.name, metric)
            if not np.isfinite(first + second).any():
                continue
            if facts[metric]["better"] == "higher":
                # Less than nothing is no worse than nothing: chance correlates a little below 0
                # as often as above, and silence, which is 0 by definition, has not beaten it then.
                first, second = np.maximum(first, 0.0), np.maximum(second, 0.0)
            result = compare_paired(first, second, groups, facts[metric]["better"], seed)
            if result["verdict"] == "second":
                interval = {name: result[name] for name in ("mean", "low", "high")}
                marks = "system" not in (better.kind, worse.kind)
                pair = {"metric": metric, "better": better.name, "but": worse.name}
                found.append({**pair, **interval, "marks": marks})
    return found


def mark_untrusted(facts: dict[str, dict[str, Any]], disorder: Sequence[dict[str, Any]]) -> None:
    """Takes trust from the metrics that got reference rows wrong, and says why in their notes."""
    for line in disorder:
        info = facts[line["metric"]]
        if line["marks"] and info["trusted"]:
            info["trusted"] = False
            info["note"] += f" Not trusted here: {line['but']} beats {line['better']}."


def expected_order(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Pairs of (what must be better, what must be worse); only rows of one codec are compared."""
    for better in rows:
        for worse in rows:
            same_codec = None in (better.codec_id, worse.codec_id) or better.oracle == worse.oracle
            if same_codec and _rank(better) + 1 <= _rank(worse) and "sampler" not in (
                better.name, worse.name,
            ):  # fmt: skip
                yield better, worse


def _rank(row: Row) -> int:
    """0 recording, 1 oracle, 2 system, 3 chance, 4 silence."""
    if row.kind == "system":
        return 2
    if row.name in ("recording", "silence"):
        return 0 if row.name == "recording" else 4
    return 3 if row.name.startswith(CHANCE_ROWS) else 1
