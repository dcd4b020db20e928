"""The performances that are open in the page, with their edits and the takes of both slots."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drum_maps import DEFAULT_MAP, map_names
from midigroove_core.drum_reading import read_with
from midigroove_core.drums import ARTICULATIONS, DrumMap, load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits.remap import remap
from midigroove_core.kits.sampler import STEMS
from midigroove_core.performance import DrumPerformance
from midigroove_core.studio.settings import MOST_HITS, Hit
from midigroove_core.studio.takes import Growing, Take

LONGEST_SEC = 600.0
"""Longer performances are for the command line: a take is kept as samples."""

MOST_SONGS = 4
"""Of more, the one that was not used for longest is forgotten; its takes with it."""

MOST_DRAWN_BYTES = 32 << 20
"""Of what a model has drawn so much is kept of a song, for undo: some 200 draws of ten minutes."""

_GATE_SEC = 0.1
_USUAL_PITCH = {
    "kick": 36, "snare": 38, "rimshot": 40, "xstick": 37, "tom_high": 48, "tom_mid": 45,
    "tom_low": 43, "hat_closed": 42, "hat_open": 46, "hat_pedal": 44, "crash_1": 49, "crash_2": 57,
    "splash_china": 52, "ride": 51, "ride_bell": 53, "other": 39,
}  # fmt: skip


@dataclass
class Song:
    """A performance that is open.

    Attributes:
        id: of the song, not to be guessed.
        name: of the file or the groove.
        source: what is in the file.
        drum_map: by which its pitches are read.
        performance: as edited so far; every hit is a drum of the default map.
        notes: what was odd about the file, and what is no drum in it, a line each.
        takes: slot -> what was rendered last.
        growing: slot -> what is being drawn, and can be heard as far as it is.
        draws: `draw` of a take -> codes [K, T] of it, to go back to; the oldest of too many go.
    """

    id: str
    name: str
    source: DrumPerformance
    drum_map: str
    performance: DrumPerformance
    notes: tuple[str, ...]
    takes: dict[str, Take] = field(default_factory=dict)
    growing: dict[str, Growing] = field(default_factory=dict)
    draws: OrderedDict[int, NDArray[np.integer[Any]]] = field(default_factory=OrderedDict)

    def read_by(self, drum_map: str) -> None:
        """Reads the file by a map; where it is another one than before, edits are gone.

        Raises:
            InputError: as `read_by`.
        """
        if drum_map != self.drum_map:
            self.performance, self.notes = read_by(drum_map, self.source)
            self.drum_map = drum_map

    def as_in_file(self, played: DrumPerformance) -> DrumPerformance:
        """What is played, with the pitches of the map by which the file is read."""
        chosen = load_drum_map(self.drum_map)
        moved, _ = remap(played, load_drum_map().plain, chosen.plain)
        low = chosen.pedal_down == "low"
        return replace(moved, cc4_value=127 - moved.cc4_value) if low else moved

    def edit(self, hits: Sequence[Hit]) -> None:
        """Replaces the hits; pedal, grabs, tempo, meter and length stay.

        Raises:
            InputError: a hit after the end.
        """
        old = self.performance
        ordered = sorted(hits)
        onset_sec = np.array([hit[0] for hit in ordered], dtype=np.float64)
        if len(onset_sec) and onset_sec[-1] > old.end_sec:
            raise InputError(f"a hit at {onset_sec[-1]:.2f} s is after the end, {old.end_sec:.2f}")
        gates = dict(zip(zip(old.onset_sec.tolist(), old.pitch.tolist(), strict=True),
                         old.duration_sec.tolist(), strict=True))  # fmt: skip
        self.performance = replace(
            old,
            onset_sec=onset_sec,
            duration_sec=np.array([gates.get(hit[:2], _GATE_SEC) for hit in ordered], np.float64),
            pitch=np.array([hit[1] for hit in ordered], dtype=np.int64),
            velocity=np.array([hit[2] for hit in ordered], dtype=np.int64),
        )

    def keep(self, slot: str, take: Take) -> None:
        """The take is what the slot sounds like now."""
        self.takes[slot] = take
        if take.draw is None or take.drawn is None or take.drawn.codes is None:
            return
        if take.draw not in self.draws:
            codes = take.drawn.codes
            self.draws[take.draw] = codes.astype(np.min_scalar_type(int(codes.max(initial=0))))
        while len(self.draws) > 1 and sum(c.nbytes for c in self.draws.values()) > MOST_DRAWN_BYTES:
            self.draws.popitem(last=False)

    def drawn(self, draw: int | None) -> NDArray[np.int64] | None:
        """The codes [K, T] of a draw; None where they are not there any more."""
        codes = None if draw is None else self.draws.get(draw)
        return None if codes is None else codes.astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """What the page draws: hits, bars, length, and what was odd."""
        played = self.performance
        return {
            "id": self.id,
            "name": self.name,
            "drum_map": self.drum_map,
            "hits": hits_of(played),
            "bars": bars_of(played),
            "end_sec": played.end_sec,
            "bpm": round(float(played.bpm_at(0.0)), 1),
            "notes": list(self.notes),
        }


class Songs:
    """The songs that are open, a few at a time."""

    def __init__(self) -> None:
        self._songs: OrderedDict[str, Song] = OrderedDict()

    def open(self, name: str, performance: DrumPerformance, drum_map: str = DEFAULT_MAP) -> Song:
        """A new song.

        Args:
            name: of the file or the groove.
            performance: what is in it.
            drum_map: name of the map by which its pitches are read.

        Raises:
            InputError: nothing in it is a drum, or it is too long for the page; no such map.
        """
        played, notes = read_by(drum_map, performance)
        if played.num_hits == 0:
            said = "; ".join(notes) or "there is no hit in it"
            raise InputError(f"{name}: {said}. Choose another drum map")
        if played.end_sec > LONGEST_SEC or played.num_hits > MOST_HITS:
            raise InputError(
                f"{name}: {played.end_sec / 60:.0f} minutes and {played.num_hits:,} hits are more "
                f"than the studio takes ({LONGEST_SEC / 60:.0f} minutes, {MOST_HITS:,} hits); "
                "`midigroove render` plays any length"
            )
        song = Song(secrets.token_urlsafe(9), name, performance, drum_map, played, notes)
        self._songs[song.id] = song
        while len(self._songs) > MOST_SONGS:
            self._songs.popitem(last=False)
        return song

    def __getitem__(self, id: str) -> Song:
        """The song of that id.

        Raises:
            KeyError: none, or one that was forgotten.
        """
        self._songs.move_to_end(id)
        return self._songs[id]


def read_by(drum_map: str, performance: DrumPerformance) -> tuple[DrumPerformance, tuple[str, ...]]:
    """What a map makes of a file: drums of the default map, and what there is to say.

    Raises:
        InputError: no such map ships.
    """
    if drum_map not in map_names():  # no file: the page opens no paths
        raise InputError(f"no drum map {drum_map!r}; there are {', '.join(map_names())}")
    chosen, usual = load_drum_map(drum_map), load_drum_map()
    reading = read_with(performance, chosen)
    played, substitutes = remap(reading.performance, chosen.plain, usual.plain)
    line = substitutes.line("the studio")
    lines = (*performance.oddities, *reading.lines, *([] if line is None else [line]))
    return replace(played, oddities=()), lines


def hits_of(performance: DrumPerformance) -> list[Hit]:
    """Onset, pitch and velocity of every hit, in order."""
    return list(
        zip(
            performance.onset_sec.tolist(),
            performance.pitch.tolist(),
            performance.velocity.tolist(),
            strict=True,
        )
    )


def bars_of(performance: DrumPerformance) -> list[list[float]]:
    """For each bar its start and its beats in seconds, and at last the end of the last bar."""
    bars: list[list[float]] = []
    bar, start = 0, performance.bar_start_sec(0)
    while start < performance.end_sec or not bars:
        stop = performance.bar_start_sec(bar + 1)
        beats = performance.seconds_to_beats([start, stop])
        inside = np.arange(beats[0] + 1.0, beats[1] - 1e-6)
        bars.append([start, *performance.beats_to_seconds(inside).tolist()])
        bar, start = bar + 1, stop
    return [*bars, [start]]


def lanes(drum_map: DrumMap) -> list[dict[str, Any]]:
    """The lanes of the page, from the top: articulation, pitches that are in it, group, name."""
    group_of = {name: group for group, names in STEMS.items() for name in names}
    return [
        {
            "id": name,
            "name": _LANE_NAMES.get(name, name.replace("_", " ").capitalize()),
            "group": group_of[name],
            "pitch": _USUAL_PITCH[name],
            "pitches": [p for p, found in sorted(drum_map.pitches.items()) if found == name],
        }
        for name in (*_FROM_THE_TOP, *(a for a in ARTICULATIONS if a not in _FROM_THE_TOP))
        if drum_map.articulation(_USUAL_PITCH[name]) == name or name in drum_map.pitches.values()
    ]


_FROM_THE_TOP = (
    "crash_1", "crash_2", "splash_china", "ride", "ride_bell", "hat_open", "hat_closed",
    "hat_pedal", "tom_high", "tom_mid", "tom_low", "snare", "rimshot", "xstick", "kick",
)  # fmt: skip
_LANE_NAMES = {
    "crash_1": "Crash", "crash_2": "Crash 2", "splash_china": "Splash", "hat_open": "Open hat",
    "hat_closed": "Closed hat", "hat_pedal": "Pedal hat", "tom_high": "High tom",
    "tom_mid": "Mid tom", "tom_low": "Low tom", "xstick": "Side stick", "other": "Percussion",
}  # fmt: skip
