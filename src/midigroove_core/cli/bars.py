"""Progress on a terminal, as bars."""

from __future__ import annotations

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

from midigroove_core.cli.tables import cell_text


class _Rate(ProgressColumn):
    """Steps per second, or seconds per step when that reads better."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("-/s")
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each")


class TerminalProgress:
    """Bars with rate and time left.

    Args:
        console: where they are drawn.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[info]}", style="dim", markup=False),
            console=console,
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
        (self._bars.console if self._bars.live.is_started else self._console).print(
            text, markup=False
        )

    def finish(self) -> None:
        """Stops drawing; the bars stay on screen."""
        self._bars.stop()
