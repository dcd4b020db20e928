"""Standard MIDI files in and out: `load_midi`, `save_midi`.

mido reads the messages; notes, tempo and meter are put together here. Score-minded readers are of
little use for drums: partitura overwrites a note that is struck again before its note-off, which
drum modules do all the time (4.7 % of the onsets of the Groove MIDI Dataset), keeps no tempo, and
takes seconds to import. Seconds come from one float64 tempo map over the whole file, the same map
that beats and bars are computed with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

from midigroove_core.atomic import atomic_path
from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance, Floats, Ints

__all__ = ["DrumPerformance", "load_midi", "read_tempo_and_meter", "save_midi"]

DRUM_CHANNEL = 9
"""MIDI channel 10, counted from 0."""
_HAT_PEDAL = 4


@dataclass(frozen=True)
class _TempoMap:
    """Ticks to seconds; segment i starts at ticks[i] = seconds[i]."""

    ticks: Ints
    microseconds: Ints
    ticks_per_beat: int

    @property
    def seconds(self) -> Floats:
        lengths = np.diff(self.ticks) * self.microseconds[:-1] / (self.ticks_per_beat * 1e6)
        return np.concatenate([[0.0], np.cumsum(lengths)])

    def to_seconds(self, ticks: Ints) -> Floats:
        i = np.searchsorted(self.ticks, ticks, side="right") - 1
        elapsed = (ticks - self.ticks[i]) * self.microseconds[i]
        return self.seconds[i] + elapsed / (self.ticks_per_beat * 1e6)


def read_tempo_and_meter(path: str | Path) -> tuple[float, str]:
    """First tempo in beats a minute and first meter like "4-4", without reading the notes.

    Raises:
        InputError: as `load_midi`.
    """
    with _naming(path):
        midi = _read(Path(path))
        events = _absolute(midi.tracks[0])
        _, numerator, denominator = _meters(events)
        bpm = 60e6 / int(_tempo_map(events, midi.ticks_per_beat).microseconds[0])
        return bpm, f"{numerator[0]}-{denominator[0]}"


def load_midi(path: str | Path) -> DrumPerformance:
    """Reads a drum performance from a standard MIDI file of format 0, 1 or 2.

    Tracks of formats 0 and 1 sound together; the sequences of a format 2 file follow one another.
    Notes and CC4 of channel 10 are read; a file that has no note there is taken to be drums on
    whatever channels it uses. Two hits of one pitch at the same tick are one hit, the louder.

    Raises:
        InputError: the file is missing, empty, not MIDI or corrupt; names the file.
    """
    with _naming(path):
        return _to_performance(_read(Path(path)))


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Whatever a bad file makes mido raise becomes an InputError that names it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read as a MIDI file ({reason})") from error
    except Exception as error:  # EOFError, ValueError, KeyError, IndexError, ... on corrupt bytes
        reason = f"{type(error).__name__}: {error}" if str(error) else "it ends too early"
        raise InputError(f"{path}: cannot be read as a MIDI file ({reason})") from error


def _read(path: Path) -> mido.MidiFile:
    """The file with all its events on one track, in order."""
    if path.stat().st_size == 0:
        raise InputError("the file is empty (0 bytes)")
    with open(path, "rb") as handle:
        midi = mido.MidiFile(file=handle)
    if midi.ticks_per_beat <= 0:
        raise InputError("SMPTE time division is not supported; save it with ticks per beat")
    if midi.type == 2:
        track = mido.MidiTrack(message for sequence in midi.tracks for message in sequence)
    else:
        track = mido.merge_tracks(midi.tracks)
    return mido.MidiFile(type=0, ticks_per_beat=midi.ticks_per_beat, tracks=[track])


def _to_performance(midi: mido.MidiFile) -> DrumPerformance:
    events = _absolute(midi.tracks[0])
    on_channel_10 = any(_is_hit(m) and m.channel == DRUM_CHANNEL for _, m in events)
    drums = [(t, m) for t, m in events if not on_channel_10 or _on_drum_channel(m)]
    tempo = _tempo_map(events, midi.ticks_per_beat)
    on, off, pitch, velocity = _notes(drums)
    cc4 = [(t, m.value) for t, m in drums if m.type == "control_change" and m.control == _HAT_PEDAL]
    cc4_ticks, cc4_value = np.array(cc4, dtype=np.int64).reshape(-1, 2).T
    meters = _meters(events)
    end_tick = max([t for t, _ in events] + off.tolist() + [0])
    onset_sec = tempo.to_seconds(on)
    return DrumPerformance(
        onset_sec=onset_sec,
        duration_sec=tempo.to_seconds(off) - onset_sec,
        pitch=pitch,
        velocity=velocity,
        cc4_sec=tempo.to_seconds(cc4_ticks),
        cc4_value=cc4_value,
        tempo_sec=tempo.seconds,
        tempo_beats=tempo.ticks / midi.ticks_per_beat,
        tempo_bpm=60e6 / tempo.microseconds,
        meter_beats=meters[0] / midi.ticks_per_beat,
        meter_numerator=meters[1],
        meter_denominator=meters[2],
        end_sec=float(tempo.to_seconds(np.array([end_tick]))[0]),
    )


def _absolute(track: mido.MidiTrack) -> list[tuple[int, mido.Message]]:
    tick, events = 0, []
    for message in track:
        tick += message.time
        events.append((tick, message))
    return events


def _is_hit(message: mido.Message) -> bool:
    return message.type == "note_on" and message.velocity > 0


def _on_drum_channel(message: mido.Message) -> bool:
    return getattr(message, "channel", DRUM_CHANNEL) == DRUM_CHANNEL


def _tempo_map(events: list[tuple[int, mido.Message]], ticks_per_beat: int) -> _TempoMap:
    """120 beats a minute until the first tempo event; the last event of a tick counts."""
    tempi = {0: 500_000}
    for tick, message in events:
        if message.type == "set_tempo":
            if message.tempo <= 0:
                raise InputError(f"tempo of {message.tempo} microseconds a beat at tick {tick}")
            tempi[tick] = message.tempo
    return _TempoMap(np.array(list(tempi)), np.array(list(tempi.values())), ticks_per_beat)


def _meters(events: list[tuple[int, mido.Message]]) -> tuple[Ints, Ints, Ints]:
    """Ticks, numerators, denominators; 4/4 until the first time signature."""
    meters = {0: (4, 4)}
    for tick, message in events:
        if message.type == "time_signature":
            if message.numerator <= 0:
                raise InputError(f"time signature with {message.numerator} beats at tick {tick}")
            meters[tick] = (message.numerator, message.denominator)
    values = np.array(list(meters.values()), dtype=np.int64)
    return np.array(list(meters), dtype=np.int64), values[:, 0], values[:, 1]


def _notes(events: list[tuple[int, mido.Message]]) -> tuple[Ints, Ints, Ints, Ints]:
    """On tick, off tick, pitch, velocity of every hit, by tick and pitch.

    A hit ends at its note-off, at the next hit of its pitch, or at the end of the file, whichever
    comes first: drum modules strike a pitch again before they release it.
    """
    end = events[-1][0] if events else 0
    rows: list[list[int]] = []
    sounding: dict[tuple[int, int], list[int]] = {}
    for tick, message in events:
        if message.type not in ("note_on", "note_off"):
            continue
        key = (message.channel, message.note)
        if key in sounding:
            sounding.pop(key)[1] = tick
        if _is_hit(message):
            sounding[key] = [tick, end, message.note, message.velocity]
            rows.append(sounding[key])
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    table = table[np.lexsort((-table[:, 3], table[:, 2], table[:, 0]))]
    same = (np.diff(table[:, 0]) == 0) & (np.diff(table[:, 2]) == 0)
    on, off, pitch, velocity = table[np.append(True, ~same)[: len(table)]].T
    return on, off, pitch, velocity


def save_midi(performance: DrumPerformance, path: str | Path, *, ticks_per_beat: int = 480) -> None:
    """Writes a format 0 file on channel 10, whole or not at all.

    Times are rounded to ticks, so a file read by `load_midi` and saved with its own resolution
    comes back unchanged. A slice that starts inside a bar loses its place in the bar, which MIDI
    cannot say.

    Raises:
        MidigrooveError: the file cannot be written.
    """
    events: list[tuple[int, int, mido.Message]] = []  # tick, order within the tick, message

    def ticks(beats: Floats) -> list[int]:
        return np.rint(beats * ticks_per_beat).astype(np.int64).tolist()

    for tick, bpm in zip(ticks(performance.tempo_beats), performance.tempo_bpm, strict=True):
        events.append((tick, 0, mido.MetaMessage("set_tempo", tempo=round(60e6 / float(bpm)))))
    for tick, top, bottom in zip(
        ticks(np.maximum(performance.meter_beats, 0.0)),
        performance.meter_numerator.tolist(),
        performance.meter_denominator.tolist(),
        strict=True,
    ):
        meter = mido.MetaMessage("time_signature", numerator=top, denominator=bottom)
        events.append((tick, 1, meter))
    pedal = ticks(performance.seconds_to_beats(performance.cc4_sec))
    for tick, value in zip(pedal, performance.cc4_value.tolist(), strict=True):
        control = mido.Message(
            "control_change", channel=DRUM_CHANNEL, control=_HAT_PEDAL, value=value
        )
        events.append((tick, 2, control))
    events += _note_events(performance, ticks)
    events.sort(key=lambda event: event[:2])
    end = ticks(performance.seconds_to_beats(np.array([performance.end_sec])))[0]
    events.append((max(end, events[-1][0]), 5, mido.MetaMessage("end_of_track")))
    track = mido.MidiTrack()
    before = 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - before))
        before = tick
    midi = mido.MidiFile(type=0, ticks_per_beat=ticks_per_beat, tracks=[track])
    with atomic_path(path) as temporary:
        midi.save(temporary)


def _note_events(
    performance: DrumPerformance, ticks: Callable[[Floats], list[int]]
) -> list[tuple[int, int, mido.Message]]:
    """Note-ons and note-offs; a gate is at least a tick and ends where its pitch sounds again.

    Hits of one pitch that round to one tick become one, the louder.
    """
    on = ticks(performance.seconds_to_beats(performance.onset_sec))
    off = ticks(performance.seconds_to_beats(performance.onset_sec + performance.duration_sec))
    hits: dict[tuple[int, int], tuple[int, int]] = {}  # (pitch, on) -> off, velocity
    rows = zip(performance.pitch.tolist(), on, off, performance.velocity.tolist(), strict=True)
    for pitch, start, end, velocity in rows:
        if velocity > hits.get((pitch, start), (0, 0))[1]:
            hits[pitch, start] = (end, velocity)
    events: list[tuple[int, int, mido.Message]] = []
    ordered = sorted(hits)
    following = [*ordered[1:], (-1, -1)]
    for (pitch, start), (next_pitch, next_start) in zip(ordered, following, strict=True):
        end, velocity = hits[pitch, start]
        end = max(end, start + 1)
        if next_pitch == pitch:
            end = min(end, next_start)
        note = {"channel": DRUM_CHANNEL, "note": pitch}
        events.append((end, 3, mido.Message("note_off", **note)))
        events.append((start, 4, mido.Message("note_on", velocity=velocity, **note)))
    return events
