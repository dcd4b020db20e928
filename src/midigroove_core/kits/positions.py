"""Where the drums of a kit stand, for stereo.

A right-handed drummer's kit: hats left of him, floor tom and ride right; the audience has it the
other way round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from midigroove_core.errors import InputError

VIEWS = ("audience", "drummer")
"""Whose left is left."""

POSITIONS: Mapping[str, float] = {
    "kick": 0.0, "snare": -0.1, "rimshot": -0.1, "xstick": -0.15, "tom_high": -0.25,
    "tom_mid": 0.15, "tom_low": 0.5, "hat_closed": -0.5, "hat_open": -0.5, "hat_pedal": -0.5,
    "crash_1": -0.6, "crash_2": 0.6, "splash_china": -0.2, "ride": 0.5, "ride_bell": 0.5,
    "other": 0.3,
}  # fmt: skip
"""Articulation -> place as the drummer has it, from -1 (left) over 0 (the middle) to 1."""


def pan_gains(view: str) -> dict[str, tuple[float, float]]:
    """Articulation -> gains of the left and the right channel; their squares add up to 1.

    Raises:
        InputError: no such view.
    """
    check_view(view)
    side = 1.0 if view == "drummer" else -1.0
    turns = {name: (1.0 + side * place) * math.pi / 4 for name, place in POSITIONS.items()}
    return {name: (math.cos(turn), math.sin(turn)) for name, turn in turns.items()}


def check_view(view: str) -> None:
    """Raises InputError unless a view is one of `VIEWS`."""
    if view not in VIEWS:
        raise InputError(f"stereo is from {' or '.join(VIEWS)}, got {view!r}")
