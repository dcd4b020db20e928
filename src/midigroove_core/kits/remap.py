"""What stands in for what: pitches of one drum map as those of another, drums that a kit lacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from midigroove_core.drum_reading import count_pitches, keep_hits
from midigroove_core.drums import DrumMap
from midigroove_core.kits.oneshots import FALLBACKS, Kit
from midigroove_core.midi import DrumPerformance


@dataclass(frozen=True)
class Substitutes:
    """Hits that sound as something else, or not at all.

    Attributes:
        played: (what was meant, what is played) -> hits.
        silent: what was meant -> hits that nothing stands in for.
    """

    played: Counter[tuple[str, str]] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)

    def line(self, where: str) -> str | None:
        """One line for people, or None where every hit is what it was meant to be."""
        parts = [
            f"{count:,} {meant} played as {played}"
            for (meant, played), count in sorted(self.played.items())
        ]
        if self.silent:
            listed = ", ".join(f"{count:,} {name}" for name, count in sorted(self.silent.items()))
            parts.append(f"no sound for {listed}")
        return f"{where}: {'; '.join(parts)}" if parts else None


def kit_substitutes(performance: DrumPerformance, kit: Kit, drum_map: DrumMap) -> Substitutes:
    """Hits that a kit plays as another articulation, or has no sound for."""
    found = Substitutes()
    for pitch, count in count_pitches(performance.pitch).items():
        meant = drum_map.articulation(pitch)
        if meant is None:
            continue
        played = kit.played_as(meant, pitch)
        if played is None:
            found.silent[meant] += count
        elif played != meant:
            found.played[meant, played] += count
    return found


def remap(
    performance: DrumPerformance, source: DrumMap, target: DrumMap
) -> tuple[DrumPerformance, Substitutes]:
    """The same hits with pitches that mean in `target` what theirs mean in `source`.

    A pitch that means the same in both stays. An articulation that `target` does not have (Roland
    modules have no splash) becomes what a kit without it would play. Pitches that `source` does not
    list, and what `target` has nothing for, are left out; the latter are in the substitutes. So it
    is with cymbals that are grabbed.
    """
    table = np.array([_translated(pitch, source, target) for pitch in range(128)], dtype=np.int64)
    found = Substitutes()
    for pitch, count in count_pitches(performance.pitch).items():
        meant = source.articulation(pitch)
        played = target.articulation(int(table[pitch])) if table[pitch] >= 0 else None
        if meant is not None and played is None:
            found.silent[meant] += count
        elif meant is not None and played is not None and played != meant:
            found.played[meant, played] += count
    kept = keep_hits(performance, table[performance.pitch] >= 0)
    grabbed = table[performance.choke_pitch]
    moved = replace(
        kept,
        pitch=table[kept.pitch],
        choke_sec=performance.choke_sec[grabbed >= 0],
        choke_pitch=grabbed[grabbed >= 0],
    )
    return moved, found


def _translated(pitch: int, source: DrumMap, target: DrumMap) -> int:
    """The pitch in `target`, or -1 where there is none."""
    wanted = source.articulation(pitch)
    if wanted is None:
        return -1
    if target.articulation(pitch) == wanted:
        return pitch
    for articulation in (wanted, *FALLBACKS[wanted]):
        for candidate in range(128):
            if target.articulation(candidate) == articulation:
                return candidate
    return -1
