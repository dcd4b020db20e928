"""Cards: Markdown below a head that the hub reads."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from midigroove_core.atomic import dump_json
from midigroove_core.names import listed
from midigroove_core.scorecard.tables import TextTable

_STEERS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#~"} | dict.fromkeys("\r\n", " "))


def head(fields: Mapping[str, Any]) -> str:
    """The block between `---` lines. JSON is YAML, too, so no name can break out of it."""
    lines = [f"{key}: {dump_json(value, indent=None)}" for key, value in fields.items() if value]
    return "\n".join(["---", *lines, "---", ""])


def plain(text: object) -> str:
    """A name as text: what Markdown or HTML would read into it is escaped."""
    return html.escape(str(text), quote=False).translate(_STEERS)


def code(text: object) -> str:
    """A name as code."""
    return "`" + str(text).translate({ord("`"): "'", 10: " ", 13: " "}) + "`"


def block(text: str) -> str:
    """Lines as code, indented."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    marked: str | None = None,
    doubted: Collection[str] = (),
) -> str:
    """A table; the first column names the row, the row `marked` stands out, and what stands in
    the columns `doubted` is in italics.
    """
    lines = [[plain(cell) for cell in line] for line in (columns, *rows)]
    for line, row in zip(lines[1:], rows, strict=True):
        for place, name in enumerate(columns):
            if name in doubted and line[place] != "-":
                line[place] = f"*{line[place]}*"
            elif row[0] == marked:
                line[place] = f"**{line[place]}**"
    lines.insert(1, ["---", *["---:"] * (len(columns) - 1)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text_table(found: TextTable, marked: str, doubted: Collection[str]) -> str:
    """A table of an evaluation under its title; `marked` and `doubted` as `table` has them."""
    cells = table(found.columns, found.rows, marked=marked, doubted=doubted)
    return f"**{plain(found.title)}**\n\n{cells}"


def listing(names: Sequence[str], most: int = 30) -> str:
    """Names with commas between them, the first of many."""
    return listed([plain(name) for name in names], most)


def facts(rows: Sequence[tuple[str, object]]) -> str:
    """A list of what is known; what is "" or None is left out."""
    return "\n".join(f"- **{name}**: {value}" for name, value in rows if value not in ("", None))


def card(fields: Mapping[str, Any], parts: Sequence[str]) -> str:
    """A whole card; empty parts are left out."""
    return head(fields) + "\n" + "\n\n".join(part for part in parts if part) + "\n"
