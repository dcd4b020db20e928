"""MIDI files put together byte by byte: for what no writer would write."""

from __future__ import annotations

import struct
from collections.abc import Sequence

END = b"\0\xff\x2f\0"


def number(value: int) -> bytes:
    """A number of variable length, however large."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))


def header(file_format: int = 0, tracks: int = 1, division: int = 480) -> bytes:
    """The MThd chunk; a division above 0x7FFF is SMPTE time."""
    return b"MThd" + struct.pack(">IHHH", 6, file_format, tracks, division)


def track(events: bytes, length: int | None = None) -> bytes:
    """An MTrk chunk, with its true length or another one."""
    return b"MTrk" + struct.pack(">I", len(events) if length is None else length) + events


def chunk(name: bytes, data: bytes) -> bytes:
    """Any other chunk."""
    return name + struct.pack(">I", len(data)) + data


def meta(kind: int, data: bytes = b"", delta: int = 0) -> bytes:
    """A meta event."""
    return number(delta) + bytes([0xFF, kind]) + number(len(data)) + data


def name(text: str) -> bytes:
    """A track name."""
    return meta(3, text.encode())


def note(
    pitch: int, delta: int = 0, gate: int = 60, velocity: int = 100, channel: int = 10
) -> bytes:
    """A hit and its note-off."""
    on = number(delta) + bytes([0x90 | channel - 1, pitch, velocity])
    return on + number(gate) + bytes([0x80 | channel - 1, pitch, 0])


def beat(pitches: Sequence[int] = (36, 42, 38, 42), bars: int = 2, channel: int = 10) -> bytes:
    """A hit each 0.25 s at 480 ticks a beat and 120 beats a minute; no end-of-track event."""
    out, delta = b"", 0
    for pitch in (*pitches,) * bars:
        out += note(pitch, delta, channel=channel)
        delta = 180
    return out


def control(number_: int, value: int, delta: int = 0, channel: int = 10) -> bytes:
    """A control change."""
    return number(delta) + bytes([0xB0 | channel - 1, number_, value])


def exclusive(data: bytes) -> bytes:
    """A system exclusive message, without its F0 and with its F7."""
    return b"\0\xf0" + number(len(data)) + data


def song(*tracks: bytes, division: int = 480) -> bytes:
    """A whole file of those tracks' events, an end-of-track event behind each."""
    chunks = b"".join(track(events + END) for events in tracks)
    return header(int(len(tracks) > 1), len(tracks), division) + chunks
