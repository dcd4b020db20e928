"""The events of one track of a MIDI file; `midi_file` finds the tracks.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (MIDI Association).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError

Ints = NDArray[np.int64]

NOTE_OFF, NOTE_ON, PRESSURE, CONTROL, PROGRAM = 0x80, 0x90, 0xA0, 0xB0, 0xC0
BANK_SELECT, HAT_PEDAL = 0, 4
"""The two controllers that are kept."""

_META, _END, _NAME, _PORT, _TEMPO, _METER = 0xFF, 0x2F, 0x03, 0x21, 0x51, 0x58
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Data bytes of system messages; real-time and undefined ones have none."""

_LONGEST_NUMBER = 16
_LONGEST_NAME = 60


@dataclass(frozen=True, eq=False)
class MidiTrack:
    """One track.

    Attributes:
        number: place among the file's tracks, from 1.
        name: of its first track-name event, "" without one.
        port: of its first port event, else 0.
        events: [E, 4] tick, status, first and second data byte of the channel messages that matter:
            notes, pressure of a key, `BANK_SELECT`, `HAT_PEDAL` and program changes.
        tempi, meters: (tick, data) of tempo and time-signature events, of whatever length.
        exclusives: (tick, data) of system exclusive messages.
        end_tick: of its last event.
    """

    number: int
    name: str
    port: int
    events: Ints
    tempi: list[tuple[int, bytes]]
    meters: list[tuple[int, bytes]]
    exclusives: list[tuple[int, bytes]]
    end_tick: int


@dataclass
class RawTrack:
    """A track while it is read; `packed` is tick << 24 | status << 16 | data1 << 8 | data2."""

    packed: array[int] = field(default_factory=lambda: array("q"))
    metas: list[tuple[int, int, bytes]] = field(default_factory=list)
    exclusives: list[tuple[int, bytes]] = field(default_factory=list)
    end_tick: int = 0
    stop: int = 0
    ended: bool = False
    whole: bool = True
    clamped: int = 0


def read_events(data: bytes, number: int) -> RawTrack:
    """The events of one track; stops at the end-of-track event, or not `whole` inside an event."""
    track = RawTrack()
    append, end = track.packed.append, len(data)
    pos = tick = running = 0
    try:
        while pos < end:
            track.stop = pos
            delta = data[pos]
            pos += 1
            if delta & 0x80:
                delta, pos = _number(data, pos - 1)
            status = data[pos]
            pos += 1
            if status < 0x80:
                if not running:
                    raise InputError(f"track {number}: byte {pos} belongs to no event")
                status, pos = running, pos - 1
            tick += delta
            if status < 0xF0:
                running, kind = status, status & 0xF0
                one = data[pos]
                two = 0 if kind == PROGRAM or kind == 0xD0 else data[pos + 1]
                pos += 1 if kind == PROGRAM or kind == 0xD0 else 2
                if (one | two) & 0x80:
                    track.clamped += (one >> 7) + (two >> 7)
                    one, two = min(one, 127), min(two, 127)
                if kind <= PRESSURE or kind == PROGRAM or (kind == CONTROL and one in (0, 4)):
                    append(tick << 24 | status << 16 | one << 8 | two)
            elif status == _META or status == 0xF0 or status == 0xF7:
                meta = data[pos] if status == _META else -1
                length, pos = _number(data, pos + (meta >= 0))
                if pos + length > end and meta != _END:
                    raise IndexError
                _keep(track, meta, tick, data[pos : pos + length])
                pos += length
                if meta == _END:
                    track.ended = True
                    break
            else:
                pos += _SYSTEM_BYTES.get(status, 0)
            track.end_tick = tick
    except IndexError:
        track.whole = False
        return track
    except OverflowError:
        raise InputError(f"track {number}: an event lies 2^39 ticks or more in") from None
    track.stop, track.end_tick = min(pos, end), tick
    return track


def _number(data: bytes, pos: int) -> tuple[int, int]:
    """A number of variable length and the place after it."""
    value = 0
    for place in range(pos, pos + _LONGEST_NUMBER):
        value = value << 7 | (data[place] & 0x7F)
        if data[place] < 0x80:
            return value, place + 1
    raise InputError(f"byte {pos}: a number of more than {_LONGEST_NUMBER} bytes")


def _keep(track: RawTrack, meta: int, tick: int, data: bytes) -> None:
    if meta < 0:
        track.exclusives.append((tick, data))
    elif meta in (_NAME, _PORT, _TEMPO, _METER):
        track.metas.append((meta, tick, data))


def finished(track: RawTrack, number: int) -> MidiTrack:
    packed = np.frombuffer(track.packed, dtype=np.int64) if track.packed else np.zeros(0, np.int64)
    columns = (packed >> 24, packed >> 16 & 0xFF, packed >> 8 & 0xFF, packed & 0xFF)
    names = [data for meta, _, data in track.metas if meta == _NAME]
    ports = [data for meta, _, data in track.metas if meta == _PORT and data]
    return MidiTrack(
        number=number,
        name=_text(names[0]) if names else "",
        port=ports[0][0] if ports else 0,
        events=np.stack(columns, axis=1),
        tempi=[(tick, data) for meta, tick, data in track.metas if meta == _TEMPO],
        meters=[(tick, data) for meta, tick, data in track.metas if meta == _METER],
        exclusives=track.exclusives,
        end_tick=track.end_tick,
    )


def _text(data: bytes) -> str:
    """A name that a terminal can show."""
    try:
        text = data[: 4 * _LONGEST_NAME].decode("utf-8")
    except UnicodeDecodeError:
        text = data[:_LONGEST_NAME].decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()[:_LONGEST_NAME]
