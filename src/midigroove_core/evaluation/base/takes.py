"""Where the takes come from that are judged: a cache, or the dataset itself where there is none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from midigroove_core.cache import Cache, CacheEntry
from midigroove_core.errors import InputError
from midigroove_core.midi import DrumPerformance, load_midi
from midigroove_core.takes import Dataset, Take
from midigroove_core.takes.sound import duration_sec


@dataclass(frozen=True)
class JudgedTake:
    """One performance on one kit; see `Take`, which says what the fields mean."""

    key: str
    performance_key: str
    split: str
    kit: str
    drummer: str
    style: str
    bpm: float
    beat_type: str


class TakeSource(ABC):
    """Takes with their performances.

    Attributes:
        where: the folder, for messages.
        takes: all of them, in their order.
    """

    where: str
    takes: list[JudgedTake]

    @abstractmethod
    def performance(self, take: JudgedTake) -> DrumPerformance:
        """The events of a take.

        Raises:
            InputError: its MIDI cannot be read.
        """

    @abstractmethod
    def duration_sec(self, take: JudgedTake) -> float:
        """How long the take's audio is.

        Raises:
            InputError: it cannot be read.
        """

    def split(self, name: str) -> list[JudgedTake]:
        """The takes of a split."""
        return [take for take in self.takes if take.split == name]


def _judged(take: CacheEntry | Take) -> JudgedTake:
    """What is judged by of a cached take, or one of a dataset."""
    return JudgedTake(
        take.key, take.performance_key, take.split, take.kit, take.drummer, take.style,
        take.bpm, take.beat_type,
    )  # fmt: skip


class CacheTakes(TakeSource):
    """The takes of a cache, which has read all that is needed of them."""

    def __init__(self, cache: Cache) -> None:
        self.where = str(cache.path)
        self._cache = cache
        self.takes = [_judged(e) for e in cache.entries]

    def performance(self, take: JudgedTake) -> DrumPerformance:
        """See `TakeSource`."""
        return self._cache.performance(self._cache.entry(take.key))

    def duration_sec(self, take: JudgedTake) -> float:
        """See `TakeSource`."""
        return self._cache.entry(take.key).num_samples / self._cache.clock.sample_rate


class DatasetTakes(TakeSource):
    """The takes of a dataset, read when they are asked for."""

    def __init__(self, dataset: Dataset) -> None:
        self.where = str(dataset.root)
        self._dataset = dataset
        self._by_key = {take.key: take for take in dataset.takes}
        self._last: tuple[str, DrumPerformance] | None = None
        self.takes = [_judged(t) for t in dataset.takes]

    def performance(self, take: JudgedTake) -> DrumPerformance:
        """See `TakeSource`."""
        if self._last is None or self._last[0] != take.key:
            path = self._dataset.midi_path(self._by_key[take.key])
            self._last = (take.key, load_midi(path))
        return self._last[1]

    def duration_sec(self, take: JudgedTake) -> float:
        """See `TakeSource`."""
        return duration_sec(self._dataset, self._by_key[take.key])


def judged_takes(source: TakeSource, split: str, among: list[frozenset[str]]) -> list[JudgedTake]:
    """The takes of a split that are in every one of `among`.

    Raises:
        InputError: there are none; says which splits there are.
    """
    takes = [take for take in source.split(split) if all(take.key in keys for keys in among)]
    if takes:
        return takes
    if source.split(split):
        raise InputError(f"{source.where}: no take of split {split!r} is in all that is judged")
    there = ", ".join(sorted({take.split for take in source.takes}))
    raise InputError(f"{source.where}: no clips in split {split!r} (there are {there})")
