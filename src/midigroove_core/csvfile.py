"""CSV files as midigroove writes and reads them: whole or absent, safe to open in a spreadsheet.

A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@`) is written
with an apostrophe before it, which `read_csv` takes away again. A figure is none: "-6.9 ±0.2" and
"-3 to 2" stay as they are.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from midigroove_core.atomic import write_text
from midigroove_core.errors import InputError

LARGEST = 1 << 29
"""Bytes of a file that is read."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = r"[-+]?\d[\d.]*(?:e[-+]?\d+)?"
_FIGURE = re.compile(f"{_NUMBER}(?: (?:±|to) ?{_NUMBER})?")


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a table; floats with six significant digits, NaN and None as empty cells."""
    write_text(path, csv_text(columns, rows))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text; see `write_csv`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def read_csv(path: str | Path, wanted: Sequence[str] = ()) -> list[dict[str, str]]:
    """The lines of a table, each as column -> text.

    Args:
        path: the file.
        wanted: columns that it must have.

    Raises:
        InputError: the file is gone, too large or no table, or lacks a column; names it.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST:,} bytes")
        with open(path, encoding="utf-8-sig", newline="") as handle:
            lines = list(csv.reader(handle, strict=True))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.start})") from error
    except csv.Error as error:
        raise InputError(f"{path}: not readable as CSV ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    columns = [_plain(name) for name in lines[0]] if lines else []
    for name in wanted:
        if name not in columns:
            raise InputError(f"{path}: has no column {name!r}")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(columns):
            raise InputError(
                f"{path}: line {number}: expected {len(columns)} cells, got {len(line)}"
            )
    return [dict(zip(columns, map(_plain, line), strict=True)) for line in lines[1:]]


def read_number(line: dict[str, str], column: str, where: str) -> float | None:
    """A cell as a number; None where it is empty or the column is not there.

    Raises:
        InputError: something else, or not finite; begins with `where`.
    """
    text = line.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {column}: expected a number, got {text[:40]!r}")
    return value


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}" if math.isfinite(float(value)) else ""
    if isinstance(value, str) and _is_formula(value):
        return f"'{value}"
    return str(value)


def _is_formula(text: str) -> bool:
    """Also a text that has such an apostrophe of its own, which must not be taken away."""
    bare = text.lstrip("'")
    return len(text) > 1 and bare.startswith(_FORMULA) and not _FIGURE.fullmatch(text)


def _plain(text: str) -> str:
    return text[1:] if text[:1] == "'" and text.lstrip("'").startswith(_FORMULA) else text
