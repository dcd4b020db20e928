"""Scores whatever rows play, clip by clip, and ends in a frozen result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from midigroove_core.audio import downmix
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.knee import KneePlayed
from midigroove_core.evaluation.rows.source import ClipBatch, Played
from midigroove_core.evaluation.scoring.added_metrics import Faults
from midigroove_core.evaluation.scoring.clips import ClassCounts, ClipScorer, drum_lines
from midigroove_core.evaluation.scoring.code_scores import CodeTotals, Vector, clip_values
from midigroove_core.evaluation.scoring.knee_scores import KneeScorer
from midigroove_core.evaluation.scoring.sets import SetCollector, SetVectors
from midigroove_core.evaluation.scoring.take_scores import TakeCollector
from midigroove_core.scorecard.measured import AudioMeasured, LongMeasured, Measured
from midigroove_core.scorecard.metrics import CLIP_METRICS
from midigroove_core.scorecard.records import (
    CacheFacts,
    CodecLine,
    CodesLine,
    FolderFacts,
    HeardWith,
    Reference,
    SystemFacts,
)
from midigroove_core.scorecard.rows import Row, RowKind
from midigroove_core.scorecard.scores import Scores


class AudioScoring:
    """All that judges audio; an evaluation of codes alone has none.

    Args:
        clips: scores single clips.
        reference: what they are compared with.
        sets: collects vectors; None where no embedding was asked for.
        codecs: whose oracles are among the rows.
    """

    def __init__(
        self,
        clips: ClipScorer,
        reference: Reference,
        sets: SetCollector | None = None,
        codecs: Sequence[CodecLine] = (),
    ) -> None:
        self.codecs = tuple(codecs)
        self.clips = clips
        self.reference = reference
        self.sets = sets
        self.knee = KneeScorer()

    def measured(
        self, rows: Sequence[str], takes: Sequence[str], long: LongMeasured | None
    ) -> AudioMeasured:
        """Everything that was heard."""
        name = self.reference.row
        return AudioMeasured(
            sample_rate=self.clips.sample_rate,
            reference=self.reference,
            takes=self.clips.takes.scores(list(takes)),
            drums=tuple(drum_lines(self.clips.classes, rows, name)),
            heard_with=tuple(self.clips.transcribers.heard_with),
            sets=None if self.sets is None else self.sets.compare(name, rows),
            knee=tuple(self.knee.lines()),
            codecs=self.codecs,
            long=long,
            added=self.clips.added.infos,
            added_by=self.clips.added.facts,
        )


@dataclass(frozen=True)
class Given:
    """What a scorer has found; the order in which clips came leaves no trace in it.

    Attributes:
        scores, classes, takes, knee: as the scorer has them; None where no audio is judged.
        codes: system -> what its codes cost.
        heard: kit -> what it was heard with.
        vectors: of set distances.
        faults: of the figures of plugins.
    """

    scores: Scores
    codes: dict[str, dict[int, tuple[int, dict[str, Vector]]]]
    classes: ClassCounts | None
    takes: TakeCollector | None
    heard: dict[str, HeardWith]
    knee: KneeScorer | None
    vectors: SetVectors
    faults: Faults


class Scorer:
    """Takes what is played.

    Args:
        clips: what is judged.
        totals: system -> sums over its codes.
        audio: None when only codes are scored.
        journal: notes what cannot be scored, and the time.
    """

    def __init__(
        self,
        clips: Sequence[EvalClip],
        totals: dict[str, CodeTotals],
        audio: AudioScoring | None,
        journal: Journal,
    ) -> None:
        added = () if audio is None else tuple(audio.clips.added.infos)
        self.scores = Scores((*CLIP_METRICS, *added), len(clips))
        self.audio = audio
        self._clips, self._totals, self._journal = tuple(clips), totals, journal

    def add(self, played: Played, batch: ClipBatch) -> bool:
        """Scores a clip of a row; whether it could be."""
        if played.codes is not None:
            self._add_codes(played)
        return played.audio is None or self._add_audio(played, batch)

    def add_knee(self, played: KneePlayed, batch: ClipBatch) -> None:
        """Scores a clip from the first so many codebooks."""
        assert self.audio is not None
        self.audio.knee.add(played, batch.references[played.clip.index])

    def given(self) -> Given:
        """What was found so far, to be told to another process."""
        audio = self.audio
        return Given(
            scores=self.scores,
            codes={name: totals.found for name, totals in self._totals.items()},
            classes=None if audio is None else audio.clips.classes,
            takes=None if audio is None else audio.clips.takes,
            heard={} if audio is None else audio.clips.transcribers.heard,
            knee=None if audio is None else audio.knee,
            vectors={} if audio is None or audio.sets is None else audio.sets.vectors,
            faults={} if audio is None else audio.clips.added.faults,
        )

    def absorb(self, given: Given) -> None:
        """What another process found, on other clips."""
        self.scores.absorb(given.scores)
        for name, found in given.codes.items():
            self._totals[name].found.update(found)
        if self.audio is None:
            return
        assert given.classes is not None and given.takes is not None and given.knee is not None
        self.audio.clips.classes.absorb(given.classes)
        self.audio.clips.takes.absorb(given.takes)
        self.audio.clips.transcribers.absorb(given.heard)
        self.audio.knee.absorb(given.knee)
        self.audio.clips.added.absorb(given.faults)
        if self.audio.sets is not None:
            self.audio.sets.absorb(given.vectors)

    def cautions(self) -> list[str]:
        """What to say of figures that are not there, a line each."""
        return [] if self.audio is None else self.audio.clips.added.cautions()

    def measured(
        self,
        rows: Sequence[Row],
        systems: Sequence[SystemFacts],
        folders: Sequence[FolderFacts],
        caches: Sequence[CacheFacts],
        long: LongMeasured | None,
    ) -> Measured:
        """The result; rows without a figure are left out, systems apart."""
        there = [row for row in rows if row.is_system or self.scores.scored(row.name).any()]
        there.sort(key=lambda row: list(RowKind).index(row.kind))
        codes: list[CodesLine] = []
        for name, totals in self._totals.items():
            codes += totals.lines(name)
        takes = list(dict.fromkeys(clip.take.key for clip in self._clips))
        names = [row.name for row in there]
        return Measured(
            clips=tuple(clip.judged for clip in self._clips),
            rows=tuple(there),
            scores=self.scores,
            codes=tuple(codes),
            systems=tuple(systems),
            folders=tuple(folders),
            caches=tuple(caches),
            skips=tuple(self._journal.skips),
            spent=dict(self._journal.spent),
            audio=None if self.audio is None else self.audio.measured(names, takes, long),
        )

    def _add_codes(self, played: Played) -> None:
        seen, row = played.codes, played.row
        assert seen is not None
        if row.name in self._totals and seen.accuracy is not None:
            index = played.clip.index
            self._totals[row.name].add(index, seen.true, seen.nll, seen.accuracy)
        values = clip_values(seen.nll, seen.frame_rate, seen.accuracy)
        self.scores.add(row.name, played.clip.index, values)

    def _add_audio(self, played: Played, batch: ClipBatch) -> bool:
        assert self.audio is not None and played.audio is not None
        row, clip, audio = played.row.name, played.clip, downmix(played.audio)
        spent = self._journal.of(row)
        began = time.perf_counter()
        scored = False
        try:
            reference = batch.references[clip.index]
            values = self.audio.clips.score(row, clip, reference, audio, played.draw)
            self.scores.add(row, clip.index, values, played.draw)
            if self.audio.sets is not None:
                self.audio.sets.add(row, clip, audio, reference.audio, played.draw)
            scored = True
        except InputError as error:
            self._journal.skip(clip.clip_id, row, str(error))
        spent.add("score", time.perf_counter() - began, [clip.index])
        spent.audio_sec += clip.duration_sec
        return scored
