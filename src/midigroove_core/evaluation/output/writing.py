"""Writes an evaluation directory: the same inputs and seed give the same bytes.

What differs from run to run, the time and the memory it took, is in cost.json and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from midigroove_core.atomic import write_bytes, write_json
from midigroove_core.evaluation.base.config import SCHEMA, EvalConfig
from midigroove_core.evaluation.base.results import Row, Scores, number, write_csv
from midigroove_core.evaluation.output.manifest import make_manifest
from midigroove_core.evaluation.output.order import find_disorder, mark_untrusted
from midigroove_core.evaluation.output.summary import (
    by_kit,
    metric_facts,
    summarise_differences,
    summarise_rows,
)
from midigroove_core.evaluation.run import EvalRun
from midigroove_core.evaluation.scoring.code_scores import CODE_COLUMNS
from midigroove_core.evaluation.scoring.long_renders import LONG_COLUMNS
from midigroove_core.evaluation.scoring.scoring import class_table
from midigroove_core.evaluation.scoring.sets import write_sets
from midigroove_core.metrics.drums import TRUSTED_F1

MANIFEST = "manifest.json"
CLASS_COLUMNS = ("class", "row", "hits", "heard", "precision", "recall", "f1", "trusted")
CLIP_COLUMNS = (
    "clip", "row", "take", "performance", "kit", "drummer", "style", "bpm", "start_sec",
    "duration_sec", "hits",
)  # fmt: skip


def write_results(
    config: EvalConfig,
    run: EvalRun,
    rows: Sequence[Row],
    wall_sec: float,
    result: Callable[..., Any],
) -> Any:
    """Writes everything, the manifest last: a directory with a manifest is whole."""
    out = config.out
    summary, take_scores, take_keys = _summary(config, run, rows)
    _write_tables(out, run, rows, summary)
    _write_takes(out, take_scores, take_keys, rows, run)
    write_csv(out / "long.csv", LONG_COLUMNS, run.long.table() if run.long is not None else [])
    if run.store is not None:
        run.store.write_index()
    run.skips.write(out / "skipped.jsonl")
    copy_training_curves(out, run)
    kept = config.pred_dir.resolve() if config.pred_dir and run.store is not None else None
    cost = {**cost_json(run, rows, wall_sec), "pred_dir": None if kept is None else str(kept)}
    write_json(out / "cost.json", cost)
    write_json(out / "summary.json", summary)
    write_json(out / MANIFEST, make_manifest(config, run, rows))
    (out / "unfinished").unlink(missing_ok=True)
    return result(out, summary, run.skips.by_reason(), cost)


def _summary(
    config: EvalConfig, run: EvalRun, rows: Sequence[Row]
) -> tuple[dict[str, Any], Scores | None, list[str]]:
    groups = [clip.entry.performance_key for clip in run.clips]
    names = [row.name for row in rows]
    summarised = summarise_rows(rows, run.scores, groups, config.seed)
    differences = summarise_differences(rows, run.scores, groups, config.seed)
    metrics = [name for name in run.scores.metrics if any(name in r["metrics"] for r in summarised)]
    facts = metric_facts(metrics)
    disorder = find_disorder(rows, run.scores, groups, facts, config.seed)
    take_scores, keys = None, list(dict.fromkeys(clip.entry.key for clip in run.clips))
    if run.scorer is not None:
        take_scores = run.scorer.takes.scores(keys)
        group_of = {clip.entry.key: clip.entry.performance_key for clip in run.clips}
        take_groups = [group_of[key] for key in keys]
        more = summarise_rows(rows, take_scores, take_groups, config.seed)
        for line, extra in zip(summarised, more, strict=True):
            line["metrics"] |= extra["metrics"]
        differences += summarise_differences(rows, take_scores, take_groups, config.seed)
        more_facts = metric_facts(take_scores.metrics)
        disorder += find_disorder(rows, take_scores, take_groups, more_facts, config.seed)
        facts |= more_facts
    mark_untrusted(facts, disorder)
    for line in summarised:
        line["skipped"] = run.skips.count(line["row"])
    reference = "recording" if run.recordings is not None else f"oracle{run.groups[0].group.suffix}"
    summary = {
        "schema": SCHEMA,
        "reference": reference if run.scorer is not None else None,
        "split": config.split,
        "clips": len(run.clips),
        "performances": len(set(groups)),
        "takes": len(keys),
        "confidence": 0.95,
        "metrics": facts,
        "disorder": disorder,
        "rows": summarised,
        "differences": differences,
        "codes": [line for s in run.systems for line in run.totals[s.name].lines(s.name)],
        "classes": _classes(run, names, reference),
        "heard_with": _heard_with(run),
        "sets": run.embeddings.compare(reference, names) if run.embeddings is not None else [],
        "embedding": config.embedding if run.embeddings is not None else None,
        "knee": _knee(run),
        "long": run.long.summary() if run.long is not None else None,
        "skipped": run.skips.by_reason(),
    }
    return summary, take_scores, keys


def _classes(run: EvalRun, rows: Sequence[str], reference: str) -> list[dict[str, Any]]:
    if run.scorer is None:
        return []
    table = class_table(run.scorer.classes, rows, reference, TRUSTED_F1)
    return [
        {k: number(v) if isinstance(v, float) else v for k, v in line.items()} for line in table
    ]


def _heard_with(run: EvalRun) -> list[dict[str, Any]]:
    """Per kit: whence the templates came that its drums were heard with."""
    return [asdict(line) for line in run.scorer.transcribers.heard_with] if run.scorer else []


def _knee(run: EvalRun) -> list[dict[str, Any]]:
    """Means per codec and number of codebooks, and how much each codebook is worth."""
    lines = []
    for rows in run.groups:
        for count in sorted({count for count, _ in rows.knee}):
            found = [values for number_of, values in rows.knee if number_of == count]
            line: dict[str, Any] = {
                "oracle": f"oracle{rows.group.suffix}", "codebooks": count, "clips": len(found),
            }  # fmt: skip
            for name in found[0]:
                values = [clip[name] for clip in found if clip[name] == clip[name]]
                line[name] = number(sum(values) / len(values)) if values else None
            lines.append(line)
    return lines


def _write_tables(out: Path, run: EvalRun, rows: Sequence[Row], summary: dict[str, Any]) -> None:
    metrics = [name for name in run.scores.metrics if name in summary["metrics"]]
    write_csv(out / "clips.csv", [*CLIP_COLUMNS, *metrics], _clip_lines(run, rows, metrics))
    codes = [[line.get(name) for name in CODE_COLUMNS] for line in summary["codes"]]
    write_csv(out / "codes.csv", CODE_COLUMNS, codes)
    columns, lines = by_kit(rows, run.scores, [clip.entry.kit for clip in run.clips])
    write_csv(out / "per_kit.csv", columns, lines)
    classes = [[line[name] for name in CLASS_COLUMNS] for line in summary["classes"]]
    write_csv(out / "per_class.csv", CLASS_COLUMNS, classes)
    write_sets(out / "sets.csv", summary["sets"])
    knee = summary["knee"]
    names = list(knee[0]) if knee else ["oracle", "codebooks", "clips"]
    write_csv(out / "knee.csv", names, [list(line.values()) for line in knee])


def _clip_lines(run: EvalRun, rows: Sequence[Row], metrics: Sequence[str]) -> list[list[object]]:
    lines: list[list[object]] = []
    for clip in run.clips:
        entry = clip.entry
        facts = [
            entry.key, entry.performance_key, entry.kit, entry.drummer, entry.style, entry.bpm,
            round(clip.start_sec, 6), round(clip.duration_sec, 6), len(clip.onsets_sec),
        ]  # fmt: skip
        for row in rows:
            if run.scores.scored(row.name)[clip.index]:
                values = [run.scores.values(row.name, name)[clip.index] for name in metrics]
                lines.append([clip.clip_id, row.name, *facts, *values])
    return lines


def _write_takes(
    out: Path, scores: Scores | None, keys: Sequence[str], rows: Sequence[Row], run: EvalRun
) -> None:
    if scores is None:
        return
    group_of = {clip.entry.key: clip.entry.performance_key for clip in run.clips}
    lines = [
        [key, group_of[key], row.name, *(scores.values(row.name, n)[i] for n in scores.metrics)]
        for i, key in enumerate(keys)
        for row in rows
        if scores.scored(row.name)[i]
    ]
    write_csv(out / "takes.csv", ["take", "performance", "row", *scores.metrics], lines)


def copy_training_curves(out: Path, run: EvalRun) -> None:
    """The measurements that lie beside each checkpoint, as `midigroove train` leaves them."""
    for system in run.systems:
        beside = system.spec.checkpoint.parent / "metrics.csv"
        if beside.is_file():
            write_bytes(out / "training" / f"{system.name}.csv", beside.read_bytes())


def cost_json(run: EvalRun, rows: Sequence[Row], wall_sec: float) -> dict[str, Any]:
    """Seconds per row, real-time factors (seconds spent per second of audio), peak memory."""
    lines = []
    for row in rows:
        cost = run.cost(row.name)
        made = cost.predict_sec + cost.decode_sec
        factor = made / cost.audio_sec if cost.audio_sec else float("nan")
        seconds = {k: number(v) for k, v in vars(cost).items()}
        lines.append({"row": row.name, **seconds, "real_time_factor": number(factor)})
    peak = peak_memory_mib()
    long = run.long.cost() if run.long is not None else []
    return {"wall_sec": number(wall_sec), "peak_memory_mib": peak, "rows": lines, "long": long}


def peak_memory_mib() -> float | None:
    """Most memory that this process held, in MiB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes / (2**20 if sys.platform == "darwin" else 2**10), 1)
