"""Work spread over processes, with results in the order of the tasks; and programs with a limit.

Workers end when the process that started them ends, however it ends, and so do the programs that
they run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from midigroove_core import bounds
from midigroove_core.errors import MidigrooveError

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    function: Callable[[T], R], tasks: Sequence[T], workers: int | None = None
) -> Iterator[R]:
    """`map` over processes; with one worker or one task, in this process.

    Processes are spawned, so `function` and its arguments must be importable and picklable. They
    leave Ctrl-C to this process, and end at once when it stops early or dies.

    Args:
        function: called with each task.
        tasks: all of them.
        workers: processes; None uses every core.

    Raises:
        MidigrooveError: a process was killed, most often for want of memory.
    """
    if workers is not None:
        bounds.WORKERS.check("`workers`", workers)
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    with worker_pool(workers) as pool:
        yield from pool.map(function, tasks)


@contextlib.contextmanager
def worker_pool(
    workers: int, prepare: Callable[..., None] | None = None, args: tuple[Any, ...] = ()
) -> Iterator[Executor]:
    """Processes to submit work to, spawned; all that is submitted must be picklable.

    Args:
        workers: how many.
        prepare: called once in each, before any work.
        args: for that.

    Raises:
        MidigrooveError: a process was killed, most often for want of memory.
    """
    context = get_context("spawn")
    ends_with, alive = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(ends_with, prepare, args)
    )
    done = False
    try:
        yield pool
        done = True
    except BrokenProcessPool as error:
        raise MidigrooveError(
            "a worker process was killed, for want of memory most often; use fewer workers"
        ) from error
    finally:
        if not done:
            alive.close()
        pool.shutdown(cancel_futures=True)
        alive.close()
        ends_with.close()


def _begin(parent: Connection, prepare: Callable[..., None] | None, args: tuple[Any, ...]) -> None:
    """In a worker, before any work."""
    _end_with(parent)
    if prepare is not None:
        prepare(*args)


def _end_with(parent: Connection) -> None:
    """In a worker: ends it as soon as the other end of the pipe is closed, by whatever."""

    def end(*_: object) -> None:
        for program in list(_running):
            program.kill()
        os._exit(1)

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            parent.recv_bytes()
        end()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The pool ends its workers so when one of them is gone; their programs must not outlive them.
    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=watch, daemon=True).start()


_running: set[subprocess.Popen[str]] = set()


def run_program(command: Sequence[str], *, timeout_sec: float) -> subprocess.CompletedProcess[str]:
    """Runs a program, never through a shell, and kills it when it takes too long or we end.

    Raises:
        FileNotFoundError: no such program.
        subprocess.TimeoutExpired: it did not end within `timeout_sec`.
    """
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, errors="replace",
    ) as program:  # fmt: skip
        _running.add(program)
        try:
            out, err = program.communicate(timeout=timeout_sec)
        finally:
            program.kill()
            _running.discard(program)
    return subprocess.CompletedProcess(list(command), program.returncode, out, err)
