"""What rows and scoring hand to the output: everything that was measured, and nothing to run."""

from __future__ import annotations

from dataclasses import dataclass

from midigroove_core.metrics.info import MetricInfo
from midigroove_core.scorecard.records import (
    CacheFacts,
    CodecLine,
    CodesLine,
    DrumLine,
    FolderFacts,
    HeardWith,
    JudgedClip,
    KneeLine,
    LongLine,
    LongSpent,
    MetricFacts,
    Reference,
    SetDistances,
    SystemFacts,
)
from midigroove_core.scorecard.rows import Row
from midigroove_core.scorecard.scores import Scores, Skip, Spent


@dataclass(frozen=True)
class LongMeasured:
    """Long renders.

    Attributes:
        seconds: how much of each take is rendered at most.
        stretches: what was rendered.
        lines: a system's line, then the reference at the moments of its joins.
        spent: per system.
    """

    seconds: float
    stretches: tuple[JudgedClip, ...]
    lines: tuple[LongLine, ...]
    spent: tuple[LongSpent, ...]


@dataclass(frozen=True)
class AudioMeasured:
    """What was heard.

    Attributes:
        sample_rate: of all audio that was scored.
        reference: what it was compared with.
        takes: figures per row and take, in the order of `Measured.takes`.
        drums: how each drum is played.
        heard_with: per kit.
        sets: None where no embedding was asked for.
        knee: oracles by number of levels.
        codecs: whose oracles they are.
        long: None where no long renders were asked for.
        added, added_by: figures of plugins, how to read them and whose they are.
    """

    sample_rate: int
    reference: Reference
    takes: Scores
    drums: tuple[DrumLine, ...]
    heard_with: tuple[HeardWith, ...]
    sets: SetDistances | None
    knee: tuple[KneeLine, ...]
    codecs: tuple[CodecLine, ...]
    long: LongMeasured | None
    added: dict[str, MetricInfo]
    added_by: tuple[MetricFacts, ...]


@dataclass(frozen=True)
class Measured:
    """An evaluation, measured.

    Attributes:
        clips: what was judged.
        rows: lines of the tables, from silence to the recording.
        scores: figures per row and clip.
        codes: what codes cost the systems.
        systems: who they are.
        folders: audio from elsewhere.
        caches: codecs that were judged without a model.
        skips: what was left out.
        spent: row -> seconds.
        audio: None when only codes were scored.
    """

    clips: tuple[JudgedClip, ...]
    rows: tuple[Row, ...]
    scores: Scores
    codes: tuple[CodesLine, ...]
    systems: tuple[SystemFacts, ...]
    folders: tuple[FolderFacts, ...]
    caches: tuple[CacheFacts, ...]
    skips: tuple[Skip, ...]
    spent: dict[str, Spent]
    audio: AudioMeasured | None

    @property
    def performances(self) -> list[str]:
        """The performance of each clip."""
        return [clip.performance for clip in self.clips]

    @property
    def takes(self) -> dict[str, str]:
        """Take -> its performance, in the order of the clips."""
        return {clip.take: clip.performance for clip in self.clips}
