"""Work spread over processes, with results in the order of the tasks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    function: Callable[[T], R], tasks: Sequence[T], workers: int | None = None
) -> Iterator[R]:
    """`map` over processes; with one worker or one task, in this process.

    Processes are spawned, so `function` and its arguments must be importable and picklable.

    Args:
        function: called with each task.
        tasks: all of them.
        workers: processes; None uses every core.
    """
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield from pool.map(function, tasks)
    finally:
        pool.shutdown(cancel_futures=True)
