"""Work in a thread of its own, which a request follows line by line and ends by going away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

from midigroove_core.errors import MidigrooveError

Line = dict[str, Any]


class Cancelled(Exception):
    """Nobody waits for the result any more."""


class JobProgress:
    """A `Progress` whose steps become lines for the page; raises where the job was cancelled.

    Args:
        send: takes a line, from any thread.
    """

    def __init__(self, send: Callable[[Line], None]) -> None:
        self._send = send
        self._total: int | None = None
        self._done, self._description = 0, ""
        self.cancelled = threading.Event()
        self.lines: list[str] = []

    def start(self, description: str, total: int | None) -> None:
        """A task begins."""
        self._description, self._total, self._done = description, total, 0
        self.advance(0)

    def advance(self, steps: int = 1, **info: object) -> None:
        """Steps were done.

        Raises:
            Cancelled: nobody waits.
        """
        if self.cancelled.is_set():
            raise Cancelled
        self._done += steps
        if self._total:
            share = min(1.0, self._done / self._total)
            self._send({"doing": self._description, "share": round(share, 3)})

    def say(self, line: Line) -> None:
        """A line of another kind, such as what can be heard by now."""
        self._send(line)

    def message(self, text: str) -> None:
        """Kept, and shown with the result."""
        self.lines.append(text)

    def finish(self) -> None:
        """Nothing to end."""


class Worker:
    """Does one thing at a time."""

    def __init__(self) -> None:
        self._free = threading.Lock()
        self._ends: set[Callable[[], None]] = set()

    def end(self) -> None:
        """Whoever follows a job waits no longer; from any thread."""
        for end in tuple(self._ends):
            end()

    async def follow(self, work: Callable[[JobProgress], Line]) -> AsyncGenerator[Line, None]:
        """The lines of a job: `doing` and `share` on the way, at last its result or an `error`.

        Where the iterator is closed before, the job ends at its next step.
        """
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Line | None]()

        def send(line: Line | None) -> None:
            try:
                loop.call_soon_threadsafe(queue.put_nowait, line)
            except RuntimeError:  # the server has stopped
                progress.cancelled.set()

        progress = JobProgress(send)

        def end() -> None:
            progress.cancelled.set()
            send(None)

        self._ends.add(end)
        thread = threading.Thread(target=self._run, args=(work, progress, send), daemon=True)
        thread.start()
        try:
            while (line := await queue.get()) is not None:
                yield line
        finally:
            progress.cancelled.set()
            self._ends.discard(end)

    def _run(
        self,
        work: Callable[[JobProgress], Line],
        progress: JobProgress,
        send: Callable[[Line | None], None],
    ) -> None:
        try:
            while not self._free.acquire(timeout=0.05):
                progress.advance(0)
            try:
                progress.advance(0)
                send(work(progress))
            finally:
                self._free.release()
        except Cancelled:
            pass
        except MidigrooveError as error:
            send({"error": str(error)})
        except Exception as error:  # the page says it; the studio goes on
            send({"error": f"this went wrong and is a fault of midigroove: {error!r}"})
        finally:
            send(None)
