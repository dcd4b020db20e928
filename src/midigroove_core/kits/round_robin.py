"""Hits take turns: equal hits on a kit with several recordings of a layer are not equal sounds.

Which recording a hit plays follows from a seed, the hit and the one before it on the same layer,
which is never played twice in a row.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from midigroove_core.kits import shaping
from midigroove_core.kits.oneshots import Audio, Kit, Layer
from midigroove_core.kits.shaping import Band
from midigroove_core.luck import hit_luck
from midigroove_core.performance import DrumPerformance

_TURN = 3
_SHELF_HZ = 2500.0
_VARIED = ((-0.07, -1.5), (0.05, 1.2), (-0.03, 2.0))
"""(semitones, dB above the shelf) of what is made beside a layer's one recording."""


def choose_turns(
    performance: DrumPerformance, names: list[str], kit: Kit, *, seed: int = 0, rounds: int = 1
) -> list[int]:
    """For each hit its turn, as `Voice.at` takes it; all 0 for a kit without alternates.

    Args:
        performance: the hits; N of them.
        names: [N] their articulations.
        kit: what they are played on.
        seed: another one gives other turns.
        rounds: the hits are so many equal rounds, which take equal turns.
    """
    if not kit.has_alternates:
        return [0] * len(names)
    count = len(names) // rounds
    onset, pitch = performance.onset_sec[:count], performance.pitch[:count]
    luck = hit_luck(onset, pitch, seed=seed, stream=_TURN)
    last: dict[int, int] = {}
    turns = []
    for hit in range(count):
        voice = kit.voice(names[hit], int(pitch[hit]))
        turn = 0
        if voice is not None:
            layer = voice.layer(int(performance.velocity[hit]))
            there_are = 1 + len(layer.alternates)
            turn = int(luck[hit] * there_are)
            if turn == last.get(id(layer)):
                turn = (turn + 1) % there_are
            last[id(layer)] = turn
        turns.append(turn)
    return turns * rounds


def varied(kit: Kit) -> Kit:
    """The kit with three alternates made for each layer that has none, a little apart from it.

    They are made, not recorded: 3 to 7 hundredths of a semitone lower or higher, and 1.2 to 2 dB
    duller or brighter above 2.5 kHz, at the same energy.
    """

    made: dict[int, tuple[Audio, ...]] = {}  # drums share recordings

    def change(layer: Layer) -> Layer:
        if layer.alternates:
            return layer
        key = id(layer.audio)
        if key not in made:
            made[key] = tuple(_altered(layer.audio, *by) for by in _VARIED)
        return replace(layer, alternates=made[key])

    return kit.map(change)


def _altered(audio: Audio, semitones: float, shelf_db: float) -> Audio:
    if audio.ndim > 1:
        return np.stack([_altered(channel, semitones, shelf_db) for channel in audio])
    made = shaping.equalised(
        shaping.pitched(audio, semitones), (Band("high_shelf", _SHELF_HZ, shelf_db),)
    )
    energy, was = (float(np.square(x, dtype=np.float64).sum()) for x in (made, audio))
    return made * np.float32(np.sqrt(was / energy)) if energy > 0 else made
