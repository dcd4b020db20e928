"""SIGTERM, as a cluster sends it to a job that must make room: the run saves before it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody has asked the run to end."""

    asked = False


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """While the block runs, the first SIGTERM is a request; a second one is as it was before.

    A signal that is ignored stays ignored; threads other than the main one change nothing.
    """
    request = StopRequest()
    number = signal.SIGTERM
    before = signal.getsignal(number)
    main = threading.current_thread() is threading.main_thread()
    if not main or before in (signal.SIG_IGN, None):
        yield request
        return

    def ask(*_: int | FrameType | None) -> None:
        request.asked = True
        signal.signal(number, before)

    signal.signal(number, ask)
    try:
        yield request
    finally:
        signal.signal(number, before)
