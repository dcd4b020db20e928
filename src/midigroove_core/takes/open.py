"""`open_dataset`: tells E-GMD, GMD and plain folders apart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from midigroove_core.errors import InputError
from midigroove_core.takes import egmd, folder, gmd, stemgmd
from midigroove_core.takes.dataset import Dataset, refuse_overlap
from midigroove_core.takes.table import read_header

Kind = Literal["auto", "egmd", "gmd", "stemgmd", "folder"]
Midi = Literal["canonical", "kit"]


def open_dataset(
    path: str | Path | None = None,
    *,
    kind: Kind = "auto",
    root: str | Path | None = None,
    train_csv: str | Path | None = None,
    val_csv: str | Path | None = None,
    midi: Midi = "canonical",
) -> Dataset:
    """Opens a dataset by its folder or its csv.

    Args:
        path: a folder or a csv. None reads the environment: EGMD_CSV, or the csv in EGMD_ROOT.
        kind: "auto" looks at the files and columns: a csv with `kit_name` is E-GMD, one with
            `midi_filename` GMD, or StemGMD where its stems are there, anything else a folder of
            pairs.
        root: folder that file names in a csv are relative to; the csv's own folder by default,
            or EGMD_ROOT where `path` is None.
        train_csv, val_csv: instead of `path`, one csv a split; the file decides the split. One
            csv given for both is read once, and its column `split` decides.
        midi: for E-GMD, "canonical" uses one kit's MIDI for all takes of a performance, "kit"
            each take's own.

    Raises:
        InputError: nothing there, missing columns, or unusable values; names file and columns.
            A performance that is in both csv files; names it.
    """
    if train_csv is not None or val_csv is not None:
        if path is not None:
            raise InputError("give either `path` or `train_csv` and `val_csv`, not both")
        return _open_split_files(train_csv, val_csv, kind, root, midi)
    if path is None:
        path, root = _from_environment(root)
    return _open_one(Path(path), kind, Path(root) if root else None, midi, None)


def is_dataset_in_environment() -> bool:
    """Whether EGMD_CSV or EGMD_ROOT names a dataset."""
    return bool(os.environ.get("EGMD_CSV") or os.environ.get("EGMD_ROOT"))


def _from_environment(root: str | Path | None) -> tuple[str | Path, str | Path | None]:
    root = root or os.environ.get("EGMD_ROOT") or None
    path = os.environ.get("EGMD_CSV") or root
    if path is None:
        raise InputError("no dataset: give its folder or csv, or set EGMD_ROOT (and EGMD_CSV)")
    return path, root


def _open_split_files(
    train_csv: str | Path | None,
    val_csv: str | Path | None,
    kind: Kind,
    root: str | Path | None,
    midi: Midi,
) -> Dataset:
    root = root or os.environ.get("EGMD_ROOT") or None
    if train_csv is not None and val_csv is not None and _same_file(train_csv, val_csv):
        dataset = _open_one(Path(train_csv), kind, Path(root) if root else None, midi, None)
        refuse_overlap(dataset.takes, dataset.name)
        return dataset
    parts = [
        _open_one(Path(path), kind, Path(root) if root else None, midi, split)
        for path, split in ((train_csv, "train"), (val_csv, "validation"))
        if path is not None
    ]
    if len({part.root.resolve() for part in parts}) > 1:
        raise InputError(
            f"{train_csv} and {val_csv} lie in different folders; say what their file names are "
            "relative to with `root`"
        )
    takes = [take for part in parts for take in part.takes]
    refuse_overlap(takes, f"{train_csv} and {val_csv}")
    unpaired = sorted({name for part in parts for name in part.unpaired})
    return Dataset(name=parts[0].name, root=parts[0].root, takes=takes, unpaired=unpaired)


def _same_file(first: str | Path, second: str | Path) -> bool:
    try:
        return Path(first).samefile(second)
    except OSError:
        return False


def _open_one(path: Path, kind: Kind, root: Path | None, midi: Midi, split: str | None) -> Dataset:
    if not path.exists():
        raise InputError(f"{path}: no such dataset folder or csv")
    csv_path = _csv_in(path, kind) if path.is_dir() else path
    root = root or (path if path.is_dir() else path.parent)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if csv_path is not None and kind == "auto":
        header = read_header(csv_path)
        known = "egmd" if "kit_name" in header else "gmd" if "midi_filename" in header else "folder"
        if known == "gmd" and stemgmd.looks_like_stemgmd(root):
            known = "stemgmd"
        kind = known  # type: ignore[assignment]
    if csv_path is not None and kind == "egmd":
        return egmd.open_egmd(csv_path, root, split=split, midi=midi)
    if csv_path is not None and kind == "gmd":
        return gmd.open_gmd(csv_path, root, split=split)
    if csv_path is not None and kind == "stemgmd":
        return stemgmd.open_stemgmd(csv_path, root, split=split)
    return folder.open_folder(root, csv_path=csv_path, split=split)


def _csv_in(path: Path, kind: Kind) -> Path | None:
    """The csv of a dataset's folder; None for a folder of pairs without one.

    Raises:
        InputError: E-GMD or GMD was asked for and its csv is not there.
    """
    names = {
        "egmd": [egmd.CSV_NAME],
        "gmd": [gmd.CSV_NAME],
        "stemgmd": [gmd.CSV_NAME],
        "folder": [folder.CSV_NAME],
    }
    wanted = names.get(kind, [egmd.CSV_NAME, gmd.CSV_NAME, folder.CSV_NAME])
    found = next((path / name for name in wanted if (path / name).is_file()), None)
    if found is None and kind in ("egmd", "gmd", "stemgmd"):
        raise InputError(f"{path}: no {wanted[0]} there; give the csv's path, and its root")
    return found
