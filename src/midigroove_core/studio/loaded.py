"""What is slow to load, kept: a few of the last, each with what was said when it was loaded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from midigroove_core.progress import Progress

T = TypeVar("T")


class Loaded(Generic[T]):
    """The things that were asked for last.

    Args:
        most: so many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[Hashable, tuple[T, tuple[str, ...]]] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[Progress], T], progress: Progress) -> T:
        """The thing of that key, loaded if need be; `progress` is told what was said of it."""
        if key not in self._things:
            noting = _Noting(progress)
            self._things[key] = load(noting), tuple(noting.lines)
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        self._things.move_to_end(key)
        thing, lines = self._things[key]
        for line in lines:
            progress.message(line)
        return thing


class _Noting:
    """A `Progress` that keeps what it is told, and passes the rest on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.lines: list[str] = []
        self.start, self.advance, self.finish = progress.start, progress.advance, progress.finish

    def message(self, text: str) -> None:
        self.lines.append(text)
