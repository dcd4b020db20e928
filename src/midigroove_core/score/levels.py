"""Dynamics, accents and ghost notes as MIDI velocities."""

from __future__ import annotations

LEVELS = {
    "n": 1, "pppppp": 4, "ppppp": 6, "pppp": 10, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80,
    "f": 96, "ff": 112, "fff": 120, "ffff": 124, "fffff": 126, "ffffff": 127,
}  # fmt: skip
"""Velocity of each dynamic mark; ppp to ff as MuseScore plays them."""

START_LEVEL = LEVELS["mf"]
"""Until a score says otherwise."""

FORTE = 90
"""Velocity that MusicXML's `dynamics` figures are a percentage of."""

HAIRPIN_STEP = 16
"""What a hairpin adds or takes when no dynamic mark stands at its end: one mark's difference."""

ARTICULATIONS = {
    "strong-accent": 1.45, "accent": 1.25, "soft-accent": 1.1, "stress": 1.1, "unstress": 0.85,
}  # fmt: skip
GHOST = 0.5
"""A notehead in parentheses."""
GRACE = 0.6
"""A grace note, of the note that it leads to."""
SUDDEN = 1.45
"""sfz and its kin, for the notes at that place."""

FLAM_SEC = 0.03
"""A grace note sounds so long before its note, and before the next grace note of a drag or ruff."""


def clipped(velocity: float) -> int:
    """A velocity as MIDI has it, 1..127."""
    return min(max(round(velocity), 1), 127)
