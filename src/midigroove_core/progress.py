"""How long work reports what it does, without knowing about terminals."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what a pipeline has to say while it runs."""

    def start(self, description: str, total: int | None) -> None:
        """Begins a task of `total` steps (None: unknown); ends the task before it."""

    def advance(self, steps: int = 1, **info: object) -> None:
        """Counts steps done; `info` is shown beside the bar (a loss, a file name)."""

    def message(self, text: str) -> None:
        """One line for people: what was found, what is done next."""

    def finish(self) -> None:
        """Ends the task."""


class Silent:
    """Says nothing; what is used when none is given."""

    def start(self, description: str, total: int | None) -> None:
        """Ignores the task."""

    def advance(self, steps: int = 1, **info: object) -> None:
        """Ignores the steps."""

    def message(self, text: str) -> None:
        """Ignores the line."""

    def finish(self) -> None:
        """Nothing to end."""
