"""Drum maps that ship: which pitch is which articulation, for standards, modules and programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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


BUILT_IN = {"gm": GM_MAP, "roland_td": ROLAND_TD_MAP}
"""The two maps that everything here is trained and tested with; others are files in assets."""

DEFAULT_MAP = "roland_td"
"""How pitches are read where nothing else is said: as the modules that GMD was played on."""

TITLES: Mapping[str, tuple[str, str]] = {
    "gm": ("General MIDI", "General MIDI Level 1 percussion map (MIDI Association)"),
    "roland_td": ("Roland TD-11 and TD-17", "https://magenta.tensorflow.org/datasets/groove"),
}
"""Name -> title and source."""


def shipped_files() -> dict[str, Path]:
    """Name -> TOML file of the other maps that ship."""
    folder = Path(__file__).parent / "assets" / "drum_maps"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def map_names() -> list[str]:
    """Names of all maps that ship."""
    return [*BUILT_IN, *shipped_files()]
