"""Ctrl-C and SIGTERM: one line that says what is kept and how to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

_GO_ON = ("cache", "train", "recipe", "synth", "codec-eval")
"""Commands that go on where they were."""


class Stopped(BaseException):
    """A signal to end came; nothing that catches errors of its own catches this."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """As shells say it: 130 after Ctrl-C."""
        return 128 + self.number


@contextmanager
def raising_stopped() -> Iterator[None]:
    """While the block runs, the first signal raises `Stopped`; a second one ends at once.

    A signal that is ignored (in the background of a shell) stays ignored; threads other than the
    main one change nothing.
    """
    before: dict[int, Any] = {}

    def stop(number: int, _: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        raise Stopped(number)

    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(each) not in (signal.SIG_IGN, None):
                before[each] = signal.signal(each, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def last_words(arguments: Sequence[str]) -> str:
    """What is kept of a command that was stopped."""
    if any(word in _GO_ON for word in arguments[:2]):
        return "stopped; what is done is kept: give the same command again to go on"
    return "stopped; files are whole or not there: give the same command again"
