"""The bytes of a standard MIDI file: chunks and events, read as leniently as players read them.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (MIDI Association).
Files in the wild break it in ways that harm nobody, and a reader that refuses them loses music.
Here a track ends at its end-of-track event or at the next track, whatever length it claims; running
status outlives every event; chunks and meta events that do not matter are stepped over by their
length; data bytes above 127 are taken as 127. What was odd is said, a line for each kind, in
`MidiFile.oddities`. A file that ends in the middle of a track is refused: part of it is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from midigroove_core.errors import InputError
from midigroove_core.midi_track import MidiTrack, RawTrack, finished, read_events

STANDARD_INPUT = "-"
"""The path that stands for standard input."""

LONGEST_BYTES = 1 << 26
"""Larger files are refused unread: 64 MiB are some ten million notes."""

LAST_TICK = 1 << 38
"""Ticks beyond this are refused: products of ticks and microseconds stay exact in 64 bits."""

_FRAME_RATES = {24: Fraction(24), 25: Fraction(25), 29: Fraction(30_000, 1001), 30: Fraction(30)}


@dataclass(frozen=True, eq=False)
class MidiFile:
    """What a file holds.

    Attributes:
        format: 0, 1 or 2 as the header says.
        ticks_per_beat: of a quarter note; 0 where ticks are parts of a SMPTE frame.
        sec_per_tick: of SMPTE time; 0 where ticks are parts of a beat.
        tracks: at least one.
        oddities: a line for each kind of fault that was read over.
    """

    format: int
    ticks_per_beat: int
    sec_per_tick: Fraction
    tracks: list[MidiTrack]
    oddities: list[str]


@dataclass
class _Faults:
    """Tracks with each fault, and faults of the whole file."""

    length: list[int] = field(default_factory=list)
    endless: list[int] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)
    after_end: list[int] = field(default_factory=list)
    clamped: int = 0
    lines: list[str] = field(default_factory=list)

    def to_lines(self) -> list[str]:
        lines = list(self.lines)
        for tracks, what in (
            (self.length, "claims a wrong length; read to its end"),
            (self.endless, "has no end-of-track event"),
            (self.torn, "stops in the middle of an event; read up to there"),
            (self.after_end, "goes on after its end-of-track event; that part was left out"),
        ):
            if tracks:
                lines.append(f"{_named('track', tracks)} {what}")
        if self.clamped:
            plural = "data bytes" if self.clamped > 1 else "data byte"
            lines.append(f"{self.clamped} {plural} above 127 taken as 127")
        return lines


def read_midi_file(path: str | Path) -> MidiFile:
    """Reads a file, a pipe, or standard input (`STANDARD_INPUT`).

    Raises:
        InputError: it cannot be read, is too large, not MIDI, cut off, or damaged beyond reading;
            the message does not name the file.
    """
    return parse_midi_file(read_bytes(path))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file, a pipe, or standard input.

    Raises:
        InputError: it cannot be read, is empty, or is larger than `LONGEST_BYTES`.
    """
    try:
        if str(path) == STANDARD_INPUT:
            data = sys.stdin.buffer.read(LONGEST_BYTES + 1)
        else:
            with open(path, "rb") as handle:
                data = handle.read(LONGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError("no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be read as a MIDI file ({reason})") from error
    if not data:
        raise InputError("the file is empty (0 bytes)")
    if len(data) > LONGEST_BYTES:
        raise InputError(f"too large for MIDI: more than {LONGEST_BYTES >> 20} MiB")
    return data


def parse_midi_file(data: bytes) -> MidiFile:
    """Reads the bytes of a MIDI file, in a RIFF wrapper (RMID) or not.

    Raises:
        InputError: not MIDI, cut off, or damaged beyond reading.
    """
    faults = _Faults()
    data = _unwrapped(data, faults)
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14:
        raise InputError("not a MIDI file: its header is cut off")
    file_format, declared, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    ticks_per_beat, sec_per_tick = _division(division)
    start = 8 + length if length >= 6 and _chunk_at(data, 8 + length) else 14
    tracks, others = _tracks(data, start, faults)
    if not tracks:
        raise InputError("there is no track in it")
    if declared not in (len(tracks), len(tracks) + others):
        faults.lines.append(f"the header says {declared} tracks, the file has {len(tracks)}")
    if file_format > 2:
        faults.lines.append(f"format {file_format} does not exist; read as format 1")
    return MidiFile(file_format, ticks_per_beat, sec_per_tick, tracks, faults.to_lines())


def _unwrapped(data: bytes, faults: _Faults) -> bytes:
    """From the header on: without the RIFF wrapper of RMID, or what a mail program put before."""
    if data.startswith(b"MThd"):
        return data
    start = data.find(b"MThd", 0, 1 << 16)
    if start < 0:
        raise InputError("not a MIDI file: it has no MThd header")
    if not data.startswith(b"RIFF"):
        faults.lines.append(f"{start} bytes before the header were skipped")
        return data[start:]
    length = int.from_bytes(data[start - 4 : start], "little")
    rest = data[start + length :].lstrip(b"\0")
    whole = length >= 22 and (not rest or rest[:4].isalnum())  # another chunk, or nothing
    return data[start : start + length] if whole else data[start:]


def _division(division: int) -> tuple[int, Fraction]:
    """Ticks per beat or seconds per tick; the other is 0."""
    if division == 0:
        raise InputError("its header says 0 ticks per beat: no time can be told from it")
    if division < 0x8000:
        return division, Fraction(0)
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in _FRAME_RATES or ticks == 0:
        raise InputError(f"its header says {frames} SMPTE frames of {ticks} ticks; use 24 to 30")
    return 0, 1 / (_FRAME_RATES[frames] * ticks)


def _tracks(data: bytes, pos: int, faults: _Faults) -> tuple[list[MidiTrack], int]:
    """The tracks, and the number of other chunks."""
    tracks: list[MidiTrack] = []
    others = 0
    while pos < len(data):
        if not _chunk_at(data, pos):
            found = data.find(b"MTrk", pos)
            rest = data[pos : found if found >= 0 else len(data)]
            if rest.strip(b"\0"):
                faults.lines.append(f"{len(rest)} bytes between or after the tracks were skipped")
            if found < 0:
                break
            pos = found
        name = data[pos : pos + 4]
        if name == b"MThd":
            faults.lines.append("a second MIDI file follows in the same file; it was left out")
            break
        claimed = pos + 8 + int.from_bytes(data[pos + 4 : pos + 8], "big")
        if name != b"MTrk":
            others += 1
            pos = claimed if claimed <= len(data) else pos + 8
            continue
        track = _track(data, pos + 8, claimed, len(tracks) + 1, faults)
        tracks.append(finished(track, len(tracks) + 1))
        pos = _after(data, track, claimed, len(tracks), faults)
    return tracks, others


def _chunk_at(data: bytes, pos: int) -> bool:
    """Whether a chunk can start here: four letters or digits, and a length that fits the file."""
    name = data[pos : pos + 4]
    if name == b"MTrk":
        return len(data) >= pos + 8
    if len(name) < 4 or not name.isascii() or not name.isalnum():
        return False
    return pos + 8 + int.from_bytes(data[pos + 4 : pos + 8], "big") <= len(data)


def _track(data: bytes, start: int, claimed: int, number: int, faults: _Faults) -> RawTrack:
    """Reads a track to where it says it ends if that can be, else to the next track."""
    believable = claimed == len(data) or _chunk_at(data, claimed)
    following = data.find(b"MTrk", start)
    for stop in ([claimed] if believable else []) + [following if following >= 0 else len(data)]:
        track = read_events(data[start:stop], number)
        track.stop += start
        if track.whole:
            break
    missing = not track.ended and track.stop >= len(data) and claimed > len(data)
    if missing or (not track.whole and following < 0):
        raise InputError(f"cut off: track {number} ends in the middle, at byte {len(data)}")
    if not track.whole:
        faults.torn.append(number)
    elif not track.ended:
        faults.endless.append(number)
    faults.clamped += track.clamped
    return track


def _after(data: bytes, track: RawTrack, claimed: int, number: int, faults: _Faults) -> int:
    """Where to go on after a track, and what is odd about its length."""
    if track.stop == claimed:
        return claimed
    next_chunk = _chunk_at(data, track.stop)
    if not next_chunk and track.stop < claimed and _chunk_at(data, claimed):
        faults.after_end.append(number)
        return claimed
    if not next_chunk and track.stop < claimed == len(data):
        (faults.after_end if data[track.stop :].strip(b"\0") else faults.length).append(number)
        return claimed
    faults.length.append(number)
    return track.stop


def _named(word: str, numbers: Sequence[int]) -> str:
    listed = ", ".join(str(n) for n in numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f"{word}{'s' if len(numbers) > 1 else ''} {listed}"
