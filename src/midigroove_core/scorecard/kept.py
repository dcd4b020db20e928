"""preds.json: which clips' audio was kept, with what the report needs to draw beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from midigroove_core.drums import ARTICULATIONS
from midigroove_core.errors import InputError
from midigroove_core.structured import read_json_as

INDEX = "preds.json"


@dataclass(frozen=True)
class KeptAudio:
    """The sound of one row.

    Attributes:
        file: relative to the folder of preds.json.
        gain: what it was multiplied with to fit into 16 bits.
    """

    file: str
    gain: float


@dataclass(frozen=True)
class KeptClip:
    """A clip with its hits.

    Attributes:
        index, clip: number and id in the evaluation.
        kit, drummer, style, bpm: of its take.
        start_sec, duration_sec: where it lies in the take.
        beats_sec: quarter notes from its start.
        hits: (seconds from its start, articulation, velocity).
        rows: name -> sound.
    """

    index: int
    clip: str
    kit: str
    drummer: str
    style: str
    bpm: float
    start_sec: float
    duration_sec: float
    beats_sec: tuple[float, ...]
    hits: tuple[tuple[float, str, int], ...]
    rows: dict[str, KeptAudio] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """preds.json.

    Attributes:
        sample_rate: of all files.
        clips: what was kept.
    """

    sample_rate: int
    clips: tuple[KeptClip, ...]

    @classmethod
    def read(cls, folder: Path) -> Kept | None:
        """The index of a folder; None where nothing was kept.

        Raises:
            InputError: not of this form, a hit that is none, or a file outside the folder; names
                the path in it.
        """
        path = folder / INDEX
        if not path.is_file():
            return None
        kept = read_json_as(path, cls)
        for number, clip in enumerate(kept.clips):
            _check(clip, folder, f"{path}: clips.{number}")
        return kept


def _check(clip: KeptClip, folder: Path, where: str) -> None:
    if not clip.duration_sec > 0:
        raise InputError(f"{where}.duration_sec: expected more than 0, got {clip.duration_sec}")
    for place, (_, name, velocity) in enumerate(clip.hits):
        if name not in ARTICULATIONS or not 0 <= velocity <= 127:
            raise InputError(
                f"{where}.hits.{place}: expected an articulation and a velocity up to 127"
            )
    inside = folder.resolve()
    for row, kept in clip.rows.items():
        try:
            found = (inside / kept.file).resolve()
        except (OSError, ValueError):  # a loop of links, a null byte
            found = Path("/")
        if inside not in found.parents:
            raise InputError(f"{where}.rows.{row[:80]}.file: points outside {folder}")
        if not kept.gain > 0:
            raise InputError(f"{where}.rows.{row[:80]}.gain: expected more than 0, got {kept.gain}")
