"""What to evaluate, against what, and with which options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.rows import CODES_KINDS, REFERENCE_KINDS, RowKind

LEAST_RATE = 16000
"""Hz; below it cymbals have no band to be heard in."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


@dataclass(frozen=True)
class SystemSpec:
    """One system under test.

    Attributes:
        name: what tables call it.
        checkpoint: its model.
        cache: the cache with the codes it is judged on.
    """

    name: str
    checkpoint: Path
    cache: Path

    @classmethod
    def parse(cls, text: str) -> SystemSpec:
        """Reads `NAME:CHECKPOINT:CACHE`.

        Raises:
            InputError: not of that form, or a name that is reserved or unfit for a file name.
        """
        parts = text.split(":")
        if len(parts) != 3 or not all(parts):
            raise InputError(f"system {text!r}: write NAME:CHECKPOINT:CACHE")
        name, checkpoint, cache = parts
        return cls(name, Path(checkpoint), Path(cache))

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise InputError(
                f"system {self.name!r}: use up to 64 letters, digits, '.', '_' and '-' in names"
            )
        taken = ("all", "floor", *(kind.value for kind in REFERENCE_KINDS))
        if self.name in taken or self.name.startswith(tuple(f"{k}-" for k in CODES_KINDS)):
            raise InputError(f"system {self.name!r}: that is the name of a reference row")


@dataclass(frozen=True)
class EvalConfig:
    """Settings of one evaluation.

    Attributes:
        systems: at least one.
        out: the directory to write: it appears whole or not at all.
        overwrite: replace an evaluation of other settings or files that is there.
        split: of the caches.
        dataset: folder or csv of the recordings; None asks the environment, see `open_dataset`.
        reference: what rows are compared with: "recording", or where there are no recordings
            "oracle", the first system's codec. Never one in the place of the other unasked.
        sample_rate: of all audio that is scored, so that systems of different codecs compare;
            None takes the highest of their codecs.
        intersection: only clips that all systems have.
        max_items: at most so many clips, drawn with the seed; 0 takes all.
        beats: length of a clip.
        device, decode_device: where models and codecs run; decoding runs on `device` by default.
        codec_paths: codec id -> where its weights lie, if it does not find them itself; "" is for
            every codec that is not named.
        audio_metrics: score audio; without it only the codes are.
        rows: which reference rows to add; the recording is there whenever there are recordings.
        long_items: takes that each system renders as a whole, to look at the joins of its windows;
            0 for none.
        knee_items: clips on which the oracle is scored per number of codebooks; 0 for none.
        save_preds: of so many clips the audio of every row is kept.
        pred_dir: where; `out`/preds by default.
        pred_include_ref: keep the reference rows' audio too.
        temperature, top_k, top_p, seed: how codes are drawn, see `SamplingConfig`.
        embedding: id of the embedding for set distances; "" for none.
        embedding_path: where its weights lie, if it does not find them itself.
    """

    systems: tuple[SystemSpec, ...]
    out: Path
    split: str = "test"
    dataset: Path | None = None
    reference: str = "recording"
    sample_rate: int | None = None
    intersection: bool = False
    max_items: int = 0
    beats: int = 4
    device: str = "auto"
    decode_device: str | None = None
    codec_paths: dict[str, str] = field(default_factory=dict)
    audio_metrics: bool = True
    rows: tuple[RowKind, ...] = REFERENCE_KINDS
    long_items: int = 2
    knee_items: int = 32
    save_preds: int = 8
    pred_dir: Path | None = None
    pred_include_ref: bool = True
    temperature: float = 0.5
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    embedding: str = "log_mel"
    embedding_path: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        names = [system.name for system in self.systems]
        if not names:
            raise InputError("nothing to evaluate: name a system, NAME:CHECKPOINT:CACHE")
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"two systems are called {name!r}; give each its own name")
        for row in self.rows:
            if row not in REFERENCE_KINDS:
                raise InputError(f"no reference row {row!r}; use {', '.join(REFERENCE_KINDS)}")
        object.__setattr__(self, "rows", tuple(RowKind(row) for row in self.rows))
        if self.reference not in ("recording", "oracle"):
            raise InputError(f"`reference` is {self.reference!r}, not recording or oracle")
        if self.reference == "oracle" and self.dataset is not None:
            raise InputError("`reference` is oracle, so the recordings of `dataset` have no part")
        if self.sample_rate is not None and not LEAST_RATE <= self.sample_rate <= 192_000:
            raise InputError(
                f"`sample_rate` is {self.sample_rate}, not from {LEAST_RATE} to 192000"
            )
        counts = (self.max_items, self.long_items, self.knee_items, self.save_preds)
        if self.embedding_path is not None and not self.embedding:
            raise InputError("embedding_path is given, but no embedding")
        if self.beats < 1 or min(counts) < 0:
            raise InputError("beats must be 1 or more; numbers of clips and takes 0 or more")
