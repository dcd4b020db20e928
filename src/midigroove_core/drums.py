"""Drum vocabulary: articulations, drum classes, and maps from MIDI pitches to them.

A pitch that a map does not list is no drum: it is silent everywhere (engines, grids, figures), and
who reads a file says so. Source of the 9 classes: Gillick et al., "Learning to Groove with Inverse
Sequence Transformations" (ICML 2019), https://magenta.tensorflow.org/datasets/groove.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from midigroove_core.drum_maps import (
    BUILT_IN,
    DEFAULT_MAP,
    GM_MAP,
    ROLAND_TD_MAP,
    TITLES,
    map_names,
    shipped_files,
)
from midigroove_core.errors import InputError, MidigrooveError, nearest
from midigroove_core.structured import convert_as, read_toml_as

__all__ = [
    "ARTICULATIONS", "CC4_CLOSED", "CLASS_OF_ARTICULATION", "DRUM_CLASSES", "GM_MAP",
    "PAPER_CLASSES", "PAPER_CLASS_OF_ARTICULATION", "ROLAND_TD_MAP", "DrumMap",
    "classes_of_pitches", "load_drum_map",
]  # fmt: skip

ARTICULATIONS = (
    "kick", "snare", "rimshot", "xstick", "tom_high", "tom_mid", "tom_low",
    "hat_closed", "hat_open", "hat_pedal", "crash_1", "crash_2", "splash_china",
    "ride", "ride_bell", "other",
)  # fmt: skip
"""Articulation ids, in the order of the lanes of `expressive_grid`."""

DRUM_CLASSES = ("kick", "snare", "tom", "hat", "crash", "ride", "other")
"""Coarse classes of the per-drum figures."""

PAPER_CLASSES = (
    "kick", "snare", "hat_closed", "hat_open", "tom_low", "tom_mid", "tom_high", "crash", "ride",
)  # fmt: skip
"""The 9 classes of Gillick et al. and of the baseline paper."""

CLASS_OF_ARTICULATION: Mapping[str, str] = {
    "kick": "kick", "snare": "snare", "rimshot": "snare", "xstick": "snare",
    "tom_high": "tom", "tom_mid": "tom", "tom_low": "tom",
    "hat_closed": "hat", "hat_open": "hat", "hat_pedal": "hat",
    "crash_1": "crash", "crash_2": "crash", "splash_china": "crash",
    "ride": "ride", "ride_bell": "ride", "other": "other",
}  # fmt: skip

PAPER_CLASS_OF_ARTICULATION: Mapping[str, str] = {
    "kick": "kick", "snare": "snare", "rimshot": "snare", "xstick": "snare",
    "tom_high": "tom_high", "tom_mid": "tom_mid", "tom_low": "tom_low",
    "hat_closed": "hat_closed", "hat_pedal": "hat_closed", "hat_open": "hat_open",
    "crash_1": "crash", "crash_2": "crash", "splash_china": "crash",
    "ride": "ride", "ride_bell": "ride",
}  # fmt: skip
"""The paper has no class for percussion outside the kit: `other` is left out."""

CC4_CLOSED = 90
"""Pedal value of a closed hi-hat: Roland modules have a plateau there (high = closed)."""


class _DrumMapFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a drum map's TOML file holds."""

    title: str = ""
    source: str = ""
    base: str | None = None
    hat_pedal: Literal["notes", "cc4"] | None = None
    pedal_down: Literal["high", "low"] | None = None
    closed_at: int | None = None
    pitches: dict[str, str] = {}
    chokes: dict[str, list[int]] = {}


class DrumMap:
    """Maps pitches 0..127 to articulations; a pitch that is not listed is no drum, and silent.

    Args:
        name: what configs and errors call it.
        pitches: pitch -> articulation id.
        hat_pedal: "notes", where pitches say whether a hi-hat is open, or "cc4", where the pedal
            says it for every hit on an open or closed hat: modules that send one note for both.
        pedal_down: whether a pedal that is down has a "high" or a "low" CC4 value.
        closed_at: with `hat_pedal` "cc4", a hat is closed from this value on (counted from an open
            pedal's 0, whatever `pedal_down`), and open below.
        chokes: pitch -> pitches of cymbals that a note on it grabs; one that is among `pitches`
            too is struck and then held.

    Raises:
        MidigrooveError: a pitch outside 0..127, an articulation that does not exist, or another
            value than these.
    """

    def __init__(
        self,
        name: str,
        pitches: Mapping[int, str],
        *,
        hat_pedal: str = "notes",
        pedal_down: str = "high",
        closed_at: int = CC4_CLOSED,
        chokes: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        chokes = {pitch: tuple(cut) for pitch, cut in (chokes or {}).items()}
        for pitch in (*pitches, *chokes, *(p for cut in chokes.values() for p in cut)):
            if not 0 <= pitch <= 127:
                raise MidigrooveError(f"drum map {name}: pitch {pitch} is not in 0..127")
        for pitch, articulation in pitches.items():
            if articulation not in ARTICULATIONS:
                raise MidigrooveError(
                    f"drum map {name}: pitch {pitch}: unknown articulation {articulation!r}; "
                    f"use one of {', '.join(ARTICULATIONS)}"
                )
        for field, value, allowed in (
            ("hat_pedal", hat_pedal, ("notes", "cc4")),
            ("pedal_down", pedal_down, ("high", "low")),
        ):
            if value not in allowed:
                raise MidigrooveError(
                    f"drum map {name}: {field}: {value!r} is not {' or '.join(allowed)}"
                )
        if not 1 <= closed_at <= 127:
            raise MidigrooveError(f"drum map {name}: closed_at: {closed_at} is not in 1..127")
        self.name = name
        self.pitches = dict(pitches)
        self.chokes = chokes
        self.hat_pedal, self.pedal_down, self.closed_at = hat_pedal, pedal_down, closed_at

    def articulation(self, pitch: int) -> str | None:
        """Articulation id of a pitch; None for one that is not listed."""
        return self.pitches.get(int(pitch))

    def articulation_table(self) -> list[int]:
        """For each pitch 0..127 its index into `ARTICULATIONS`; -1 for one that is not listed."""
        found = (self.articulation(pitch) for pitch in range(128))
        return [-1 if name is None else ARTICULATIONS.index(name) for name in found]

    @property
    def plain(self) -> DrumMap:
        """The same pitches, for a performance that was read with this map."""
        plain = not (self.reads_pedal or self.chokes)
        return self if plain else DrumMap(self.name, self.pitches)

    @property
    def reads_pedal(self) -> bool:
        """Whether anything but the pitches matters: see `drum_reading.read_pedal`."""
        return self.hat_pedal != "notes" or self.pedal_down != "high"

    def to_json(self) -> dict[str, Any]:
        """Pitch (as a string) -> articulation, and settings of the pedal that are not usual.

        `from_json` of it is an equal map.
        """
        values: dict[str, Any] = {str(pitch): name for pitch, name in sorted(self.pitches.items())}
        if self.hat_pedal != "notes":
            values |= {"hat_pedal": self.hat_pedal, "closed_at": self.closed_at}
        if self.pedal_down != "high":
            values["pedal_down"] = self.pedal_down
        if self.chokes:
            values["chokes"] = {str(pitch): list(cut) for pitch, cut in self.chokes.items()}
        return values

    @classmethod
    def from_json(cls, name: str, values: Mapping[str, Any]) -> DrumMap:
        """The map that `to_json` was called on, or a mapping of pitches.

        Raises:
            InputError: something else; names the field.
        """
        where = f"drum map {name}"
        given = convert_as(values, dict[str, Any], where)
        other = (*_SETTINGS, "chokes")
        found = convert_as({k: v for k, v in given.items() if k in other}, _DrumMapFile, where)
        rest = {k: v for k, v in given.items() if k not in other}
        pitches = convert_as(rest, dict[str, str], where)
        return cls(
            name,
            {_pitch(where, "pitches", key): value for key, value in pitches.items()},
            chokes={_pitch(where, "chokes", key): cut for key, cut in found.chokes.items()},
            **{n: v for n in _SETTINGS if (v := getattr(found, n)) is not None},
        )


_SETTINGS = ("hat_pedal", "pedal_down", "closed_at")


def classes_of_pitches(drum_map: DrumMap) -> list[str]:
    """The drum class of each pitch 0..127; "" for one that is no drum."""
    found = (drum_map.articulation(pitch) for pitch in range(128))
    return ["" if name is None else CLASS_OF_ARTICULATION[name] for name in found]


@dataclass(frozen=True)
class DrumMapInfo:
    """A drum map that ships: what `--drum-map` takes, what it is for, and where it is from."""

    name: str
    title: str
    source: str


def list_drum_maps() -> list[DrumMapInfo]:
    """The drum maps that ship."""
    files = {name: read_toml_as(path, _DrumMapFile) for name, path in shipped_files().items()}
    return [
        *(DrumMapInfo(name, *about) for name, about in TITLES.items()),
        *(DrumMapInfo(name, file.title, file.source) for name, file in files.items()),
    ]


def load_drum_map(name_or_path: str | Path = DEFAULT_MAP) -> DrumMap:
    """A map that ships, by name ("gm", "roland_td"), or a TOML file with a `[pitches]` table.

    The file reads like `[pitches]` / `36 = "kick"`; an optional `base = "gm"` starts from a map
    that ships. `hat_pedal`, `pedal_down`, `closed_at` and `[chokes]` are as `DrumMap` has them.

    Raises:
        InputError: no such map or file, or a file that cannot be read; names the field.
    """
    name = str(name_or_path)
    if name in BUILT_IN:
        return DrumMap(name, BUILT_IN[name])
    path = Path(name_or_path)
    if path.suffix != ".toml":
        shipped = shipped_files()
        if name not in shipped:
            names = map_names()
            known = f"{', '.join(names)} or a .toml file"
            raise InputError(f"no drum map {name!r}{nearest(name, names)}; use {known}")
        path = shipped[name]
    return _read_drum_map(path)


def _read_drum_map(path: Path) -> DrumMap:
    table = read_toml_as(path, _DrumMapFile)
    if table.base is not None and table.base not in map_names():
        known = ", ".join(map_names())
        raise InputError(f"{path}: base: no drum map {table.base!r}; use {known}")
    if table.base is None and not table.pitches:
        raise InputError(f'{path}: no [pitches] in it; write lines such as 36 = "kick" below that')
    base = load_drum_map(table.base) if table.base else DrumMap("", {})
    settings = {n: v for n in _SETTINGS if (v := getattr(table, n)) is not None}
    return DrumMap(
        path.stem,
        base.pitches | {_pitch(path, "pitches", key): name for key, name in table.pitches.items()},
        chokes=base.chokes | {_pitch(path, "chokes", k): cut for k, cut in table.chokes.items()},
        **{n: getattr(base, n) for n in _SETTINGS} | settings,
    )


def _pitch(path: str | Path, field: str, key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) <= 3):
        raise InputError(f"{path}: {field}: {key[:40]!r} is not a MIDI pitch")
    return int(key)
