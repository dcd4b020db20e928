"""Drum vocabulary: articulations, drum classes, and maps from MIDI pitches to them.

Sources: General MIDI Level 1 percussion map (MIDI Association); the Roland TD-11/TD-17 note map and
the 9-class reduction of Gillick et al., "Learning to Groove with Inverse Sequence Transformations"
(ICML 2019), https://magenta.tensorflow.org/datasets/groove.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.structured import read_toml_as

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

_SHARED = {
    35: "kick", 36: "kick", 37: "xstick", 38: "snare",
    42: "hat_closed", 44: "hat_pedal", 46: "hat_open",
    48: "tom_high", 50: "tom_high", 45: "tom_mid", 47: "tom_mid", 43: "tom_low", 41: "tom_low",
    49: "crash_1", 57: "crash_2", 51: "ride", 59: "ride", 53: "ride_bell",
}  # fmt: skip

_PERCUSSION = dict.fromkeys((39, 54, 56, 60, 61, 62, 63, 64, 69, 70, 75, 76, 77), "other")
"""General MIDI percussion that the built-in kits have one-shots of."""

GM_MAP: Mapping[int, str] = {
    **_PERCUSSION, **_SHARED, 40: "snare", 52: "splash_china", 55: "splash_china",
}  # fmt: skip
"""General MIDI: 40 is the electric snare, 52 the china and 55 the splash."""

ROLAND_TD_MAP: Mapping[int, str] = {
    **_PERCUSSION, **_SHARED, 40: "rimshot", 58: "tom_low", 22: "hat_closed", 26: "hat_open",
    55: "crash_1", 52: "crash_2",
}  # fmt: skip
"""Roland TD modules, as GMD and E-GMD: 40 snare rim, 22 and 26 hat edges, 52 and 55 crash edges."""

_BUILT_IN = {"gm": GM_MAP, "roland_td": ROLAND_TD_MAP}


class _DrumMapFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a drum map's TOML file holds."""

    base: str | None = None
    pitches: dict[str, str] = {}


class DrumMap:
    """Maps pitches 0..127 to articulations; a pitch that is not listed is "other".

    Args:
        name: what configs and errors call it.
        pitches: pitch -> articulation id.

    Raises:
        MidigrooveError: a pitch outside 0..127 or an articulation that does not exist.
    """

    def __init__(self, name: str, pitches: Mapping[int, str]) -> None:
        for pitch, articulation in pitches.items():
            if not 0 <= pitch <= 127:
                raise MidigrooveError(f"drum map {name}: pitch {pitch} is not in 0..127")
            if articulation not in ARTICULATIONS:
                raise MidigrooveError(
                    f"drum map {name}: pitch {pitch}: unknown articulation {articulation!r}; "
                    f"use one of {', '.join(ARTICULATIONS)}"
                )
        self.name = name
        self.pitches = dict(pitches)

    def articulation(self, pitch: int) -> str:
        """Articulation id of a pitch."""
        return self.pitches.get(int(pitch), "other")

    def articulation_table(self) -> list[int]:
        """For each pitch 0..127 its index into `ARTICULATIONS`."""
        return [ARTICULATIONS.index(self.articulation(pitch)) for pitch in range(128)]

    def to_json(self) -> dict[str, str]:
        """Pitch (as a string) -> articulation; `DrumMap(name, ...)` of it is equal."""
        return {str(pitch): value for pitch, value in sorted(self.pitches.items())}


def load_drum_map(name_or_path: str | Path) -> DrumMap:
    """A built-in map ("gm", "roland_td") or a TOML file with a `[pitches]` table.

    The file reads like `[pitches]` / `36 = "kick"`; an optional `base = "gm"` starts from a
    built-in map.

    Raises:
        InputError: no such map or file, or a file that cannot be read; names the field.
    """
    name = str(name_or_path)
    if name in _BUILT_IN:
        return DrumMap(name, _BUILT_IN[name])
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise InputError(f"no drum map {name!r}; use {', '.join(_BUILT_IN)} or a .toml file")
    table = read_toml_as(path, _DrumMapFile)
    if table.base is not None and table.base not in _BUILT_IN:
        raise InputError(f"{path}: base: no drum map {table.base!r}; use {', '.join(_BUILT_IN)}")
    if table.base is None and not table.pitches:
        raise InputError(f'{path}: no [pitches] in it; write lines such as 36 = "kick" below that')
    pitches: dict[int, str] = dict(_BUILT_IN[table.base]) if table.base else {}
    for key, articulation in table.pitches.items():
        if not (key.isascii() and key.isdigit() and len(key) <= 3):
            raise InputError(f"{path}: pitches: {key!r} is not a MIDI pitch")
        pitches[int(key)] = articulation
    return DrumMap(path.stem, pitches)
