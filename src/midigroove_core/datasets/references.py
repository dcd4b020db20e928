"""Which take is heard to know the kit of another: part of the dataset, not of a training run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from midigroove_core.takes import Take

LONG_SEC = 8.0
"""A take of less is a reference only where its kit and split have no longer one."""


class Sound(NamedTuple):
    """What of a take decides; attributes as those of `Take`."""

    key: str
    performance_key: str
    kit: str
    split: str
    duration_sec: float


def choose_references(sounds: Iterable[Sound]) -> dict[str, str]:
    """Key of a take -> that of another take of the same kit and split, where there is one.

    It is another performance, at least `LONG_SEC` long where there is one, and all of them serve
    about equally often. Nothing but the takes decides, in whatever order.
    """
    groups: dict[tuple[str, str], list[Sound]] = {}
    for sound in sounds:
        groups.setdefault((sound.kit, sound.split), []).append(sound)
    chosen: dict[str, str] = {}
    for group in groups.values():
        group.sort(key=_shuffled)
        long = [sound for sound in group if sound.duration_sec >= LONG_SEC]
        for candidates in (long, group):
            if len({sound.performance_key for sound in candidates}) > 1:
                break
        for place, sound in enumerate(group):
            turned = candidates[place % len(candidates) :] + candidates[: place % len(candidates)]
            for other in turned:
                if other.performance_key != sound.performance_key:
                    chosen[sound.key] = other.key
                    break
    return chosen


def references_of(takes: Iterable[Take]) -> dict[str, Take]:
    """Key of a take -> the take that the dataset names as its reference, or else one chosen as
    `data synth` would."""
    by_key = {take.key: take for take in takes}
    chosen = choose_references(
        Sound(take.key, take.performance_key, take.kit, take.split, take.duration_sec)
        for take in by_key.values()
    )
    chosen |= {key: take.reference for key, take in by_key.items() if take.reference in by_key}
    return {key: by_key[other] for key, other in chosen.items()}


def _shuffled(sound: Sound) -> str:
    return hashlib.sha256(sound.key.encode()).hexdigest()
