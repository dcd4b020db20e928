"""Tables that fit the terminal: they wrap at words, turn, or go on below; no cell is ever cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from midigroove_core.cli.texts import printable

_TURN = 3
"""At most so many rows are shown as columns where a table is too wide."""


@dataclass(frozen=True)
class _Column:
    """One column: its heading and its cells as text, and whether all of them are numbers."""

    heading: str
    cells: tuple[str, ...]
    numeric: bool

    @property
    def natural(self) -> int:
        """Width with a line per cell."""
        lines = [line for text in (self.heading, *self.cells) for line in text.splitlines()]
        return max(map(cell_len, lines), default=0)

    @property
    def least(self) -> int:
        """Width of the longest word; numbers are one word each, whatever is in them."""
        words = [word for text in (self.heading, *self.cells) for word in text.split()]
        return max(map(cell_len, (*words, *(self.cells if self.numeric else ()))), default=0)


def tables(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> Iterator[Table]:
    """Rows as one Rich table that is at most `width` wide, or as several below one another.

    A table that is too wide with its text wrapped at words is turned if it has few rows; else its
    columns go on in further tables, each with the first columns again, as many as tell its rows
    apart. Only a word that is longer than a line is broken.
    """
    made = _columns(columns, rows)
    if _least(made) > width and 0 < len(rows) <= _TURN:
        names = ["", *(cell_text(row[0]) for row in rows)]
        turned = [[name, *(row[1 + i] for row in rows)] for i, name in enumerate(columns[1:])]
        made = _columns([columns[0], *names[1:]], turned)
    for part in _parts(made, width):
        yield _table(part, width)


def _columns(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[_Column]:
    found = []
    for index, name in enumerate(names):
        values = [row[index] for row in rows]
        numeric = bool(values) and all(isinstance(value, int | float) for value in values)
        found.append(_Column(name, tuple(map(cell_text, values)), numeric))
    return found


def _least(columns: Sequence[_Column]) -> int:
    return sum(max(column.least, 1) for column in columns) + 3 * len(columns) + 1


def _parts(columns: list[_Column], width: int) -> list[list[_Column]]:
    """Columns in groups that fit, those that tell rows apart at the head of each group."""
    key = _key(columns, width)
    parts = [[*key]]
    for column in columns[len(key) :]:
        if len(parts[-1]) > len(key) and _least([*parts[-1], column]) > width:
            parts.append([*key])
        parts[-1].append(column)
    return parts


def _key(columns: list[_Column], width: int) -> list[_Column]:
    """The first columns, until no two rows are alike in them; one alone where that is wide."""
    for count in range(1, len(columns)):
        key = columns[:count]
        rows = list(zip(*(column.cells for column in key), strict=True))
        if len(set(rows)) == len(rows):
            return key if _least(key) <= width * 2 // 3 else columns[:1]
    return columns[:1]


def _table(columns: list[_Column], width: int) -> Table:
    table = Table(header_style="bold")
    for column, cells in zip(columns, _widths(columns, width), strict=True):
        justify = "right" if column.numeric else "left"
        table.add_column(Text(column.heading), justify=justify, overflow="fold", width=cells)  # type: ignore[arg-type]
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, row))
    return table


def _widths(columns: list[_Column], width: int) -> list[int]:
    """Width of each column: the widest give way first, down to their longest word if they can."""
    found = [max(column.natural, 1) for column in columns]
    least = [max(column.least, 1) for column in columns]
    room = width - 3 * len(columns) - 1
    while sum(found) > room:
        able = [i for i in range(len(found)) if found[i] > least[i]]
        # A word longer than the line is the last to give way; numbers never do.
        able = able or [
            i for i, column in enumerate(columns) if not column.numeric and found[i] > 8
        ]
        if not able:
            break
        found[max(able, key=lambda i: found[i])] -= 1
    return found


def cell_text(value: object) -> str:
    """A value as tables and progress lines show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else printable(str(value))


def flat_rows(value: dict[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Nested JSON as rows; lists are joined, and counted where they are long."""
    rows: list[tuple[str, object]] = []
    for name, item in value.items():
        if isinstance(item, dict):
            rows += flat_rows(item, f"{prefix}{name}.")
        elif isinstance(item, list) and len(item) > 12:
            rows.append((prefix + name, f"{', '.join(map(str, item[:12]))}, ... ({len(item)})"))
        else:
            shown = ", ".join(map(str, item)) if isinstance(item, list) else item
            rows.append((prefix + name, shown))
    return rows
