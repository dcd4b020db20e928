"""Performances for other tools: partitura's objects and its note arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.performance import DrumPerformance
from midigroove_core.score.partitura_lazy import partitura, without_warnings

DRUM_CHANNEL = 9

NOTE_FIELDS = [
    ("onset_sec", "f4"), ("duration_sec", "f4"), ("onset_tick", "i4"), ("duration_tick", "i4"),
    ("pitch", "i4"), ("velocity", "i4"), ("track", "i4"), ("channel", "i4"), ("id", "U256"),
]  # fmt: skip
"""The fields of partitura's note arrays of performances."""


def note_array(performance: DrumPerformance, *, ticks_per_beat: int = 480) -> NDArray[np.void]:
    """The hits as a structured array with partitura's fields; needs no partitura.

    Ticks count from the beginning by the performance's own tempo map.
    """
    array = np.zeros(performance.num_hits, dtype=NOTE_FIELDS)
    end_sec = performance.onset_sec + performance.duration_sec
    on = np.rint(performance.seconds_to_beats(performance.onset_sec) * ticks_per_beat)
    off = np.rint(performance.seconds_to_beats(end_sec) * ticks_per_beat)
    array["onset_sec"] = performance.onset_sec
    array["duration_sec"] = performance.duration_sec
    array["onset_tick"] = on
    array["duration_tick"] = off - on
    array["pitch"] = performance.pitch
    array["velocity"] = performance.velocity
    array["channel"] = DRUM_CHANNEL
    array["id"] = [f"n{index}" for index in range(performance.num_hits)]
    return array


def to_partitura(performance: DrumPerformance, *, ticks_per_beat: int = 480) -> Any:
    """A `partitura.performance.Performance` of one part: every hit, and the pedal as controls.

    partitura keeps one tempo for a performance; its seconds are exact, its ticks those of the
    first tempo.

    Raises:
        MidigrooveError: partitura cannot be imported.
    """
    module = partitura()
    notes = [
        {
            "id": f"n{index}", "midi_pitch": int(pitch), "note_on": float(onset),
            "note_off": float(onset + duration), "velocity": int(velocity), "track": 0,
            "channel": DRUM_CHANNEL,
        }
        for index, (pitch, onset, duration, velocity) in enumerate(
            zip(
                performance.pitch, performance.onset_sec, performance.duration_sec,
                performance.velocity, strict=True,
            )
        )
    ]  # fmt: skip
    controls = [
        {"time": float(sec), "number": 4, "value": int(value), "track": 0, "channel": DRUM_CHANNEL}
        for sec, value in zip(performance.cc4_sec, performance.cc4_value, strict=True)
    ]
    with without_warnings():
        part = module.performance.PerformedPart(
            notes=notes,
            id="P1",
            part_name="Drum Set",
            controls=controls,
            ppq=ticks_per_beat,
            mpq=round(60e6 / float(performance.tempo_bpm[0])),
        )
        return module.performance.Performance(id="performance", performedparts=[part])
