"""What a one-shot's file name says: exactly, or as sample libraries write it.

The exact form is ARTICULATION[_pPITCH][_VELOCITY][_rrN], such as "snare_064", "tom_high_p50" or
"snare_064_rr2". Anything else is read by its words: "Kick-Hard", "OpenHat", "hh closed soft 2",
"LowTom", "Snare soft RR2". Who reads a kit says what was read as what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from midigroove_core.drums import ARTICULATIONS

_EXACT = re.compile(
    rf"({'|'.join(ARTICULATIONS)})(?:_p(\d+))?(?:_(\d+))?(?:_rr(\d+))?", re.IGNORECASE
)
_TURN = re.compile(r"(?<![a-z])rr ?(\d+)", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_DRUMS: Mapping[str, tuple[str, ...]] = {
    "kick": ("kick", "bd", "kik", "bassdrum", "bass"), "snare": ("snare", "sd", "snr"),
    "rimshot": ("rim", "rimshot"), "xstick": ("xstick", "sidestick", "crossstick", "stick"),
    "tom": ("tom", "toms"), "hat": ("hat", "hats", "hh", "hihat"),
    "hat_closed": ("chh", "hhc"), "hat_open": ("ohh", "hho"), "hat_pedal": ("phh", "hhp"),
    "tom_low": ("floor", "floortom"), "crash": ("crash", "cymbal"),
    "splash_china": ("splash", "china"), "ride": ("ride",), "ride_bell": ("bell", "cup"),
    "other:39": ("clap", "claps", "handclap"), "other:56": ("cowbell",),
    "other:54": ("tambourine", "tamb"), "other:60": ("bongo",), "other:63": ("conga",),
    "other:69": ("cabasa",), "other:70": ("maracas", "shaker"), "other:75": ("claves",),
    "other:76": ("woodblock",),
}  # fmt: skip
_DRUM_OF = {word: drum for drum, words in _DRUMS.items() for word in words}

_WHICH: Mapping[str, Mapping[str, str]] = {
    "tom": {
        **dict.fromkeys(("high", "hi", "rack", "1"), "tom_high"),
        **dict.fromkeys(("mid", "middle", "2"), "tom_mid"),
        **dict.fromkeys(("low", "lo", "3"), "tom_low"),
    },
    "hat": {
        **dict.fromkeys(("open", "op"), "hat_open"),
        **dict.fromkeys(("pedal", "foot", "chick"), "hat_pedal"),
        **dict.fromkeys(("closed", "close", "cl"), "hat_closed"),
    },
    "crash": dict.fromkeys(("2", "right"), "crash_2"),
}
_PLAIN = {"tom": "tom_mid", "hat": "hat_closed", "crash": "crash_1"}
_STRONGER = (
    ("rimshot", "snare"), ("xstick", "snare"), ("ride_bell", "ride"), ("tom_low", "tom"),
    ("xstick", "rimshot"), ("hat", "crash"), ("ride", "crash"), ("splash_china", "crash"),
)  # fmt: skip
"""(a, b): a name with words for both is an a: "snare rim", "floor tom", "crash ride"."""

_VELOCITIES = {
    "softest": 32, "pp": 32, "soft": 64, "p": 64, "med": 96, "medium": 96, "mf": 96,
    "hard": 120, "f": 120, "loud": 120, "hardest": 127, "ff": 127,
}  # fmt: skip


@dataclass(frozen=True)
class ShotName:
    """What a name says.

    Attributes:
        articulation, pitch: which drum; a pitch of its own or None.
        velocity: of the layer; 127 where the name does not say.
        turn: number among recordings of one layer that hits take turns on (round robin); 0 where
            the name does not say.
        exact: whether the name has the exact form.
    """

    articulation: str
    pitch: int | None
    velocity: int
    exact: bool
    turn: int = 0

    def __str__(self) -> str:
        pitch = "" if self.pitch is None else f", pitch {self.pitch}"
        velocity = "" if self.velocity == 127 else f", up to velocity {self.velocity}"
        turn = f", round robin {self.turn}" if self.turn else ""
        return f"{self.articulation}{pitch}{velocity}{turn}"


def read_name(stem: str) -> ShotName | None:
    """Reads a file's name without its suffix.

    Returns:
        None where no word of it is a drum's.

    Raises:
        ValueError: the exact form with a velocity or pitch that MIDI does not have.
    """
    match = _EXACT.fullmatch(stem)
    if match is None:
        return _by_words(stem)
    pitch = None if match[2] is None else int(match[2])
    velocity = 127 if match[3] is None else int(match[3])
    if not 1 <= velocity <= 127 or not 0 <= (pitch or 0) <= 127:
        raise ValueError(stem)
    return ShotName(match[1].lower(), pitch, velocity, exact=True, turn=int(match[4] or 0))


def _by_words(stem: str) -> ShotName | None:
    words = [part for word in _WORD.findall(stem) for part in _split(word.lower())]
    drums = list(dict.fromkeys(_DRUM_OF[word] for word in words if word in _DRUM_OF))
    if "crash" in drums and any(word in _WHICH["hat"] for word in words):
        drums = ["hat", *drums]  # "cymbal closed"
    weaker = {b for a, b in _STRONGER if a in drums}
    drums = [drum for drum in drums if drum not in weaker]
    if not drums:
        return None
    drum, _, pitch = drums[0].partition(":")
    if drum in _PLAIN:
        which = _WHICH[drum]
        drum = next((which[word] for word in words if word in which), _PLAIN[drum])
    velocity = next((_VELOCITIES[word] for word in words if word in _VELOCITIES), 127)
    named = _TURN.search(stem)
    turn = int(named[1]) if named else 0
    return ShotName(drum, int(pitch) if pitch else None, velocity, exact=False, turn=turn)


def _split(word: str) -> list[str]:
    """ "lowtom" as "low" and "tom"; other words as they are."""
    known = {*_DRUM_OF, *(w for which in _WHICH.values() for w in which), *_VELOCITIES, "side"}
    if word not in known:
        for place in range(2, len(word) - 1):
            if word[:place] in known and word[place:] in known:
                return [word[:place], word[place:]]
    return [word]
