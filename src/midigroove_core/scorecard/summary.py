"""summary.json: one class that is written and read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from midigroove_core.metrics.info import MetricInfo
from midigroove_core.scorecard.figures import Difference, Disorder, Figure, Range
from midigroove_core.scorecard.records import (
    CodecLine,
    CodesLine,
    DrumLine,
    HeardWith,
    KneeLine,
    SetDistances,
)
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.structured import convert_as


@dataclass(frozen=True)
class RowSummary:
    """A row of the tables.

    Attributes:
        row: name.
        kind: what it is.
        codec: whose codes it plays; None for rows without a codec.
        clips: scored.
        skipped: left out.
        metrics: name -> figure, of those that it has.
        is_bound: what its codes cost is an upper bound.
    """

    row: str
    kind: RowKind
    codec: str | None
    clips: int
    skipped: int
    metrics: dict[str, Figure]
    is_bound: bool = False

    @property
    def is_system(self) -> bool:
        """Whether it is under test."""
        return self.kind is RowKind.SYSTEM


@dataclass(frozen=True)
class LongRow:
    """Means over long takes of one row, at the moments of one system's joins."""

    row: str
    joins_of: str
    takes: int
    joins: int
    seams_compared: int
    samples_off: int | None
    metrics: dict[str, Range]


@dataclass(frozen=True)
class LongSummary:
    """Long renders.

    Attributes:
        seconds: how much of each take is rendered at most.
        takes, performances: over how many.
        metrics: how to read the figures of `rows`.
        rows: a system, then the reference at the moments of its joins.
    """

    seconds: float
    takes: int
    performances: int
    metrics: dict[str, MetricInfo]
    rows: tuple[LongRow, ...]


@dataclass(frozen=True)
class AudioSummary:
    """What was heard.

    Attributes:
        reference: the row that others are compared with.
        sample_rate: of all audio that was scored.
        drums, heard_with, sets, knee, codecs: see `scorecard.records`.
        long: None where no long renders were asked for.
    """

    reference: str
    sample_rate: int
    drums: tuple[DrumLine, ...]
    heard_with: tuple[HeardWith, ...]
    sets: SetDistances | None
    knee: tuple[KneeLine, ...]
    codecs: tuple[CodecLine, ...]
    long: LongSummary | None


@dataclass(frozen=True)
class Summary:
    """summary.json.

    Attributes:
        split: that was judged.
        clips, performances, takes: how many.
        confidence: of intervals.
        metrics: how to read each figure; those that the order of rows discredits are untrusted.
        rows: from silence to the recording.
        differences: between systems, and between each system and its oracle.
        disorder: see `order`.
        codes: what codes cost the systems.
        skipped: reason -> how many (clip, row) pairs were left out.
        audio: None when only codes were scored.
        seeds: with how many every system was drawn; of several, figures are means over them.
    """

    split: str
    clips: int
    performances: int
    takes: int
    confidence: float
    metrics: dict[str, MetricInfo]
    rows: tuple[RowSummary, ...]
    differences: tuple[Difference, ...]
    disorder: tuple[Disorder, ...]
    codes: tuple[CodesLine, ...]
    skipped: dict[str, int]
    audio: AudioSummary | None
    seeds: int = 1

    @property
    def systems(self) -> list[str]:
        """Names of the systems under test."""
        return [row.row for row in self.rows if row.is_system]

    def row(self, name: str) -> RowSummary | None:
        """The row of that name."""
        return next((row for row in self.rows if row.row == name), None)

    def to_json(self) -> dict[str, Any]:
        """As JSON; `from_json` of it is equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any, where: str = "summary.json") -> Summary:
        """From JSON.

        Raises:
            InputError: not a summary; names the path in it.
        """
        return convert_as(value, cls, where)
