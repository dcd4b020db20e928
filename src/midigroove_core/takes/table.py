"""Reading csv files with complaints that name the file, the row and the column."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from midigroove_core.errors import InputError

Row = dict[str, str]
_LARGEST = 1e6


def read_header(path: Path) -> list[str]:
    """Names of the columns.

    Raises:
        InputError: the file cannot be read.
    """
    return list(_read(path)[0])


def read_rows(path: Path, required: Iterable[str]) -> list[Row]:
    """All rows; the first row of data is row 2, as an editor counts.

    Raises:
        InputError: unreadable, or a required column is missing; names the file and the columns.
    """
    header, rows = _read(path)
    missing = [column for column in required if column not in header]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(header) or 'none'}"
        )
    return rows


def number(row: Row, column: str, where: str) -> float:
    """A column as a finite number from 0; 0 when it is absent or empty.

    Raises:
        InputError: something that is no such number; names the place.
    """
    text = (row.get(column) or "").strip()
    try:
        value = float(text) if text else 0.0
    except ValueError:
        raise InputError(f"{where}: {column}: {text!r} is not a number") from None
    if not 0.0 <= value <= _LARGEST:
        raise InputError(f"{where}: {column}: {text!r} is not a number from 0 to {_LARGEST:g}")
    return value


def relative_path(text: str, where: str, column: str) -> str:
    """A path below the dataset's root, with `/`.

    Raises:
        InputError: empty, absolute, or leading out of the root; names the place.
    """
    path = text.strip().replace("\\", "/")
    outside = path.startswith("/") or ".." in path.split("/") or PureWindowsPath(path).drive
    if not path or outside or "\0" in path:
        raise InputError(f"{where}: {column}: {text!r} is not a path below the dataset's root")
    return PurePosixPath(path).as_posix()


def _read(path: Path) -> tuple[list[str], list[Row]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle, restval="")
            rows = list(reader)
            return list(reader.fieldnames or []), rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read as csv ({reason})") from error
