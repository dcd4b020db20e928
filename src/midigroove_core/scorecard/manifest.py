"""manifest.json: everything needed to say whether two evaluations can be compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from midigroove_core.errors import MismatchError
from midigroove_core.scorecard.records import (
    CacheFacts,
    FolderFacts,
    MetricFacts,
    Reference,
    SystemFacts,
)
from midigroove_core.structured import convert_as

if TYPE_CHECKING:  # with it comes torch, which readers do without
    pass

MANIFEST = "manifest.json"

FORMAT = "midigroove-evaluation"
SCHEMA = 1
"""Version of the files in an evaluation directory."""


@dataclass(frozen=True)
class ClipsFacts:
    """Which clips were judged; windows of seconds where `window_sec` is not 0."""

    split: str
    beats: int
    count: int
    fingerprint: str
    intersection: bool
    max_items: int
    hop_beats: int = 0
    window_sec: float = 0.0
    hop_sec: float = 0.0

    @property
    def length(self) -> str:
        """Of a clip, for people."""
        return f"{self.window_sec:g} s" if self.window_sec else f"{self.beats} beats"


@dataclass(frozen=True)
class LongFacts:
    """Which long takes were rendered; no fingerprint where none were."""

    max_items: int
    fingerprint: str | None


@dataclass(frozen=True)
class Manifest:
    """manifest.json. Files are named without their folders and known by their SHA-256.

    Attributes:
        format, schema: what this is, and its version.
        settings: SHA-256 over the settings and the files that went in: equal for evaluations that
            are the same.
        versions: of midigroove and the libraries that had a part.
        clips, long: what was judged.
        reference: what it was compared with; None when only codes were scored.
        sample_rate: of the audio; None when only codes were scored.
        embedding: see `Embedding.identity`; None without one.
        sampling: settings of drawing that were asked for; each system says its own.
        seed: of clips and draws.
        rows: names.
        systems, folders: under test.
        caches: codecs that were judged without a model.
        seeds: with how many, from `seed` on, every system was drawn.
        metrics: figures that plugins added.
    """

    format: str
    schema: int
    settings: str
    versions: dict[str, str]
    clips: ClipsFacts
    long: LongFacts
    reference: Reference | None
    sample_rate: int | None
    embedding: dict[str, Any] | None
    sampling: dict[str, Any]
    seed: int
    rows: tuple[str, ...]
    systems: tuple[SystemFacts, ...]
    folders: tuple[FolderFacts, ...] = ()
    caches: tuple[CacheFacts, ...] = ()
    seeds: int = 1
    metrics: tuple[MetricFacts, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON; `from_json` of it is equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any, where: str = "manifest.json") -> Manifest:
        """From JSON.

        Raises:
            InputError: not the manifest of an evaluation; names the path in it.
            MismatchError: of another version.
        """
        check_format(value, where)
        return convert_as(value, cls, where)


def check_format(value: Any, where: str) -> None:
    """Raises MismatchError or InputError unless this is a manifest that this version reads."""
    head = convert_as(value, _Head, where)
    if head.format != FORMAT:
        raise MismatchError(f"{where}: format is {head.format!r}, not {FORMAT!r}")
    if head.schema != SCHEMA:
        raise MismatchError(
            f"{where}: written with schema {head.schema}, this version reads {SCHEMA}; "
            f"evaluate again, or use the version of midigroove that wrote it"
        )


@dataclass(frozen=True)
class _Head:
    format: str
    schema: int
