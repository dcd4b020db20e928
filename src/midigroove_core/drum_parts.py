"""Which notes of a MIDI file are drums: channel 10, what GS, XG and GM2 declare, names, pitches.

Sources: General MIDI Level 1 (channel 10); Roland GS format ("use for rhythm part", 40 1x 15);
Yamaha XG (bank 127 and 126, part mode 08 nn 07); General MIDI 2 (bank 120). Everything is read by
what the file says of itself; where it says nothing, pitches decide only if they are clear.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.midi_file import MidiFile
from midigroove_core.midi_track import BANK_SELECT, CONTROL, NOTE_ON, PROGRAM, MidiTrack

DRUM_CHANNEL = 10

_DRUM_WORDS = re.compile(
    r"\b(drums?|drum ?kit|drum ?set|percussions?|perc|kick|snare|hi[- ]?hats?|hats?|toms?|cymbals?|"
    r"crash|ride|batterie|bater[ií]a|schlagzeug|trommeln?|batteria)\b",
    re.IGNORECASE,
)
_NOT_DRUMS = re.compile(r"\bsteel[- ]?drums?\b", re.IGNORECASE)
_MELODIC_WORDS = re.compile(
    r"\b(bass|guitars?|gtr|piano|keys|keyboards?|organ|strings?|vocals?|voice|lead|melody|chords?|"
    r"synth|pad|sax|trumpet|brass|flute|violin|cello|click|metronome)\b",
    re.IGNORECASE,
)

_RHYTHM_BANKS = (120, 126, 127)
_KICKS, _SNARES, _CYMBALS = (35, 36), (37, 38, 40), (22, 26, 42, 44, 46, 49, 51, 53, 57, 59)
_CLEAR_SHARE = 0.8
_STRAY_SHARE = 0.1


@dataclass(frozen=True)
class Part:
    """The notes of one channel in one track.

    Attributes:
        track: number of the track, from 1.
        name: of the track.
        port: MIDI port, 0 where the file names none.
        channel: 1 to 16.
        program: first program chosen on the channel (0 to 127), or None.
        rhythm: whether the file or the standard declares it a drum part.
        pitches: pitch -> number of hits.
    """

    track: int
    name: str
    port: int
    channel: int
    program: int | None
    rhythm: bool
    pitches: dict[int, int]

    @property
    def hits(self) -> int:
        """Number of note-ons."""
        return sum(self.pitches.values())

    @property
    def named_drums(self) -> bool:
        """Whether the track's name says drums, and neither program nor pitches say otherwise."""
        if not _DRUM_WORDS.search(self.name) or _NOT_DRUMS.search(self.name):
            return False
        return not self.melodic_program or self.looks_like_drums

    @property
    def melodic_program(self) -> bool:
        """Whether an instrument was chosen; 0 is what many programs write without a choice."""
        return self.program is not None and self.program > 0 and not self.rhythm

    @property
    def named_melodic(self) -> bool:
        """Whether the track's name says another instrument."""
        return bool(_MELODIC_WORDS.search(self.name)) and not self.named_drums

    @property
    def looks_like_drums(self) -> bool:
        """Whether most pitches are a kit's: cymbals, and kick or snare."""
        families = [sum(self.pitches.get(p, 0) for p in f) for f in (_KICKS, _SNARES, _CYMBALS)]
        two = sum(count > 0 for count in families) >= 2 and families[2] > 0
        return two and sum(families) >= _CLEAR_SHARE * self.hits


@dataclass(frozen=True)
class Choice:
    """The parts taken as drums, and a line where that was not plain."""

    parts: list[Part]
    lines: list[str]


def list_parts(midi: MidiFile) -> list[Part]:
    """Every track and channel that has notes, in the order of the tracks."""
    declared = _declared(midi.tracks)
    programs = _programs(midi.tracks)
    parts = []
    for track in midi.tracks:
        kind, channel = track.events[:, 1] & 0xF0, (track.events[:, 1] & 0x0F) + 1
        hits = (kind == NOTE_ON) & (track.events[:, 3] > 0)
        for number in np.unique(channel[hits]).tolist():
            pitches = Counter(track.events[hits & (channel == number), 2].tolist())
            place = (track.port, number)
            rhythm = declared.get(place, number == DRUM_CHANNEL)
            parts.append(
                Part(track.number, track.name, track.port, number, programs.get(place), rhythm,
                     dict(sorted(pitches.items())))
            )  # fmt: skip
    return parts


def choose_parts(
    parts: Sequence[Part], channel: int | None = None, track: int | str | None = None
) -> Choice:
    """The parts that are drums.

    Args:
        parts: of `list_parts`.
        channel: take this channel (1 to 16) and no other.
        track: take this track, by its number from 1 or its name, and no other.

    Raises:
        InputError: no part is on that channel or track; says what there is.
    """
    if channel is not None or track is not None:
        return _asked_for(parts, channel, track)
    rhythm = [p for p in parts if p.rhythm]
    named = [p for p in parts if p.named_drums and not p.rhythm and _alone(p, parts)]
    if rhythm:
        count = sum(p.hits for p in rhythm)
        others = [p for p in parts if not p.rhythm and p not in named]
        named += [p for p in others if _dwarfs(p, count)]
        chosen = [p for p in parts if p in rhythm or p in named]
    elif named:
        chosen = named
    else:
        chosen = _by_program_and_pitch(parts)
    left = [p for p in parts if p not in chosen]
    channels = {(p.port, p.channel) for p in chosen}
    plain = not left and (len(channels) == 1 or all(p.rhythm for p in chosen))
    return Choice(chosen, [] if plain or not chosen else [_said(chosen, left)])


def _alone(part: Part, parts: Sequence[Part]) -> bool:
    """A track's name speaks for its notes only where all of them are on one channel."""
    return sum(p.track == part.track for p in parts) == 1


def _dwarfs(part: Part, rhythm_hits: int) -> bool:
    """A part that is drums by its pitches, beside a stray note or two on the drum channel."""
    plausible = part.looks_like_drums and not part.melodic_program and not part.named_melodic
    return plausible and rhythm_hits < _STRAY_SHARE * part.hits


def _by_program_and_pitch(parts: Sequence[Part]) -> list[Part]:
    if len({(p.port, p.channel) for p in parts}) <= 1:
        return list(parts)
    clear = [p for p in parts if p.looks_like_drums and not (p.melodic_program or p.named_melodic)]
    if clear:
        return clear
    unnamed = [p for p in parts if not (p.melodic_program or p.named_melodic)]
    return unnamed or list(parts)


def _asked_for(parts: Sequence[Part], channel: int | None, track: int | str | None) -> Choice:
    if channel is not None and not 1 <= channel <= 16:
        raise InputError(f"channel must lie in 1 to 16, got {channel}")
    name = str(track).casefold()
    chosen = [
        p
        for p in parts
        if channel in (None, p.channel)
        and (track is None or str(p.track) == name or p.name.casefold() == name)
    ]
    if not chosen:
        wanted = [f"channel {channel}"] if channel is not None else []
        wanted += [f"track {track}"] if track is not None else []
        there = "; ".join(describe(p) for p in parts[:8]) or "no hits at all"
        raise InputError(f"no hits on {' and '.join(wanted)}; there is {there}")
    return Choice(chosen, [])


def describe(part: Part) -> str:
    """One part in a few words."""
    port = f" of port {part.port}" if part.port else ""
    name = f' "{part.name}"' if part.name else ""
    return f"channel {part.channel}{port} in track {part.track}{name} ({_hits(part.hits)})"


def _said(chosen: Sequence[Part], left: Sequence[Part]) -> str:
    line = f"taken as drums: {_listed(chosen)}"
    return f"{line}; left out: {_listed(left)}" if left else line


def _listed(parts: Sequence[Part]) -> str:
    texts = [describe(p) for p in parts[:4]]
    rest = parts[4:]
    if rest:
        texts.append(f"{len(rest)} more ({_hits(sum(p.hits for p in rest))})")
    return ", ".join(texts)


def _hits(count: int) -> str:
    return f"{count:,} hit{'s' if count != 1 else ''}"


def _programs(tracks: Sequence[MidiTrack]) -> dict[tuple[int, int], int]:
    programs: dict[tuple[int, int], int] = {}
    for track in tracks:
        chosen = track.events[(track.events[:, 1] & 0xF0) == PROGRAM]
        for _, status, program, _ in chosen.tolist():
            programs.setdefault((track.port, (status & 0x0F) + 1), program)
    return programs


def _declared(tracks: Sequence[MidiTrack]) -> dict[tuple[int, int], bool]:
    """(port, channel) -> whether it is a drum part, where the file says so itself."""
    declared: dict[tuple[int, int], bool] = {}
    for track in tracks:
        events = track.events
        banks = events[((events[:, 1] & 0xF0) == CONTROL) & (events[:, 2] == BANK_SELECT)]
        for _, status, _, bank in banks.tolist():
            if bank in _RHYTHM_BANKS:
                declared[track.port, (status & 0x0F) + 1] = True
        for _, message in track.exclusives:
            found = _rhythm_message(message)
            if found is not None:
                declared[track.port, found[0]] = found[1]
    return declared


def _rhythm_message(message: bytes) -> tuple[int, bool] | None:
    """The channel that a system exclusive message makes a drum part, or not.

    GS: 41 dev 42 12 40 1x 15 mode; block x is channel 10 for 0, the channel for 1 to 9, and
    channel 11 to 16 for A to F. XG: 43 1n 4C 08 part 07 mode, part 0 on channel 1.
    """
    if len(message) >= 8 and message[0] == 0x41 and message[2:5] == b"\x42\x12\x40":
        block = message[5]
        if block & 0xF0 == 0x10 and message[6] == 0x15:
            block &= 0x0F
            channel = 10 if block == 0 else block if block < 10 else block + 1
            return channel, message[7] > 0
    xg = len(message) >= 7 and message[0] == 0x43 and message[1] & 0xF0 == 0x10
    if xg and message[2:4] == b"\x4c\x08" and message[5] == 0x07 and message[4] < 16:
        return message[4] + 1, message[6] > 0
    return None
