"""Opens what an evaluation needs, runs it, and writes its directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip, eval_clips
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.base.results import Row, Scores, Skips
from midigroove_core.evaluation.output.summary import CLIP_METRICS
from midigroove_core.evaluation.output.writing import MANIFEST, write_results
from midigroove_core.evaluation.rows.audio_rows import Recordings, SamplerRow
from midigroove_core.evaluation.rows.code_rows import fit_codes, make_code_rows
from midigroove_core.evaluation.rows.predictions import PredictionStore, spread
from midigroove_core.evaluation.rows.systems import (
    CodecGroup,
    System,
    batch_size,
    load_systems,
)
from midigroove_core.evaluation.run import EvalRun, GroupRows
from midigroove_core.evaluation.scoring.code_scores import CodeTotals
from midigroove_core.evaluation.scoring.kit_recordings import KitRecordings
from midigroove_core.evaluation.scoring.long_renders import LongRenders
from midigroove_core.evaluation.scoring.scoring import ClipScorer
from midigroove_core.evaluation.scoring.sets import open_collector
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry


@dataclass(frozen=True)
class EvalResult:
    """What an evaluation found.

    Attributes:
        out: the directory that was written.
        summary: summary.json.
        skipped: reason -> how many (clip, row) pairs were left out.
        cost: cost.json.
    """

    out: Path
    summary: dict[str, Any]
    skipped: dict[str, int]
    cost: dict[str, Any]


def run_evaluation(config: EvalConfig, progress: Progress | None = None) -> EvalResult:
    """See `evaluate`."""
    progress = progress or Silent()
    began = time.perf_counter()
    registry = Registry()
    systems, groups = load_systems(config, registry)
    clips = eval_clips(
        [system.group.cache for system in systems],
        config.split,
        beats=config.beats,
        intersection=config.intersection,
        max_items=config.max_items,
        seed=config.seed,
    )
    longest_sec = max(clip.duration_sec for clip in clips)
    progress.message(
        f"{len(clips)} clips of {len({clip.entry.key for clip in clips})} takes, "
        f"{len({clip.entry.performance_key for clip in clips})} performances, "
        f"split {config.split}"
    )
    run = _plan(config, registry, systems, groups, clips, longest_sec, progress.message)
    # Not before everything is found: a mistyped option must not cost the evaluation that is there.
    prepare_out(config.out)
    if config.audio_metrics and run.recordings is None:
        progress.message("no --dataset: the codec oracle stands in for the recordings")
    run.run(batch_size(systems, longest_sec), progress)
    if run.long is not None:
        # A system that predicted nothing of the clips would render noise.
        run.long.run([s for s in systems if run.scores.scored(s.name).any()], progress)
    wall_sec = time.perf_counter() - began
    return write_results(config, run, table_rows(run), wall_sec, EvalResult)


def prepare_out(out: Path) -> None:
    """Makes the directory, or takes back what an earlier evaluation left in it.

    Raises:
        InputError: there is something else in it.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; name a folder for the evaluation")
    if out.is_dir() and any(out.iterdir()):
        if not (out / MANIFEST).is_file() and not (out / "unfinished").is_file():
            raise InputError(f"{out}: has files but is no evaluation; name another --out")
        for folder in ("preds", "training"):
            shutil.rmtree(out / folder, ignore_errors=True)
        (out / MANIFEST).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    # Without a manifest nobody takes the directory for finished; this lets the next run reuse it.
    (out / "unfinished").touch()


def _plan(
    config: EvalConfig,
    registry: Registry,
    systems: Sequence[System],
    groups: Sequence[CodecGroup],
    clips: Sequence[EvalClip],
    longest_sec: float,
    message: Callable[[str], None],
) -> EvalRun:
    audio = config.audio_metrics
    rate = max(group.cache.clock.sample_rate for group in groups)
    group_rows = [_group_rows(config, group, longest_sec) for group in groups]
    skips = Skips()
    recordings = Recordings(config.dataset, rate) if audio and config.dataset else None
    kits = KitRecordings(groups[0].cache, config.split, recordings) if recordings else None
    reference = "recording" if recordings is not None else f"oracle{groups[0].suffix}"
    embeddings = None
    if audio and config.embedding:
        embeddings = open_collector(config, registry, rate, reference, message)
    long = None
    if audio and config.long_items:
        long = LongRenders(config, recordings, reference, rate, skips)
    folder = config.pred_dir or config.out / "preds"
    names = {system.name for system in systems}
    return EvalRun(
        clips=clips,
        groups=group_rows,
        systems=systems,
        scores=Scores(tuple(CLIP_METRICS), len(clips)),
        skips=skips,
        scorer=ClipScorer(rate, kits) if audio else None,
        recordings=recordings,
        with_silence="silence" in config.rows,
        sampler=SamplerRow(rate) if audio and "sampler" in config.rows else None,
        embeddings=embeddings,
        store=PredictionStore(folder, clips, config.save_preds, rate) if audio else None,
        stored_rows=lambda row: config.pred_include_ref or row in names,
        knee_clips=set(spread(len(clips), config.knee_items)) if audio else set(),
        long=long,
        totals={
            system.name: CodeTotals(
                system.group.cache.num_codebooks,
                next(rows.model for rows in group_rows if rows.group is system.group),
                system.group.cache.clock.frame_rate,
            )
            for system in systems
        },
    )


def _group_rows(config: EvalConfig, group: CodecGroup, longest_sec: float) -> GroupRows:
    model = fit_codes(group.cache, config.seed)
    rows = make_code_rows(
        group.cache,
        config.rows,
        model,
        beats=config.beats,
        longest_sec=longest_sec,
        seed=config.seed,
    )
    return GroupRows(group, rows, model)


def table_rows(run: EvalRun) -> list[Row]:
    """The lines of the tables, from what nobody should lose against to what nobody can beat."""
    found: list[Row] = []
    first_oracle = run.groups[0].group
    if run.scorer is not None and run.with_silence:
        found.append(Row("silence", "reference", None, f"oracle{first_oracle.suffix}"))
    for name in ("random", "unigram", "nearest"):
        for rows in run.groups:
            if any(row.name == name for row in rows.rows):
                found.append(_reference_row(name, rows.group))
    if run.sampler is not None:
        found.append(Row("sampler", "reference", None, f"oracle{first_oracle.suffix}"))
    for system in run.systems:
        group = system.group
        codec_id = group.cache.header["codec_id"]
        found.append(Row(system.name, "system", codec_id, f"oracle{group.suffix}"))
    for rows in run.groups:
        if run.scorer is not None and any(row.name == "oracle" for row in rows.rows):
            found.append(_reference_row("oracle", rows.group))
    if run.recordings is not None:
        found.append(Row("recording", "reference", None, f"oracle{first_oracle.suffix}"))
    return [row for row in found if run.scores.scored(row.name).any() or row.kind == "system"]


def _reference_row(name: str, group: CodecGroup) -> Row:
    codec_id = group.cache.header["codec_id"]
    return Row(name + group.suffix, "reference", codec_id, f"oracle{group.suffix}")
