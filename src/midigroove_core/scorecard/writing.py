"""Writes the files of an evaluation: the same inputs and seed give the same bytes.

What differs from run to run, the time and the memory it took, is in cost.json and times.csv and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from midigroove_core.atomic import write_bytes, write_json, write_json_lines
from midigroove_core.csvfile import write_csv
from midigroove_core.scorecard.cost import Cost
from midigroove_core.scorecard.manifest import MANIFEST, Manifest
from midigroove_core.scorecard.measured import Measured
from midigroove_core.scorecard.records import (
    CodecLine,
    CodesLine,
    DrumLine,
    LongLine,
    SetDistances,
)
from midigroove_core.scorecard.scores import PARTS, Spent
from midigroove_core.scorecard.summary import Summary

CLIP_COLUMNS = (
    "clip", "row", "take", "performance", "kit", "drummer", "style", "bpm", "start_sec",
    "duration_sec", "hits",
)  # fmt: skip
TIME_COLUMNS = ("clip", "row", "predict_sec", "decode_sec", "score_sec")
SET_COLUMNS = (
    "kit", "row", "kernel_audio_distance", "kernel_audio_distance_p95", "frechet_distance",
    "frechet_distance_infinity", "density", "coverage", "embeddings", "over_seeds",
)  # fmt: skip


def write_evaluation(
    out: Path, measured: Measured, summary: Summary, manifest: Manifest, cost: Cost
) -> None:
    """Every file but the audio."""
    asked = () if measured.audio is None else measured.audio.added  # if empty, to be seen so
    metrics = [n for n in measured.scores.metrics if n in summary.metrics or n in asked]
    write_csv(out / "clips.csv", [*CLIP_COLUMNS, *metrics], clip_lines(measured, metrics))
    if summary.seeds > 1:
        lines = seed_lines(measured, metrics, manifest.seed)
        write_csv(out / "seeds.csv", ["clip", "row", "seed", *metrics], lines)
    write_csv(out / "codes.csv", *_codes(measured.codes))
    write_csv(out / "per_kit.csv", *by_kit(measured))
    write_json_lines(out / "skipped.jsonl", [asdict(line) for line in measured.skips])
    _write_audio(out, measured)
    write_csv(out / "times.csv", TIME_COLUMNS, time_lines(measured))
    write_json(out / "cost.json", cost.to_json())
    write_json(out / "summary.json", summary.to_json())
    write_json(out / MANIFEST, manifest.to_json())


def clip_lines(measured: Measured, metrics: Sequence[str]) -> list[list[object]]:
    """Lines of clips.csv: `CLIP_COLUMNS`, then the metrics."""
    lines: list[list[object]] = []
    for index, clip in enumerate(measured.clips):
        facts = [
            clip.take, clip.performance, clip.kit, clip.drummer, clip.style, clip.bpm,
            round(clip.start_sec, 6), round(clip.duration_sec, 6), clip.hits,
        ]  # fmt: skip
        for row in measured.rows:
            if measured.scores.scored(row.name)[index]:
                scores = measured.scores
                values = [scores.values(row.name, name)[index] for name in metrics]
                lines.append([clip.clip, row.name, *facts, *values])
    return lines


def seed_lines(measured: Measured, metrics: Sequence[str], first: int) -> list[list[object]]:
    """Lines of seeds.csv: clip, row and sampling seed, then the metrics.

    Args:
        measured: the evaluation.
        metrics: columns.
        first: seed; the draws after it have the seeds after it.
    """
    scores = measured.scores
    lines: list[list[object]] = []
    for row in measured.rows:
        draws = scores.draws(row.name)
        if draws < 2:
            continue
        values = [scores.draw_values(row.name, name) for name in metrics]
        for draw in range(draws):
            for index in np.flatnonzero(scores.scored(row.name, draw)):
                figures = [found[draw, index] for found in values]
                clip = measured.clips[index].clip
                lines.append([clip, row.name, first + draw, *figures])
    return lines


def time_lines(measured: Measured) -> list[list[object]]:
    """Lines of times.csv: seconds of each clip and row, all draws together."""
    lines: list[list[object]] = []
    for index, clip in enumerate(measured.clips):
        for row in measured.rows:
            spent = measured.spent.get(row.name, Spent()).of_clips.get(index)
            if spent is not None:
                lines.append([clip.clip, row.name, *(spent.get(part) for part in PARTS)])
    return lines


def by_kit(measured: Measured) -> tuple[list[str], list[list[object]]]:
    """Columns and lines of per_kit.csv: means per kit and row."""
    scores = measured.scores
    columns = ["kit", "row", "clips", *scores.metrics]
    lines: list[list[object]] = []
    of_kit = np.array([clip.kit for clip in measured.clips])
    for kit in sorted(set(of_kit.tolist())):
        for row in measured.rows:
            here = (of_kit == kit) & scores.scored(row.name)
            if here.any():
                means = [_mean(scores.values(row.name, name)[here]) for name in scores.metrics]
                lines.append([kit, row.name, int(here.sum()), *means])
    return columns, lines


def copy_training_curves(out: Path, checkpoints: Mapping[str, Path]) -> None:
    """The measurements that lie beside each checkpoint, as `midigroove train` leaves them."""
    for name, checkpoint in checkpoints.items():
        beside = checkpoint.parent / "metrics.csv"
        if beside.is_file():
            write_bytes(out / "training" / f"{name}.csv", beside.read_bytes())


def _write_audio(out: Path, measured: Measured) -> None:
    audio = measured.audio
    if audio is None:
        return
    takes = measured.takes
    metrics = audio.takes.metrics
    lines = [
        [key, takes[key], row.name, *(audio.takes.values(row.name, name)[i] for name in metrics)]
        for i, key in enumerate(takes)
        for row in measured.rows
        if audio.takes.scored(row.name)[i]
    ]
    write_csv(out / "takes.csv", ["take", "performance", "row", *metrics], lines)
    write_csv(out / "per_drum.csv", *_records(DrumLine, audio.drums))
    if audio.sets is not None:
        write_csv(out / "sets.csv", SET_COLUMNS, _set_lines(audio.sets))
    names = list(audio.knee[0].metrics) if audio.knee else []
    knee = [
        [x.oracle, x.levels, x.bits_per_second, x.clips, *(x.metrics[n] for n in names)]
        for x in audio.knee
    ]
    write_csv(out / "knee.csv", ["oracle", "levels", "bits_per_second", "clips", *names], knee)
    if audio.codecs:
        write_csv(out / "codecs.csv", *_records(CodecLine, audio.codecs))
    if audio.long is not None:
        write_csv(out / "long.csv", *_records(LongLine, audio.long.lines))


def _codes(lines: Sequence[CodesLine]) -> tuple[list[str], list[list[object]]]:
    """Columns and lines of codes.csv; all codebooks together are "all"."""
    columns, rows = _records(CodesLine, lines)
    place = columns.index("codebook")
    for row in rows:
        row[place] = "all" if row[place] is None else row[place]
    return columns, rows


def _records(kind: type, records: Sequence[object]) -> tuple[list[str], list[list[object]]]:
    """Frozen records as a table, their fields as columns."""
    columns = [field.name for field in fields(kind)]
    return columns, [[getattr(line, name) for name in columns] for line in records]


def _set_lines(sets: SetDistances) -> list[list[object]]:
    """The floor of each kit, then its rows."""
    lines: list[list[object]] = []
    for kit in sorted({x.kit for x in sets.floors} | {x.kit for x in sets.lines}):
        for floor in sets.floors:
            if floor.kit == kit:
                low, high = floor.kernel_audio_distance, floor.kernel_audio_distance_p95
                lines.append([kit, "floor", low, high, *[None] * 6])
        for line in sets.lines:
            if line.kit == kit:
                lines.append(
                    [kit, line.row, line.kernel_audio_distance, None, line.frechet_distance,
                     line.frechet_distance_infinity, line.density, line.coverage, line.embeddings,
                     line.over_seeds]
                )  # fmt: skip
    return lines


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
