"""`Take` and `Dataset`, and the split of a performance that nobody has assigned to one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from midigroove_core.atomic import dump_json, sha256_of
from midigroove_core.errors import InputError

SPLITS = ("train", "validation", "test")

_SPLIT_NAMES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "test": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Take:
    """One performance played on one kit.

    Attributes:
        key: unique name of the take: its audio path relative to the dataset's root, with `/`.
        performance_key: equal for all takes of one performance, whatever the kit.
        midi_path, audio_path: relative to the dataset's root, with `/`.
        kit, drummer, style: names as the dataset has them; "unknown" where it has none.
        bpm: tempo that the dataset states, quarter notes a minute; 0 when it states none.
        beat_type: "beat" or "fill".
        time_signature: like "4-4".
        split: "train", "validation" or "test".
        duration_sec: length that the dataset states; 0 when it states none.
        reference: key of another take of the same kit in the same split, in which the kit can be
            heard; empty where the dataset names none.
        stems: (name, path relative to the root) of audio files that add up to the take, in the
            order of their names; none where the dataset has none.
    """

    key: str
    performance_key: str
    midi_path: str
    audio_path: str
    kit: str
    drummer: str
    style: str
    bpm: float
    beat_type: str
    time_signature: str
    split: str
    duration_sec: float
    reference: str = ""
    stems: tuple[tuple[str, str], ...] = ()


@dataclass
class Dataset:
    """Takes and where their files are.

    Attributes:
        name: what logs and caches call it.
        root: folder that the paths of the takes are relative to.
        takes: in the order of the csv, or of the paths.
        unpaired: audio files of a folder that have no MIDI beside them.
    """

    name: str
    root: Path
    takes: list[Take]
    unpaired: list[str] = field(default_factory=list)

    def midi_path(self, take: Take) -> Path:
        """Where the take's MIDI file is."""
        return self.root / take.midi_path

    def audio_path(self, take: Take) -> Path:
        """Where the take's audio file is."""
        return self.root / take.audio_path

    def fingerprint(self) -> str:
        """SHA-256 over the rows: equal for equal takes in equal order, wherever the files lie."""
        rows = [asdict(take) for take in self.takes]
        for row in rows:
            for name in ("reference", "stems"):
                if not row[name]:
                    del row[name]
        return sha256_of(dump_json(rows, indent=None).encode())


def refuse_overlap(takes: Iterable[Take], where: str) -> None:
    """A performance in two splits would be trained on and judged by.

    Raises:
        InputError: names the first such performance and its takes.
    """
    first: dict[str, Take] = {}
    for take in takes:
        other = first.setdefault(take.performance_key, take)
        if other.split != take.split:
            raise InputError(
                f"{where}: performance {take.performance_key!r} is in two splits: {other.key} in "
                f"{other.split}, {take.key} in {take.split}; keep it in one"
            )


def split_of_performance(performance_key: str) -> str:
    """A split drawn by a hash of the performance: 80 % train, 10 % validation, 10 % test.

    It depends on nothing else, so no performance lands in two splits, and adding files to a
    folder moves no other performance.
    """
    digest = hashlib.sha256(performance_key.encode("utf-8")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "train" if place < 0.8 else "validation" if place < 0.9 else "test"


def split_named(name: str, where: str) -> str:
    """The split that a csv calls "train", "valid", "dev" and so on.

    Raises:
        InputError: not a split; names the place.
    """
    try:
        return _SPLIT_NAMES[name.strip().lower()]
    except KeyError:
        known = ", ".join(SPLITS)
        raise InputError(f"{where}: split: {name!r} is not one of {known}") from None
