"""What all commands share: consoles, JSON on standard output, progress on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console

from midigroove_core.cli.tables import tables
from midigroove_core.cli.texts import printable
from midigroove_core.progress import Progress, Silent


def _width(stream: TextIO) -> int | None:
    # In a pipe or a log there is no window to fit into: tables keep their columns whole.
    return None if stream.isatty() or "COLUMNS" in os.environ else 160


class _Console(Console):
    """Prints texts as texts, whatever is in the names that they repeat."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As Rich prints, with what steers terminals escaped; lines break on terminals alone."""
        shown = [printable(each) if isinstance(each, str) else each for each in objects]
        if not self.is_terminal and all(isinstance(each, str) for each in objects):
            options.setdefault("soft_wrap", True)
        super().print(*shown, **options)


console = _Console(width=_width(sys.stdout))
"""Results, on standard output."""

stderr = _Console(stderr=True, width=_width(sys.stderr))
"""Progress, messages and errors."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def print_json(value: Any) -> None:
    """Prints a value as JSON; with `--json` a command prints nothing else on standard output."""
    from midigroove_core.atomic import dump_json  # what --help has no need of

    every = (sys.stdout.encoding or "").lower().startswith("utf")  # has every character
    sys.stdout.write(dump_json(value, ascii_only=not every) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows as a table no wider than the terminal; see `tables`.

    Texts are shown as they are: "[dB]" is a unit, not markup. The title is a line of its own, for
    one that is a path is not to be broken at the table's width.
    """
    if title:
        console.print(title, style="table.title", markup=False, highlight=False, soft_wrap=True)
    for table in tables(columns, [list(row) for row in rows], console.width):
        console.print(table)


class _Lines(Silent):
    """For logs and pipes: messages, no bars."""

    def message(self, text: str) -> None:
        stderr.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress_for_terminal() -> Iterator[Progress]:
    """Bars on a terminal, plain lines elsewhere; stops drawing whatever happens."""
    progress: Progress = _Lines()
    if stderr.is_terminal:
        from midigroove_core.cli.bars import TerminalProgress

        progress = TerminalProgress(stderr)
    try:
        yield progress
    finally:
        progress.finish()
