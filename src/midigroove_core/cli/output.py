"""What all commands share: consoles, JSON on standard output, progress on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from midigroove_core.atomic import dump_json
from midigroove_core.cli.tables import cell_text, tables
from midigroove_core.progress import Progress, Silent


def _width(stream: TextIO) -> int | None:
    # In a pipe or a log there is no window to fit into: tables keep their columns whole.
    return None if stream.isatty() or "COLUMNS" in os.environ else 160


console = Console(width=_width(sys.stdout))
"""Results, on standard output."""

stderr = Console(stderr=True, width=_width(sys.stderr))
"""Progress, messages and errors."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def print_json(value: Any) -> None:
    """Prints a value as JSON; with `--json` a command prints nothing else on standard output."""
    sys.stdout.write(dump_json(value) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows as a table no wider than the terminal; see `tables`.

    Texts are shown as they are: "[dB]" is a unit, not markup.
    """
    for table in tables(title, columns, [list(row) for row in rows], console.width):
        console.print(table)


class _Rate(ProgressColumn):
    """Steps per second, or seconds per step when that reads better."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("-/s")
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each")


class TerminalProgress:
    """Rich bars with rate and time left on standard error."""

    def __init__(self) -> None:
        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[info]}", style="dim", markup=False),
            console=stderr,
        )
        self._task: TaskID | None = None

    def start(self, description: str, total: int | None) -> None:
        """Shows a new bar below the finished ones."""
        self._bars.start()
        self._task = self._bars.add_task(description, total=total, info="")

    def advance(self, steps: int = 1, **info: object) -> None:
        """Moves the bar."""
        if self._task is not None:
            self._bars.advance(self._task, steps)
            if info:
                text = "  ".join(f"{name} {cell_text(value)}" for name, value in info.items())
                self._bars.update(self._task, info=text)

    def message(self, text: str) -> None:
        """Prints a line above the bars."""
        (self._bars.console if self._bars.live.is_started else stderr).print(text, markup=False)

    def finish(self) -> None:
        """Stops drawing; the bars stay on screen."""
        self._bars.stop()


class _Lines(Silent):
    """For logs and pipes: messages, no bars."""

    def message(self, text: str) -> None:
        stderr.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress_for_terminal() -> Iterator[Progress]:
    """Bars on a terminal, plain lines elsewhere; stops drawing whatever happens."""
    progress: Progress = TerminalProgress() if stderr.is_terminal else _Lines()
    try:
        yield progress
    finally:
        progress.finish()
