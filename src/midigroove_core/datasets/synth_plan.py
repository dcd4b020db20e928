"""Who plays what in `data synth`: performances on kits and their altered versions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from midigroove_core.datasets.synth_take import KITS_AT_ONCE, PlayedKit
from midigroove_core.datasets.synth_work import TakeSettings, Task
from midigroove_core.takes.draw import sample
from midigroove_core.takes.performances import Performance

ALTERED_SPLIT = "train"
"""Only training takes are altered: figures are of the kits as they are."""


def plan_tasks(
    folder: Path,
    out: Path,
    chosen: Sequence[Performance],
    kits: Sequence[Sequence[PlayedKit]],
    seed: int,
    settings: TakeSettings,
) -> list[Task]:
    """All performances on some kits, then on the next, so that each kit is loaded once.

    Args:
        folder, out: of the MIDI files and of the dataset.
        chosen: the performances.
        kits: each kit, followed by its versions.
        seed: of who plays on kits of few performances.
        settings: of all takes.
    """
    plays = _who_plays(chosen, kits, seed)
    tasks = []
    for first in range(0, len(kits), KITS_AT_ONCE):
        for place, performance in enumerate(chosen):
            played = tuple(
                kit
                for number, versions in enumerate(kits[first : first + KITS_AT_ONCE], first)
                if place in plays[number]
                for kit in versions
                if kit.alteration is None or performance.split == ALTERED_SPLIT
            )
            if played:
                tasks.append(Task(folder, out, performance, played, settings))
    return tasks


def _who_plays(
    chosen: Sequence[Performance], kits: Sequence[Sequence[PlayedKit]], seed: int
) -> list[set[int]]:
    """Of each kit, the places of the performances that are played on it; splits keep their share.

    A kit of few performances gets its own draw, so that many such kits play all there is.
    """
    everything = range(len(chosen))
    plays = []
    for number, (kit, *_) in enumerate(kits):
        size = len(chosen) if kit.spec.performances is None else kit.spec.performances
        rng = np.random.default_rng([seed, number])
        plays.append(set(sample(everything, size, lambda place: chosen[place].split, rng)))
    return plays
