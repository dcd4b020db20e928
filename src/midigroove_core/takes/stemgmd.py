"""StemGMD: the performances of the Groove MIDI Dataset on ten acoustic kits, a file for each drum.

Mezza et al., "Toward Deep Drum Source Separation", Pattern Recognition Letters 183 (2024),
https://doi.org/10.1016/j.patrec.2024.04.026; https://zenodo.org/records/7860223, CC BY 4.0. The
layout is that of LarsNet's own scripts (https://github.com/polimi-ispl/larsnet):

    info.csv                                                   of GMD
    drummer1/eval_session/1_funk-groove1_138_beat_4-4.mid      of GMD
    drummer1/eval_session/bluebird/kick/1_funk-groove1_138_beat_4-4_bluebird.wav
    drummer1/eval_session/bluebird/mixture/...                 optional

A file's name may lack the kit. A take without a mixture is the sum of its stems.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from midigroove_core.errors import InputError
from midigroove_core.takes.dataset import Dataset, Take, split_named
from midigroove_core.takes.table import number, read_rows, relative_path

KITS = (
    "brooklyn", "east_bay", "heavy", "portland", "retro_rock", "socal", "bluebird",
    "detroit_garage", "motown_revisited", "roots",
)  # fmt: skip
"""As published; LarsNet was trained on the first six. A folder of another name is a kit too."""

STEMS = (
    "kick", "snare", "hi_tom", "mid_tom", "low_tom", "hihat_closed", "hihat_open", "crash_left",
    "ride",
)  # fmt: skip
MIXTURE = "mixture"
REQUIRED = (
    "drummer", "id", "style", "bpm", "beat_type", "time_signature", "midi_filename", "duration",
    "split",
)  # fmt: skip


def looks_like_stemgmd(root: Path) -> bool:
    """Whether some drummer's session has a kit with a folder of kick drums."""
    return any(path.is_dir() for path in root.glob("drummer*/*/*/kick"))


def open_stemgmd(csv_path: Path, root: Path, *, split: str | None = None) -> Dataset:
    """Reads GMD's info.csv and finds the stems of each performance on each kit.

    A performance that is on no kit is no take: a part of the dataset is a dataset.

    Args:
        csv_path: GMD's info.csv.
        root: folder that its `midi_filename` and the stems are below.
        split: the split of every row; None reads the column.

    Raises:
        InputError: missing columns, unusable values, or no stem of any row.
    """
    takes = []
    for n, row in enumerate(read_rows(csv_path, REQUIRED), start=2):
        where = f"{csv_path}: row {n}"
        midi = relative_path(row["midi_filename"], where, "midi_filename")
        for kit, stems in _kits(root, PurePosixPath(midi)).items():
            mixture = stems.pop(MIXTURE, None) or _beside(next(iter(stems.values())), MIXTURE)
            takes.append(
                Take(
                    key=mixture,
                    performance_key=row["id"],
                    midi_path=midi,
                    audio_path=mixture,
                    kit=kit,
                    drummer=row["drummer"],
                    style=row["style"],
                    bpm=number(row, "bpm", where),
                    beat_type=row["beat_type"],
                    time_signature=row["time_signature"],
                    split=split or split_named(row["split"], where),
                    duration_sec=number(row, "duration", where),
                    stems=tuple(sorted(stems.items())),
                )
            )
    if not takes:
        raise InputError(
            f"{root}: none of the performances in {csv_path.name} has stems such as "
            "drummer1/session1/bluebird/kick/NAME.wav"
        )
    return Dataset(name=root.resolve().name, root=root, takes=takes)


def _kits(root: Path, midi: PurePosixPath) -> Mapping[str, dict[str, str]]:
    """Kit -> stem or "mixture" -> path below the root, of one performance."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for stem in (*STEMS, MIXTURE):
        for kit in sorted((root / midi.parent).glob(f"*/{stem}")):
            for name in (f"{midi.stem}_{kit.parent.name}.wav", f"{midi.stem}.wav"):
                if (kit / name).is_file():
                    path = midi.parent / kit.parent.name / stem / name
                    found[kit.parent.name][stem] = path.as_posix()
                    break
    return {kit: stems for kit, stems in found.items() if set(stems) != {MIXTURE}}


def _beside(path: str, stem: str) -> str:
    """The file of another stem of the same take."""
    here = PurePosixPath(path)
    return (here.parent.parent / stem / here.name).as_posix()
