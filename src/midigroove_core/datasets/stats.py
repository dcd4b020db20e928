"""`data stats`: what a dataset has of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midigroove_core.drums import DRUM_CLASSES, classes_of_pitches, load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.processes import in_order
from midigroove_core.progress import Progress, Silent
from midigroove_core.takes import Dataset, Take

GROUPS = ("split", "kit", "style", "drummer")


@dataclass
class Tally:
    """Sums over some takes.

    Attributes:
        takes: how many.
        performances: distinct ones.
        audio_sec: as the dataset states it.
        hits: by drum class.
    """

    takes: int = 0
    performances: set[str] = field(default_factory=set)
    audio_sec: float = 0.0
    hits: Counter[str] = field(default_factory=Counter)

    def add(self, take: Take, hits: Counter[str]) -> None:
        """Counts a take."""
        self.takes += 1
        self.performances.add(take.performance_key)
        self.audio_sec += take.duration_sec
        self.hits.update(hits)

    def to_json(self) -> dict[str, Any]:
        """Hours, takes, performances, hits and hits by drum class."""
        return {
            "hours": round(self.audio_sec / 3600, 4), "takes": self.takes,
            "performances": len(self.performances), "hits": self.hits.total(),
            "hits_by_class": {name: self.hits[name] for name in DRUM_CLASSES},
        }  # fmt: skip


@dataclass
class Stats:
    """Totals, and tallies by split, kit, style and drummer.

    Attributes:
        total: of all takes.
        groups: name of the group ("split", ...) -> value -> tally.
        unreadable: MIDI files that could not be read; their hits are not counted.
    """

    total: Tally
    groups: dict[str, dict[str, Tally]]
    unreadable: list[str]

    def to_json(self) -> dict[str, Any]:
        """Everything, for `--json`."""
        by = {
            group: {name: tally.to_json() for name, tally in tallies.items()}
            for group, tallies in self.groups.items()
        }
        return {"total": self.total.to_json(), "by": by, "unreadable_midi": self.unreadable}


def stats(
    dataset: Dataset, *, workers: int | None = None, progress: Progress | None = None
) -> Stats:
    """Counts hours, takes, performances and hits; each MIDI file is read once.

    Args:
        dataset: from `open_dataset`.
        workers: processes; None uses every core.
        progress: told of every MIDI file.
    """
    progress = progress or Silent()
    paths = list(dict.fromkeys(take.midi_path for take in dataset.takes))
    progress.start(f"counting hits in {len(paths)} MIDI files", len(paths))
    hits: dict[str, Counter[str] | None] = {}
    counted = in_order(_count_hits, [dataset.root / path for path in paths], workers)
    for path, counts in zip(paths, counted, strict=True):
        hits[path] = counts
        progress.advance(1)
    progress.finish()
    total = Tally()
    groups: dict[str, dict[str, Tally]] = {group: {} for group in GROUPS}
    for take in dataset.takes:
        found = hits[take.midi_path] or Counter()
        total.add(take, found)
        for group in GROUPS:
            groups[group].setdefault(getattr(take, group), Tally()).add(take, found)
    ordered = {group: dict(_by_size(tallies.items())) for group, tallies in groups.items()}
    return Stats(total, ordered, [path for path in paths if hits[path] is None])


def _by_size(items: Iterable[tuple[str, Tally]]) -> list[tuple[str, Tally]]:
    return sorted(items, key=lambda item: (-item[1].audio_sec, item[0]))


def _count_hits(path: Path) -> Counter[str] | None:
    """Hits by drum class; None for a file that cannot be read, which the caller lists."""
    try:
        performance = load_midi(path)
    except InputError:
        return None
    classes = classes_of_pitches(load_drum_map())
    names = Counter(classes[pitch] for pitch in performance.pitch.tolist())
    del names[""]  # no drum of the map: what nothing plays, and nothing counts
    return names
