"""Where drums stand on the staff: lines, spaces and noteheads to MIDI pitches, and back.

The places are those of Weinberg, "Guidelines for Drumset Notation" (Percussive Notes, June 1994),
which the Percussive Arts Society recommends and which MuseScore, Sibelius, Dorico and Finale start
from, with the toms as MuseScore 4 places them. Pitches are General MIDI.
"""

from __future__ import annotations

from dataclasses import dataclass

from midigroove_core.errors import InputError

HEAD_FAMILIES = {
    "x": "x", "cross": "x", "circle-x": "circle-x", "diamond": "diamond",
    "triangle": "triangle", "inverted triangle": "triangle",
    "left triangle": "triangle", "right triangle": "triangle",
    "slashed": "slashed", "back slashed": "slashed", "slash": "slashed",
}  # fmt: skip
"""MusicXML noteheads that mean something on a drum staff; every other one is an ordinary head."""

_PITCH_AT = {
    "normal": {
        "D4": 35, "E4": 35, "F4": 36, "G4": 41, "A4": 43, "B4": 45, "C5": 38, "D5": 47, "E5": 48,
        "F5": 50, "G5": 42, "A5": 49, "B5": 57,
    },
    "x": {
        "D4": 44, "E4": 44, "F4": 44, "C5": 37, "E5": 51, "F5": 51, "G5": 42, "A5": 49, "B5": 57,
        "C6": 52, "D6": 55,
    },
    "circle-x": {"D4": 44, "F5": 51, "G5": 46, "A5": 49, "B5": 57, "C6": 52},
    "diamond": {"E5": 53, "F5": 53, "G5": 46, "A5": 49, "B5": 57},
    "triangle": {"D5": 54, "E5": 56, "F5": 56, "G5": 56, "C6": 81},
    "slashed": {"C5": 40, "D5": 47, "E5": 48, "F5": 50, "A4": 43, "G5": 42},
}  # fmt: skip
"""Notehead family -> place on a staff with the percussion clef (as in the treble clef) -> pitch."""

HAT_CLOSED, HAT_OPEN = 42, 46
_OPEN_OF = {42: 46, 22: 26}
_CLOSED_OF = {46: 42, 26: 22}


def pitch_at(place: str, notehead: str | None) -> int:
    """The pitch of a note on the staff.

    Args:
        place: step and octave as in the treble clef, such as "C5".
        notehead: MusicXML's name of it, None for an ordinary one.

    Raises:
        InputError: nothing stands there.
    """
    family = HEAD_FAMILIES.get(notehead or "", "normal")
    pitch = _PITCH_AT[family].get(place)
    if pitch is None:
        head = "" if family == "normal" else f" with the notehead {notehead!r}"
        raise InputError(
            f"no drum stands at {place}{head}; in the notation program give it a sound of its own"
        )
    return pitch


def opened(pitch: int) -> int:
    """The pitch of a hat that bears the sign for open; other drums stay as they are."""
    return _OPEN_OF.get(pitch, pitch)


def closed(pitch: int) -> int:
    """The pitch of a hat that bears the sign for closed."""
    return _CLOSED_OF.get(pitch, pitch)


@dataclass(frozen=True)
class Place:
    """How a pitch is written.

    Attributes:
        name: the instrument, as a player calls it.
        step, octave: place on the staff.
        notehead: MusicXML's name, "" for an ordinary one.
        feet: played with a foot: the lower voice.
        is_open: bears the sign of an open hat.
    """

    name: str
    step: str
    octave: int
    notehead: str = ""
    feet: bool = False
    is_open: bool = False


PLACES = {
    35: Place("Bass Drum 2", "E", 4, feet=True),
    36: Place("Bass Drum", "F", 4, feet=True),
    37: Place("Side Stick", "C", 5, "x"),
    38: Place("Snare", "C", 5),
    40: Place("Snare Rim", "C", 5, "slashed"),
    41: Place("Low Floor Tom", "G", 4),
    43: Place("Floor Tom", "A", 4),
    58: Place("Floor Tom Rim", "A", 4, "slashed"),
    45: Place("Low Tom", "B", 4),
    47: Place("Mid Tom", "D", 5),
    48: Place("High Tom", "E", 5),
    50: Place("High Tom 2", "F", 5),
    42: Place("Closed Hi-Hat", "G", 5, "x"),
    22: Place("Closed Hi-Hat Edge", "G", 5, "x"),
    44: Place("Pedal Hi-Hat", "D", 4, "x", feet=True),
    46: Place("Open Hi-Hat", "G", 5, "x", is_open=True),
    26: Place("Open Hi-Hat Edge", "G", 5, "x", is_open=True),
    49: Place("Crash", "A", 5, "x"),
    57: Place("Crash 2", "B", 5, "x"),
    52: Place("China", "C", 6, "x"),
    55: Place("Splash", "D", 6, "x"),
    51: Place("Ride", "F", 5, "x"),
    59: Place("Ride 2", "F", 5, "x"),
    53: Place("Ride Bell", "F", 5, "diamond"),
    54: Place("Tambourine", "D", 5, "triangle"),
    56: Place("Cowbell", "E", 5, "triangle"),
}


def place_of(pitch: int) -> Place:
    """How a pitch is written; percussion without a place of its own shares the cowbell's."""
    return PLACES.get(pitch) or Place(f"Percussion {pitch}", "E", 5, "triangle")
