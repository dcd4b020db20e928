"""The evaluation itself: batches of clips through every row, scored as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip, FrameWindow
from midigroove_core.evaluation.base.results import Scores, Skips
from midigroove_core.evaluation.rows.audio_rows import Recordings, SamplerRow
from midigroove_core.evaluation.rows.code_rows import CodesRow
from midigroove_core.evaluation.rows.predictions import PredictionStore
from midigroove_core.evaluation.rows.systems import FAILURES, CodecGroup, System, failure
from midigroove_core.evaluation.scoring.code_scores import CodeTotals, clip_values
from midigroove_core.evaluation.scoring.long_renders import LongRenders
from midigroove_core.evaluation.scoring.scoring import ClipScorer, ReferenceClip
from midigroove_core.evaluation.scoring.sets import SetCollector
from midigroove_core.metrics.clip import clip_metrics
from midigroove_core.metrics.codes import CodeModel
from midigroove_core.progress import Progress

Audio = NDArray[np.float32]


@dataclass
class Cost:
    """Time spent on a row; kept apart from the results, which are the same bytes every time."""

    predict_sec: float = 0.0
    decode_sec: float = 0.0
    score_sec: float = 0.0
    audio_sec: float = 0.0


@dataclass
class GroupRows:
    """A codec's reference rows.

    Attributes:
        group: the codec and its cache.
        rows: those that play codes.
        model: unigram and bigram of its training codes.
        knee: (number of levels, metrics of one clip), filled on the way.
    """

    group: CodecGroup
    rows: list[CodesRow]
    model: CodeModel | None
    knee: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    def name(self, row: CodesRow) -> str:
        """What tables call it."""
        return row.name + self.group.suffix


@dataclass
class EvalRun:
    """All that a run needs and fills.

    Attributes:
        clips: what is judged.
        groups, systems: where codes come from.
        scorer: None when only codes are scored.
        recordings: None when the reference is the first group's oracle.
        with_silence, sampler: the rows without codes.
        embeddings, store: None where not asked for.
        knee_clips: indices of the clips for the knee.
        long: whole takes, rendered after the clips; None where not asked for.
    """

    clips: Sequence[EvalClip]
    groups: Sequence[GroupRows]
    systems: Sequence[System]
    scores: Scores
    skips: Skips
    scorer: ClipScorer | None
    recordings: Recordings | None
    with_silence: bool
    sampler: SamplerRow | None
    embeddings: SetCollector | None
    store: PredictionStore | None
    stored_rows: Callable[[str], bool]
    knee_clips: set[int]
    long: LongRenders | None = None
    totals: dict[str, CodeTotals] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)

    def run(self, batch_size: int, progress: Progress) -> None:
        """Scores every clip; `progress` counts them."""
        progress.start("Evaluating clips", len(self.clips))
        for number, start in enumerate(range(0, len(self.clips), batch_size)):
            batch = list(self.clips[start : start + batch_size])
            references = self._references(batch)
            for rows in self.groups:
                self._score_group(rows, batch, references)
            for system in self.systems:
                self._score_system(system, batch, references, number)
            self._score_audio_rows(references)
            progress.advance(len(batch))
        progress.finish()

    def cost(self, row: str) -> Cost:
        """The cost of a row so far."""
        return self.costs.setdefault(row, Cost())

    def _references(self, batch: Sequence[EvalClip]) -> dict[int, ReferenceClip]:
        """What each clip is compared with; clips without one are skipped for all rows."""
        if self.scorer is None:
            return {}
        found = {}
        for clip in batch:
            try:
                if self.recordings is not None:
                    audio = self.recordings.audio(clip)
                else:
                    audio = self._oracle(clip)
                found[clip.index] = self.scorer.reference(clip, audio)
            except InputError as error:
                self.skips.add(clip.clip_id, "", str(error))
        return found

    def _oracle(self, clip: EvalClip) -> Audio:
        group = self.groups[0].group
        window = group.window(clip)
        codes = group.cache.codes(window.entry, window.left, window.num_frames)
        (audio,) = group.decode([clip], [window], [codes.astype(np.int64)])
        return self._at_rate(audio, group, clip)

    def _score_group(
        self, rows: GroupRows, batch: Sequence[EvalClip], references: dict[int, ReferenceClip]
    ) -> None:
        windows = self._windows(batch, rows.group.window, [rows.name(row) for row in rows.rows])
        for row in rows.rows:
            started = time.perf_counter()
            offers = [(clip, window, row.codes(clip, window)) for clip, window in windows]
            self.cost(rows.name(row)).predict_sec += time.perf_counter() - started
            for clip, window in windows:
                true = rows.group.cache.codes(
                    window.entry, window.start, window.stop - window.start
                )
                nll = row.nll(clip, true)
                if nll is not None:
                    values = clip_values(nll, rows.group.cache.clock.frame_rate)
                    self.scores.add(rows.name(row), clip.index, values)
            self._decode_and_score(
                rows.name(row),
                rows.group,
                [(c, w, codes) for c, w, codes in offers if codes is not None],
                references,
            )
        self._score_knee(rows, windows, references)

    def _score_system(
        self,
        system: System,
        batch: Sequence[EvalClip],
        references: dict[int, ReferenceClip],
        batch_index: int,
    ) -> None:
        windows = self._windows(batch, system.window, [system.name])
        if not windows:
            return
        started = time.perf_counter()
        predictions = system.predict_each([clip for clip, _ in windows], batch_index, self.skips)
        self.cost(system.name).predict_sec += time.perf_counter() - started
        cache = system.group.cache
        offers = []
        for clip, found in predictions:
            window = found.window
            if not np.isfinite(found.nll).all():
                # Codes drawn from such a model mean nothing either, so they are not decoded.
                self.skips.add(clip.clip_id, system.name, "prediction not finite: NaN likelihood")
                continue
            true = cache.codes(window.entry, window.start, window.stop - window.start)
            self.totals[system.name].add(true, found.nll, found.accuracy)
            values = clip_values(found.nll, cache.clock.frame_rate, found.accuracy)
            self.scores.add(system.name, clip.index, values)
            offers.append((clip, window, found.codes))
        self._decode_and_score(system.name, system.group, offers, references)

    def _windows(
        self,
        batch: Sequence[EvalClip],
        window: Callable[[EvalClip], FrameWindow],
        rows: Sequence[str],
    ) -> list[tuple[EvalClip, FrameWindow]]:
        found = []
        for clip in batch:
            try:
                found.append((clip, window(clip)))
            except InputError as error:
                for row in rows:
                    self.skips.add(clip.clip_id, row, f"not in the cache: {error}")
        return found

    def _decode_and_score(
        self,
        row: str,
        group: CodecGroup,
        offers: Sequence[tuple[EvalClip, FrameWindow, NDArray[np.int64]]],
        references: dict[int, ReferenceClip],
    ) -> None:
        offers = [offer for offer in offers if offer[0].index in references]
        if not offers:
            return
        clips, windows, codes = zip(*offers, strict=True)
        started = time.perf_counter()
        try:
            decoded = group.decode(clips, windows, codes)
        except FAILURES as error:
            if len(offers) == 1:
                self.skips.add(clips[0].clip_id, row, failure("cannot be decoded", error))
            else:
                for offer in offers:
                    self._decode_and_score(row, group, [offer], references)
            return
        self.cost(row).decode_sec += time.perf_counter() - started
        for clip, audio in zip(clips, decoded, strict=True):
            self._score(row, references[clip.index], self._at_rate(audio, group, clip))

    def _score_audio_rows(self, references: dict[int, ReferenceClip]) -> None:
        for reference in references.values():
            audio = reference.features.audio
            if self.recordings is not None:
                self._score("recording", reference, audio)
            if self.with_silence:
                self._score("silence", reference, np.zeros_like(audio))
            if self.sampler is not None:
                started = time.perf_counter()
                played = self.sampler.audio(reference.clip, audio)
                if played is not None:
                    self.cost("sampler").decode_sec += time.perf_counter() - started
                    self._score("sampler", reference, played)

    def _score(self, row: str, reference: ReferenceClip, audio: Audio) -> None:
        """Every figure of one clip of one row, or a line in the list of what was left out."""
        assert self.scorer is not None
        clip, cost = reference.clip, self.cost(row)
        started = time.perf_counter()
        try:
            self.scores.add(row, clip.index, self.scorer.score(row, reference, audio))
            if self.embeddings is not None:
                self.embeddings.add(row, clip, audio)
            if self.store is not None and self.stored_rows(row):
                self.store.add(row, clip, audio)
        except InputError as error:
            self.skips.add(clip.clip_id, row, str(error))
        cost.score_sec += time.perf_counter() - started
        cost.audio_sec += clip.duration_sec

    def _score_knee(
        self,
        rows: GroupRows,
        windows: Sequence[tuple[EvalClip, FrameWindow]],
        references: dict[int, ReferenceClip],
    ) -> None:
        """The oracle with its first 1, 2, ... levels, where the codec decodes prefixes."""
        group = rows.group
        if group.codec is None or not group.codec.decodes_prefix:
            return
        for clip, window in windows:
            if clip.index not in self.knee_clips or clip.index not in references:
                continue
            codes = group.cache.codes(window.entry, window.left, window.num_frames)
            for count in range(1, group.codec.num_levels + 1):
                (audio,) = group.decode([clip], [window], [codes.astype(np.int64)], count)
                self._add_knee(rows, count, references[clip.index], audio)

    def _add_knee(
        self, rows: GroupRows, count: int, reference: ReferenceClip, audio: Audio
    ) -> None:
        assert self.scorer is not None
        from midigroove_core.metrics.features import AudioFeatures

        at_rate = self._at_rate(audio, rows.group, reference.clip)
        features = AudioFeatures.from_audio(at_rate, self.scorer.sample_rate)
        values = clip_metrics(reference.features, features, reference.clip.onsets_sec)
        rows.knee.append((count, values))

    def _at_rate(self, audio: Audio, group: CodecGroup, clip: EvalClip) -> Audio:
        """A clip of a codec at the rate of the metrics, to the sample."""
        assert self.scorer is not None
        rate = self.scorer.sample_rate
        _, count = clip.samples(rate)
        found = resample(audio, group.cache.clock.sample_rate, rate)[:count]
        return np.pad(found, (0, count - len(found)))
