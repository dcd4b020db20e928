"""Performances written as standard MIDI files: `save_midi`."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from midigroove_core.atomic import write_bytes
from midigroove_core.drum_parts import DRUM_CHANNEL
from midigroove_core.midi_track import HAT_PEDAL
from midigroove_core.performance import DrumPerformance, Floats

if TYPE_CHECKING:
    import mido


def save_midi(performance: DrumPerformance, path: str | Path, *, ticks_per_beat: int = 480) -> None:
    """Writes a format 0 file on channel 10, whole or not at all.

    Times are rounded to ticks, so a file read by `load_midi` and saved with its own resolution
    comes back unchanged. A slice that starts inside a bar loses its place in the bar, which MIDI
    cannot say.

    Raises:
        MidigrooveError: the file cannot be written.
    """
    write_bytes(path, midi_bytes(performance, ticks_per_beat=ticks_per_beat))


def midi_bytes(performance: DrumPerformance, *, ticks_per_beat: int = 480) -> bytes:
    """What `save_midi` writes."""
    import mido

    channel = DRUM_CHANNEL - 1  # mido counts from 0
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
        control = mido.Message("control_change", channel=channel, control=HAT_PEDAL, value=value)
        events.append((tick, 2, control))
    grabbed = ticks(performance.seconds_to_beats(performance.choke_sec))
    for tick, pitch in zip(grabbed, performance.choke_pitch.tolist(), strict=True):
        for pressure in (127, 0):
            choke = mido.Message("polytouch", channel=channel, note=pitch, value=pressure)
            events.append((tick, 2, choke))
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
    written = BytesIO()
    midi.save(file=written)
    return written.getvalue()


def _note_events(
    performance: DrumPerformance, ticks: Callable[[Floats], list[int]]
) -> list[tuple[int, int, mido.Message]]:
    """Note-ons and note-offs; a gate is at least a tick and ends where its pitch sounds again.

    Hits of one pitch that round to one tick become one, the louder.
    """
    import mido

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
        note = {"channel": DRUM_CHANNEL - 1, "note": pitch}
        events.append((end, 3, mido.Message("note_off", **note)))
        events.append((start, 4, mido.Message("note_on", velocity=velocity, **note)))
    return events
