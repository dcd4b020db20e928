"""Drum maps that ship: which pitch is which articulation, for standards, modules and programs.

Sources: General MIDI Level 1 percussion map (MIDI Association); the Roland TD-11/TD-17 note map
(https://magenta.tensorflow.org/datasets/groove).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True)
class BuiltInMap:
    """A map that ships.

    Attributes:
        pitches: pitch -> articulation.
        settings: of the hi-hat pedal, as `drums.DrumMap` takes them.
    """

    pitches: Mapping[int, str]
    settings: Mapping[str, Any] = field(default_factory=dict)


BUILT_IN: Mapping[str, BuiltInMap] = {
    "gm": BuiltInMap(GM_MAP),
    "roland_td": BuiltInMap(ROLAND_TD_MAP),
}
