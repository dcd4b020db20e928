"""What to evaluate, against what, and with which options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from midigroove_core import bounds
from midigroove_core.cache.cutting import Cutting
from midigroove_core.device import check_device
from midigroove_core.errors import InputError
from midigroove_core.interfaces.sampling import check_common
from midigroove_core.scorecard.rows import CODES_KINDS, REFERENCE_KINDS, RowKind

LEAST_RATE = int(bounds.SCORED_RATE.low)
"""Hz; below it cymbals have no band to be heard in."""

LEAST_WINDOW_SEC = 0.1
"""A clip is known by its milliseconds, and a shorter one has no spectrum worth comparing."""

_BOUNDS = {
    "sample_rate": bounds.SCORED_RATE,
    "max_items": bounds.COUNT,
    "long_items": bounds.COUNT,
    "knee_items": bounds.COUNT,
    "save_preds": bounds.COUNT,
    "beats": bounds.BEATS,
    "hop_beats": bounds.HOP_BEATS,
    "window_sec": bounds.SECONDS,
    "hop_sec": bounds.SECONDS,
    "seed": bounds.SEED,
    "seeds": bounds.AT_LEAST_ONE,
}

_SLASHES = r"//[A-Za-z0-9]"
"""After the colon of an address on the hub."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


def _check_name(name: str) -> None:
    """Raises InputError for a name that is reserved or unfit for a file name."""
    if not _NAME.match(name):
        raise InputError(
            f"system {name!r}: use up to 64 letters, digits, '.', '_' and '-' in names"
        )
    taken = ("all", "floor", *(kind.value for kind in REFERENCE_KINDS))
    if name in taken or name.startswith(tuple(f"{k}-" for k in CODES_KINDS)):
        raise InputError(f"system {name!r}: that is the name of a reference row")


@dataclass(frozen=True)
class SystemSpec:
    """One system under test.

    Attributes:
        name: what tables call it.
        checkpoint: its model.
        cache: the cache with the codes it is judged on.
        codec: id or family that the cache's codec must have; "" takes what is there.
    """

    name: str
    checkpoint: Path
    cache: Path
    codec: str = ""

    @classmethod
    def parse(cls, text: str) -> SystemSpec:
        """Reads `NAME:CHECKPOINT:CACHE`, or with a codec to check, `NAME:CHECKPOINT:CACHE:CODEC`.

        Checkpoint and cache may be `hf://USER/NAME@REVISION`.

        Raises:
            InputError: not of that form, or a name that is reserved or unfit for a file name.
        """
        parts = re.split(f":(?!{_SLASHES})", text)
        if len(parts) not in (3, 4) or not all(parts):
            raise InputError(f"system {text!r}: write NAME:CHECKPOINT:CACHE[:CODEC]")
        return cls(parts[0], Path(parts[1]), Path(parts[2]), *parts[3:])

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True)
class AudioSpec:
    """Audio from elsewhere under test: another generator's, a sampler's, a DAW's.

    Attributes:
        name: what tables call it.
        place: a folder with an audio file per take, or a csv with the columns `take` and `file`.
    """

    name: str
    place: Path

    @classmethod
    def parse(cls, text: str) -> AudioSpec:
        """Reads `NAME:FOLDER`.

        Raises:
            InputError: not of that form, or a name that is reserved or unfit for a file name.
        """
        name, colon, place = text.partition(":")
        if not colon or not name or not place:
            raise InputError(f"audio {text!r}: write NAME:FOLDER")
        return cls(name, Path(place))

    def __post_init__(self) -> None:
        _check_name(self.name)


def read_systems_file(path: Path) -> list[SystemSpec]:
    """A system per line, as on the command line; `#` begins a comment.

    Raises:
        InputError: no such file, or a line that is no system; names it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    found = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                found.append(SystemSpec.parse(text))
            except InputError as error:
                raise InputError(f"{path}: line {number}: {error}") from error
    if not found:
        raise InputError(f"{path}: names no system")
    return found


@dataclass(frozen=True)
class EvalConfig:
    """Settings of one evaluation.

    Attributes:
        systems: models with the caches that they are judged on.
        audio: folders of audio that are judged beside them, or without any system.
        caches: caches of codecs that are judged without a model, by their codes alone.
        out: the directory to write: it appears whole or not at all.
        overwrite: replace an evaluation of other settings or files that is there.
        split: of the caches.
        dataset: folder or csv of the recordings; None asks the environment, see `open_dataset`.
        dataset_options: further arguments of `open_dataset`, such as `kind`, `root` or `train_csv`.
        reference: what rows are compared with: "recording", or where there are no recordings
            "oracle", the first system's codec. Never one in the place of the other unasked.
        sample_rate: of all audio that is scored, so that systems of different codecs compare;
            None takes the highest of their codecs.
        intersection: only clips that all systems have.
        max_items: at most so many clips, drawn with the seed; 0 takes all.
        beats, hop_beats: length of a clip in quarter notes, and from one clip to the next; a hop of
            0 is the length, less makes clips overlap.
        window_sec, hop_sec: the same in seconds, from the start of the take and on no beat; a
            `window_sec` of 0 goes by beats.
        device, decode_device: where models and codecs run; decoding runs on `device` by default.
        sketches: a cache of sketches, for models that use those and kits they have no name for.
        codec_paths: codec id -> where its weights lie, if it does not find them itself; "" is for
            every codec that is not named.
        audio_metrics: score audio; without it only the codes are.
        rows: which reference rows to add; the recording is there whenever there are recordings.
        long_items: takes that each system renders as a whole, to look at the joins of its windows;
            0 for none.
        knee_items: clips on which the oracle is scored per number of levels; 0 for none.
        save_preds: of so many clips the audio of every row is kept; "all" keeps it all.
        pred_dir: where; `out`/preds by default.
        pred_include_ref: keep the reference rows' audio too.
        sampling: settings of drawing by name, such as `{"temperature": 0.7}`, for the systems that
            have them; what is not named is as each checkpoint says.
        seed: of clips and draws.
        seeds: with how many, from `seed` on, every system's codes are drawn: figures are means over
            them, with their spread.
        embedding: id of the embedding for set distances; "" for none.
        embedding_path: where its weights lie, if it does not find them itself.
        metrics: ids of figures of plugins, measured beside core's.
        same_loudness: bring clips to the loudness of their references before set distances, so
            that these do not say once more what the level difference says.
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
    sketches: Path | None = None
    codec_paths: dict[str, str] = field(default_factory=dict)
    audio_metrics: bool = True
    rows: tuple[RowKind, ...] = REFERENCE_KINDS
    long_items: int = 2
    knee_items: int = 32
    save_preds: int | Literal["all"] = 8
    pred_dir: Path | None = None
    pred_include_ref: bool = True
    sampling: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    seeds: int = 1
    embedding: str = "log_mel"
    embedding_path: str | None = None
    same_loudness: bool = True
    overwrite: bool = False
    audio: tuple[AudioSpec, ...] = ()
    caches: tuple[Path, ...] = ()
    metrics: tuple[str, ...] = ()
    hop_beats: int = 0
    window_sec: float = 0.0
    hop_sec: float = 0.0
    dataset_options: dict[str, Any] = field(default_factory=dict)

    @property
    def cutting(self) -> Cutting:
        """How takes are cut into clips."""
        return Cutting(self.beats, self.hop_beats, window_sec=self.window_sec, hop_sec=self.hop_sec)

    def __post_init__(self) -> None:
        names = [*(spec.name for spec in self.systems), *(spec.name for spec in self.audio)]
        if not names and not self.caches:
            raise InputError(
                "nothing to evaluate: name a `system`, NAME:CHECKPOINT:CACHE, or a folder of "
                "`audio`, NAME:FOLDER"
            )
        if self.metrics and not self.audio_metrics:
            raise InputError("a `metric` is of audio, and without `audio_metrics` none is heard")
        if not self.audio_metrics and not self.systems:
            raise InputError("without `audio_metrics` there is nothing to judge but `systems`")
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
        for name, limits in _BOUNDS.items():
            if getattr(self, name) is not None and getattr(self, name) != "all":
                limits.check(f"`{name}`", getattr(self, name))
        self._check_windows()
        check_common(self.sampling)
        for device in (self.device, self.decode_device or "cpu"):
            check_device(device)
        if self.embedding_path is not None and not self.embedding:
            raise InputError("embedding_path is given, but no embedding")

    def _check_windows(self) -> None:
        if self.hop_sec and not self.window_sec:
            raise InputError("`hop_sec` is of windows in seconds: say their length, `window_sec`")
        if self.hop_beats and self.window_sec:
            raise InputError("`hop_beats` is of windows in beats, and `window_sec` in seconds")
        for name in ("window_sec", "hop_sec"):
            value = getattr(self, name)
            if value and value < LEAST_WINDOW_SEC:
                raise InputError(f"`{name}` must be at least {LEAST_WINDOW_SEC}, got {value}")
