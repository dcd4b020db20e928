"""Performances: drum MIDI without audio, as `data synth` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from midigroove_core.errors import InputError
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import read_tempo_and_meter
from midigroove_core.takes.dataset import split_named, split_of_performance
from midigroove_core.takes.folder import MIDI_SUFFIXES
from midigroove_core.takes.gmd import CSV_NAME
from midigroove_core.takes.table import read_rows, relative_path

REQUIRED = (
    "drummer", "session", "id", "style", "bpm", "beat_type", "time_signature", "midi_filename",
    "split",
)  # fmt: skip

DRUMMER_SPLITS = {
    **{f"drummer{n}": "train" for n in (1, 2, 3, 5, 6, 7)},
    **{f"drummer{n}": "validation" for n in (4, 9, 10)},
    "drummer8": "test",
}
"""A split of GMD's drummers, so that nobody is heard in training and in the test."""


@dataclass(frozen=True)
class Performance:
    """A MIDI file and what is known of it; the columns of GMD's info.csv, as text."""

    midi_path: str
    id: str
    drummer: str
    session: str
    style: str
    bpm: str
    beat_type: str
    time_signature: str
    split: str


def list_performances(folder: Path, *, split_by: str = "published") -> list[Performance]:
    """The performances of a folder, by its info.csv where it has one, else by its MIDI files.

    Without a csv the first folder names the drummer, tempo and meter come from the files, and
    splits are drawn by a hash.

    Args:
        folder: GMD or any folder of .mid and .midi files.
        split_by: "published" keeps the csv's splits, "drummer" gives each drummer one split.

    Raises:
        InputError: no folder, no MIDI in it, missing columns, or a wrong `split_by`.
    """
    if split_by not in ("published", "drummer"):
        raise InputError(f"no split {split_by!r}; use published or drummer")
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of MIDI files")
    csv_path = folder / CSV_NAME
    found = _from_csv(csv_path) if csv_path.is_file() else _from_files(folder)
    if split_by == "published":
        return found
    return [Performance(**{**vars(p), "split": split_of_drummer(p.drummer)}) for p in found]


def list_builtin() -> tuple[Path, list[Performance]]:
    """The grooves that ship: their folder and performances, each drummer in one split."""
    grooves = builtin_grooves()
    performances = [
        Performance(
            midi_path=groove.path.name, id=groove.name, drummer=groove.drummer, session="builtin",
            style=groove.style, bpm=f"{groove.bpm:.6g}", beat_type=groove.beat_type,
            time_signature=groove.time_signature, split=groove.split,
        )
        for groove in grooves
    ]  # fmt: skip
    return grooves[0].path.parent, performances


def split_of_drummer(drummer: str) -> str:
    """The drummer's split: GMD's ten by `DRUMMER_SPLITS`, others by a hash of the name."""
    return DRUMMER_SPLITS.get(drummer) or split_of_performance(drummer)


def _from_csv(csv_path: Path) -> list[Performance]:
    performances = []
    for n, row in enumerate(read_rows(csv_path, REQUIRED), start=2):
        where = f"{csv_path}: row {n}"
        performances.append(
            Performance(
                midi_path=relative_path(row["midi_filename"], where, "midi_filename"),
                id=row["id"],
                drummer=row["drummer"],
                session=row["session"],
                style=row["style"],
                bpm=row["bpm"],
                beat_type=row["beat_type"],
                time_signature=row["time_signature"],
                split=split_named(row["split"], where),
            )
        )
    return performances


def _from_files(folder: Path) -> list[Performance]:
    found = (p for p in folder.rglob("*") if p.suffix.lower() in MIDI_SUFFIXES and p.is_file())
    paths = sorted(p.relative_to(folder) for p in found)
    if not paths:
        raise InputError(f"{folder}: no {CSV_NAME} and no {' or '.join(MIDI_SUFFIXES)} files in it")
    performances = []
    for path in paths:
        try:
            bpm, meter = read_tempo_and_meter(folder / path)
        except InputError:
            bpm, meter = 120.0, "4-4"  # synth reads the file again and lists it as skipped
        name = path.with_suffix("").as_posix()
        performances.append(
            Performance(
                midi_path=path.as_posix(),
                id=name,
                drummer=path.parts[0] if len(path.parts) > 1 else "unknown",
                session=path.parent.as_posix(),
                style="unknown",
                bpm=f"{bpm:.6g}",
                beat_type="beat",
                time_signature=meter,
                split=split_of_performance(name),
            )
        )
    return performances
