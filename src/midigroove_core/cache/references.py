"""Where else the kit of a take is heard: clips of other performances on it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from midigroove_core.cache.clips import Clip
from midigroove_core.cache.reader import Cache


class References:
    """Finds clips in which the kit of a take can be heard: of another performance, same split.

    Args:
        cache: the takes.
        num_frames: length of a reference; shorter where its take is.
    """

    def __init__(self, cache: Cache, num_frames: int) -> None:
        self._cache, self.num_frames = cache, num_frames
        self._takes: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._places = {entry.key: place for place, entry in enumerate(cache.entries)}
        for place, entry in enumerate(cache.entries):
            self._takes[entry.kit, entry.split].append(place)

    def drawn(self, entry_index: int, rng: np.random.Generator) -> Clip | None:
        """A clip from anywhere in any such take, or None where the kit plays nothing else."""
        others = self._others(entry_index)
        if not others:
            return None
        lengths = np.array([self._cache.entries[place].num_frames for place in others])
        weights = np.minimum(lengths, self.num_frames)  # a fill of a second tells little
        place = others[int(rng.choice(len(others), p=weights / weights.sum()))]
        length = int(rng.integers(max(1, self.num_frames // 4), self.num_frames + 1))
        start = int(rng.integers(0, max(1, self._cache.entries[place].num_frames - length + 1)))
        return self._clip(place, start, length)

    def fixed(self, entry_index: int) -> Clip | None:
        """The beginning of the take that the dataset names, or else of the longest there is."""
        others = self._others(entry_index)
        if not others:
            return None
        named = self._places.get(self._cache.entries[entry_index].reference)
        if named is None:
            named = max(others, key=lambda place: self._cache.entries[place].num_frames)
        return self._clip(named, 0, self.num_frames)

    def _others(self, entry_index: int) -> list[int]:
        own = self._cache.entries[entry_index]
        same = self._takes[own.kit, own.split]
        key = own.performance_key
        return [p for p in same if self._cache.entries[p].performance_key != key]

    def _clip(self, place: int, start: int, length: int) -> Clip:
        return Clip(place, start, min(length, self._cache.entries[place].num_frames - start))
