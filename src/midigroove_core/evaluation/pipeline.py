"""Rows play, scoring judges, a frozen result comes out, and is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.device import choose_device
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.output.folder import Places, evaluation_folders
from midigroove_core.evaluation.output.predictions import PredictionStore
from midigroove_core.evaluation.output.provenance import Judged, make_manifest, settings_sha
from midigroove_core.evaluation.rows.long_renders import LEAST_JOINS, LongSource
from midigroove_core.evaluation.rows.plan import Plan, open_plan
from midigroove_core.evaluation.rows.references import References
from midigroove_core.evaluation.rows.source import Audio, Played
from midigroove_core.evaluation.scoring.added_metrics import AddedMetrics
from midigroove_core.evaluation.scoring.clips import ClipScorer
from midigroove_core.evaluation.scoring.code_scores import CodeTotals
from midigroove_core.evaluation.scoring.kit_recordings import KitRecordings
from midigroove_core.evaluation.scoring.long_scores import score_long
from midigroove_core.evaluation.scoring.scorer import AudioScoring, Scorer
from midigroove_core.evaluation.scoring.sets import open_collector
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.scorecard.cost import EncodingCost, make_cost
from midigroove_core.scorecard.measured import LongMeasured, Measured
from midigroove_core.scorecard.scorecard import Scorecard
from midigroove_core.scorecard.summarise import summarise
from midigroove_core.scorecard.writing import copy_training_curves, write_evaluation
from midigroove_core.training.distributed import Ranks, joined


def run_evaluation(
    config: EvalConfig,
    progress: Progress | None = None,
    *,
    encoding: Sequence[EncodingCost] = (),
) -> Scorecard:
    """See `evaluate`; `encoding` is what encoding took before, for cost.json."""
    keep_freed_memory()
    with joined(choose_device(config.device)) as ranks:
        told = progress if progress and ranks.first else Silent()
        return _run(config, told, encoding, ranks)


def _run(
    config: EvalConfig, progress: Progress, encoding: Sequence[EncodingCost], ranks: Ranks
) -> Scorecard:
    began = time.perf_counter()
    registry = Registry()
    # Everything is found before anything is written: a mistyped option must not cost the
    # evaluation that is there.
    plan = open_plan(config, registry, progress.message)
    scorer = _open_scorer(config, registry, plan, progress.message)
    facts: tuple[Judged, ...] = (
        *(system.facts for system in plan.systems),
        *plan.folders,
        *plan.caches,
    )
    recordings = None if plan.references is None else plan.references.recordings
    dataset = None if recordings is None else recordings.fingerprint
    settings = settings_sha(config, facts, dataset)
    ranks.check_same({"settings": settings})
    if not ranks.first:
        _play(config, plan, scorer, Path(), progress, ranks)
        return _told(ranks, None)
    with evaluation_folders(config, settings) as places:
        measured = _measure(config, plan, scorer, places, progress, ranks)
        summary = summarise(measured, config.split, config.seed)
        cost = make_cost(measured, time.perf_counter() - began, encoding)
        manifest = make_manifest(config, settings, measured)
        copy_training_curves(
            places.out, {system.name: system.checkpoint.path for system in plan.systems}
        )
        write_evaluation(places.out, measured, summary, manifest, cost)
    return _told(ranks, Scorecard(config.out, summary, cost))


def _told(ranks: Ranks, result: Scorecard | None) -> Scorecard:
    """The first process's result, in all."""
    found = ranks.share({}, result)
    assert found is not None
    return found[1]


def _open_scorer(
    config: EvalConfig, registry: Registry, plan: Plan, message: Callable[[str], None]
) -> Scorer:
    totals = {
        system.name: CodeTotals(
            system.group.cache.num_codebooks,
            plan.models[system.name],
            system.group.cache.clock.frame_rate,
        )
        for system in plan.systems
    }
    audio = None
    if plan.references is not None:
        audio = _open_audio(config, registry, plan, plan.references, message)
    return Scorer(plan.clips, totals, audio, plan.journal)


def _open_audio(
    config: EvalConfig,
    registry: Registry,
    plan: Plan,
    references: References,
    message: Callable[[str], None],
) -> AudioScoring:
    rate, facts, kits = references.sample_rate, references.facts, None
    if references.recordings is not None:
        judged = frozenset(take.performance_key for take in plan.takes)
        kits = KitRecordings(references.recordings, judged)
    sets = None
    if config.embedding:
        sets = open_collector(config, registry, rate, facts.row, message)
    added = AddedMetrics.open(config.metrics, registry)
    return AudioScoring(ClipScorer(rate, kits, added), facts, sets, plan.codecs)


def _measure(
    config: EvalConfig, plan: Plan, scorer: Scorer, places: Places, progress: Progress, ranks: Ranks
) -> Measured:
    _play(config, plan, scorer, places.preds, progress, ranks)
    for line in scorer.cautions():
        progress.message(line)
    long = _long(config, plan, scorer, progress)
    judged = ([system.facts for system in plan.systems], plan.folders, plan.caches)
    return scorer.measured([source.row for source in plan.sources], *judged, long)


def _play(
    config: EvalConfig, plan: Plan, scorer: Scorer, preds: Path, progress: Progress, ranks: Ranks
) -> None:
    """Plays and scores this process's batches; the first one then has what all have found."""
    keep, journal = _Keeper(config, plan, preds, ranks.first), plan.journal
    before, skips = len(journal.skips), {}
    progress.start("Evaluating clips", len(plan.clips))
    for batch in plan.batches(ranks.rank, ranks.world):
        for source in plan.sources:
            for played in source.play(batch):
                scored = scorer.add(played, batch)
                if scored:
                    keep.add(played)
        for knee in plan.knees:
            for step in knee.play(batch):
                scorer.add_knee(step, batch)
        skips[batch.number] = journal.skips[before:]
        del journal.skips[before:]
        progress.advance(len(batch.clips) * ranks.world)
    progress.finish()
    everywhere = ranks.gather((scorer.given(), skips, journal.spent, keep.later))
    for given, found, spent, later in everywhere[1:] if ranks.first else ():
        scorer.absorb(given)
        journal.absorb(spent)
        skips |= found
        for row, clip, audio in later:
            keep.keep(row, clip, audio)
    for number in sorted(skips):
        journal.skips += skips[number]
    if ranks.first:
        keep.finish()


class _Keeper:
    """Keeps the audio of some clips while they come by: all of it would not fit into memory.

    Attributes:
        later: row, clip and audio that the first process is to keep; empty in that one.
    """

    def __init__(self, config: EvalConfig, plan: Plan, preds: Path, first: bool) -> None:
        self._references = config.pred_include_ref
        self._store, self._first = None, first
        self.later: list[tuple[str, EvalClip, Audio]] = []
        if plan.references is not None:
            rate = plan.references.sample_rate
            self._store = PredictionStore(preds, plan.clips, config.save_preds, rate)

    def add(self, played: Played) -> None:
        wanted = (played.row.is_system or self._references) and not played.draw
        if self._store is not None and wanted and played.audio is not None:
            self.keep(played.row.name, played.clip, played.audio)

    def keep(self, row: str, clip: EvalClip, audio: Audio) -> None:
        """Keeps the audio of a clip, if it was chosen."""
        assert self._store is not None
        if self._first:
            self._store.add(row, clip, audio)
        elif self._store.wants(clip):
            self.later.append((row, clip, audio))

    def finish(self) -> None:
        if self._store is not None:
            self._store.write_index()


def _long(
    config: EvalConfig, plan: Plan, scorer: Scorer, progress: Progress
) -> LongMeasured | None:
    references = plan.references
    if references is None or not config.long_items or not plan.systems:
        return None
    # A system that predicted nothing of the clips would render noise.
    able = [s for s in plan.systems if scorer.scores.scored(s.name).any()]
    source = LongSource(config, plan.source, plan.takes, able, references.sample_rate, plan.journal)
    if able and not source.stretches:
        progress.message(
            f"no long renders: no take of split {config.split} is long enough for "
            f"{LEAST_JOINS} joins of windows"
        )
    return score_long(source, references, plan.journal, progress)
