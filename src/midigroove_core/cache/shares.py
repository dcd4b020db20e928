"""Which process encodes what, and that no two of them take themselves for the same one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from midigroove_core.errors import MidigrooveError
from midigroove_core.lock import is_held, lock_folder

_LOCK = re.compile(r"\.rank-(\d+)-of-(\d+)\.lock")

_TAKE_SEC = 1.0
"""What opening, parsing and writing a take costs, in seconds of audio."""


def share_of(durations_sec: Sequence[float], rank: int, world: int) -> range:
    """Places of the takes that a process encodes: a stretch of them with its share of the audio.

    The stretches of all processes are a partition, and none is longer than its share by more than
    a take. Neighbours share MIDI files and shards, so a stretch rather than takes from everywhere.

    Args:
        durations_sec: of all takes, in the order of the dataset; 0 where unknown.
        rank, world: number of the process, and how many there are.
    """
    if not durations_sec:
        return range(0)
    ends = np.cumsum(np.asarray(durations_sec, dtype=np.float64) + _TAKE_SEC)
    middles = ends - (np.diff(ends, prepend=0.0) / 2)
    owners = np.floor(world * middles / ends[-1])
    first, last = np.searchsorted(owners, [rank, rank + 1])
    return range(int(first), int(last))


@contextmanager
def holding_share(out: Path, rank: int, world: int) -> Iterator[None]:
    """Holds a process's place in a cache that several make.

    Raises:
        MidigrooveError: another process has that place, or one is at work that counts another
            number of processes and so would encode some of the same takes.
    """
    with lock_folder(out, f"cache as rank {rank}", name=f".rank-{rank}-of-{world}.lock"):
        for path in sorted(out.glob(".rank-*-of-*.lock")):
            found = _LOCK.fullmatch(path.name)
            if found is None or int(found[2]) == world:
                continue
            if is_held(path):
                raise MidigrooveError(
                    f"{out}: rank {found[1]} of {found[2]} is writing to this cache, so there can "
                    f"be no rank {rank} of {world}; wait until it has ended, or end it"
                )
            path.unlink(missing_ok=True)
        yield
