"""Standard MIDI files in and out: `load_midi`, `save_midi`.

`midi_file` reads the bytes, `drum_parts` says which notes are drums; hits, tempo and meter are put
together here. Score-minded readers are of little use for drums: partitura overwrites a note that is
struck again before its note-off, which drum modules do all the time (4.7 % of the onsets of the
Groove MIDI Dataset), keeps no tempo, and takes seconds to import; mido refuses files that every
player plays. Seconds come from one float64 tempo map over the whole file, the same map that beats
and bars are computed with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midigroove_core.drum_parts import Part, choose_parts, list_parts
from midigroove_core.errors import InputError
from midigroove_core.midi_file import LAST_TICK, STANDARD_INPUT, MidiFile, read_midi_file
from midigroove_core.midi_tempo import TempoMap, meters_of, tempo_map
from midigroove_core.midi_track import CONTROL, HAT_PEDAL, NOTE_OFF, NOTE_ON, PRESSURE
from midigroove_core.midi_write import save_midi
from midigroove_core.performance import DrumPerformance, Floats, Ints

__all__ = ["DrumPerformance", "load_midi", "performance_of", "read_tempo_and_meter", "save_midi"]

LONGEST_HOURS = 12.0
"""A file with a hit later than this is refused: it is a fault in a delta time, not music."""

END_GAP_SEC = 10.0
"""A performance ends with its file; a file that goes on for longer than this after its last hit has
a stray event, and the performance ends with its last note."""

CHOKE_PRESSURE = 64
"""A key pressed at least so hard after its hit is a cymbal that is grabbed: modules send 127."""


@dataclass(frozen=True)
class _Merged:
    """The events of all tracks in order.

    Attributes:
        events: [E, 4] tick, status, two data bytes.
        track: [E] number of the event's track.
        place: [E] port << 8 | channel (1 to 16).
        tempi, meters: (tick, data), in order.
        end_tick: of the last event of any kind.
    """

    events: Ints
    track: Ints
    place: Ints
    tempi: list[tuple[int, bytes]]
    meters: list[tuple[int, bytes]]
    end_tick: int


def read_tempo_and_meter(path: str | Path) -> tuple[float, str]:
    """First tempo in beats a minute and first meter like "4-4", without putting notes together.

    Raises:
        InputError: as `load_midi`.
    """
    with _naming(path):
        midi = read_midi_file(path)
        merged, ignored = _merged(midi), list[str]()
        _, numerator, denominator = meters_of(merged.meters, ignored)
        bpm = 60e6 / int(tempo_map(midi, merged.tempi, ignored).microseconds[0])
        return bpm, f"{numerator[0]}-{denominator[0]}"


def load_midi(
    path: str | Path, *, channel: int | None = None, track: int | str | None = None
) -> DrumPerformance:
    """Reads a drum performance from a standard MIDI file of format 0, 1 or 2.

    Tracks of formats 0 and 1 sound together; the sequences of a format 2 file follow one another.
    Drums are the notes of channel 10 and of parts that the file declares drums (GS, XG, GM2) or
    names so; a file without any is read by program and pitches where they are clear, else whole.
    Two hits of one pitch at the same tick are one hit, the louder. What was odd or left out is in
    `DrumPerformance.oddities`, a line each.

    Args:
        path: a file, a pipe, or "-" for standard input.
        channel: read this channel (1 to 16) alone.
        track: read this track alone, by its number from 1 or its name.

    Raises:
        InputError: the file is missing, empty, not MIDI, cut off or corrupt, lasts longer than
            `LONGEST_HOURS`, or has no hit where `channel` or `track` say; names the file.
    """
    with _naming(path):
        return performance_of(read_midi_file(path), channel=channel, track=track)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """An InputError that names the file."""
    try:
        yield
    except InputError as error:
        name = "standard input" if str(path) == STANDARD_INPUT else path
        raise InputError(f"{name}: {error}") from error


def performance_of(
    midi: MidiFile, *, channel: int | None = None, track: int | str | None = None
) -> DrumPerformance:
    """The drums of a file that was read; see `load_midi`."""
    choice = choose_parts(list_parts(midi), channel, track)
    lines = [*midi.oddities, *choice.lines]
    merged = _merged(midi)
    tempo = tempo_map(midi, merged.tempi, lines)
    meter_ticks, numerator, denominator = meters_of(merged.meters, lines)
    on, off, pitch, velocity = _notes(merged, choice.parts)
    cc4_ticks, cc4_value = _pedal(merged, choice.parts)
    choke_ticks, choke_pitch = _chokes(merged, choice.parts)
    onset_sec = tempo.to_seconds(on)
    end_sec = _end_sec(tempo, merged.end_tick, onset_sec, tempo.to_seconds(off), lines)
    inside = tempo.seconds <= end_sec
    meter_inside = tempo.to_seconds(meter_ticks) <= end_sec
    cc4_sec, choke_sec = tempo.to_seconds(cc4_ticks), tempo.to_seconds(choke_ticks)
    return DrumPerformance(
        onset_sec=onset_sec,
        duration_sec=np.minimum(tempo.to_seconds(off) - onset_sec, end_sec - onset_sec),
        pitch=pitch,
        velocity=velocity,
        cc4_sec=cc4_sec[cc4_sec <= end_sec],
        cc4_value=cc4_value[cc4_sec <= end_sec],
        choke_sec=choke_sec[choke_sec <= end_sec],
        choke_pitch=choke_pitch[choke_sec <= end_sec],
        tempo_sec=tempo.seconds[inside],
        tempo_beats=tempo.beats[inside],
        tempo_bpm=60e6 / tempo.microseconds[inside],
        meter_beats=tempo.to_beats(meter_ticks)[meter_inside],
        meter_numerator=numerator[meter_inside],
        meter_denominator=denominator[meter_inside],
        end_sec=end_sec,
        oddities=tuple(lines),
    )


def _merged(midi: MidiFile) -> _Merged:
    """Tracks side by side, or one after the other in format 2; of a tick, in the tracks' order."""
    events, track, place = [], [], []
    tempi: list[tuple[int, bytes]] = []
    meters: list[tuple[int, bytes]] = []
    start = end = 0
    for one in midi.tracks:
        moved = one.events.copy()
        moved[:, 0] += start
        events.append(moved)
        track.append(np.full(len(moved), one.number))
        place.append(one.port << 8 | ((moved[:, 1] & 0x0F) + 1))
        tempi += [(start + tick, data) for tick, data in one.tempi]
        meters += [(start + tick, data) for tick, data in one.meters]
        end = max(end, start + one.end_tick)
        start = end if midi.format == 2 else 0
        if start > LAST_TICK:
            raise _too_long(f"a sequence starts {start} ticks in")
    joined = np.concatenate(events)
    order = np.argsort(joined[:, 0], kind="stable")
    tempi.sort(key=lambda event: event[0])
    meters.sort(key=lambda event: event[0])
    return _Merged(
        joined[order], np.concatenate(track)[order], np.concatenate(place)[order],
        tempi, meters, end,
    )  # fmt: skip


def _too_long(why: str) -> InputError:
    return InputError(f"{why}: more than the {LONGEST_HOURS:g} hours that are read")


def _end_sec(
    tempo: TempoMap, end_tick: int, onset_sec: Floats, off_sec: Floats, lines: list[str]
) -> float:
    """The file's end, or the last note's where the file goes on for long after it, which is said.

    Raises:
        InputError: the last hit lies beyond `LONGEST_HOURS`.
    """
    file_sec = float(tempo.to_seconds(np.array([min(end_tick, LAST_TICK)]))[0])
    last_sec = float(onset_sec.max(initial=0.0))
    if last_sec > LONGEST_HOURS * 3600:
        raise _too_long(f"the performance lasts {last_sec / 3600:,.1f} hours")
    latest_sec = last_sec + END_GAP_SEC
    if file_sec <= latest_sec:
        return file_sec
    if len(onset_sec):
        lines.append(
            f"the file goes on for {_time(file_sec - last_sec)} without a hit; the performance "
            "ends with its last note"
        )
    return float(np.minimum(off_sec, latest_sec).max(initial=0.0))


def _time(sec: float) -> str:
    if sec < 120:
        return f"{sec:.0f} s"
    return f"{sec / 60:.0f} min" if sec < 7200 else f"{sec / 3600:,.1f} hours"


def _place(part: Part) -> int:
    return part.port << 8 | part.channel


def _notes(merged: _Merged, parts: Sequence[Part]) -> tuple[Ints, Ints, Ints, Ints]:
    """On tick, off tick, pitch, velocity of every hit, by tick and pitch.

    A hit ends at its note-off, at the next hit of its pitch, or at the end of the file, whichever
    comes first: drum modules strike a pitch again before they release it.
    """
    chosen = np.isin(
        merged.track << 16 | merged.place, [part.track << 16 | _place(part) for part in parts]
    )
    kind = merged.events[:, 1] & 0xF0
    chosen &= (kind == NOTE_ON) | (kind == NOTE_OFF)
    ticks, _, pitch, velocity = merged.events[chosen].T
    key = merged.place[chosen] << 8 | pitch
    order = np.argsort(key, kind="stable")
    following = np.full(len(order), min(merged.end_tick, LAST_TICK))
    same = key[order[1:]] == key[order[:-1]]
    following[order[:-1][same]] = ticks[order[1:][same]]
    hit = (kind[chosen] == NOTE_ON) & (velocity > 0)
    table = np.stack([ticks, following, pitch, velocity], axis=1)[hit]
    if len(table) and table[:, 0].max() > LAST_TICK:
        raise _too_long(f"a hit lies {table[:, 0].max():,} ticks in")
    table = table[np.lexsort((-table[:, 3], table[:, 2], table[:, 0]))]
    twice = (np.diff(table[:, 0]) == 0) & (np.diff(table[:, 2]) == 0)
    on, off, pitch, velocity = table[np.append(True, ~twice)[: len(table)]].T
    return on, off, pitch, velocity


def _pedal(merged: _Merged, parts: Sequence[Part]) -> tuple[Ints, Ints]:
    """Tick and value of the hi-hat controller."""
    chosen = np.isin(merged.place, [_place(part) for part in parts])
    chosen &= (merged.events[:, 1] & 0xF0) == CONTROL
    chosen &= (merged.events[:, 2] == HAT_PEDAL) & (merged.events[:, 0] <= LAST_TICK)
    return merged.events[chosen, 0], merged.events[chosen, 3]


def _chokes(merged: _Merged, parts: Sequence[Part]) -> tuple[Ints, Ints]:
    """Tick and pitch of every time that a key's pressure rises to `CHOKE_PRESSURE`."""
    chosen = np.isin(merged.place, [_place(part) for part in parts])
    chosen &= (merged.events[:, 1] & 0xF0) == PRESSURE
    chosen &= merged.events[:, 0] <= LAST_TICK
    pressed: dict[tuple[int, int], bool] = {}
    chokes = []
    rows = zip(merged.events[chosen].tolist(), merged.place[chosen].tolist(), strict=True)
    for (tick, _, pitch, value), place in rows:
        if value >= CHOKE_PRESSURE and not pressed.get((place, pitch)):
            chokes.append((tick, pitch))
        pressed[place, pitch] = value >= CHOKE_PRESSURE
    ticks, pitches = np.array(chokes, dtype=np.int64).reshape(-1, 2).T
    return ticks, pitches
