"""Expressive drum performances: notes in seconds, velocity, CC4, tempo and meter."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DrumPerformance:
    """One drum performance; arrays of one group have equal lengths and are sorted by time.

    Attributes:
        onset_sec: [N] hit times, >= 0; ties keep the order of the file.
        duration_sec: [N] gate lengths, >= 0 (drum modules send a constant, so they mean little).
        pitch: [N] MIDI pitches 0..127, as the file has them (no drum map applied).
        velocity: [N] 1..127.
        cc4_sec, cc4_value: [M] hi-hat pedal positions; high = pedal down = closed.
        tempo_sec, tempo_beats, tempo_bpm: [P >= 1] tempo map; segment i starts at tempo_sec[i] =
            tempo_beats[i] quarter notes; tempo_sec[0] == 0.
        meter_beats, meter_numerator, meter_denominator: [Q >= 1] time signatures from
            meter_beats[i] quarter notes on; meter_beats[0] == 0.
        end_sec: end of the performance (last event of the file, at least the last note's end).
    """

    onset_sec: Floats
    duration_sec: Floats
    pitch: Ints
    velocity: Ints
    cc4_sec: Floats = field(default_factory=lambda: np.zeros(0))
    cc4_value: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tempo_sec: Floats = field(default_factory=lambda: np.zeros(1))
    tempo_beats: Floats = field(default_factory=lambda: np.zeros(1))
    tempo_bpm: Floats = field(default_factory=lambda: np.full(1, 120.0))
    meter_beats: Floats = field(default_factory=lambda: np.zeros(1))
    meter_numerator: Ints = field(default_factory=lambda: np.full(1, 4))
    meter_denominator: Ints = field(default_factory=lambda: np.full(1, 4))
    end_sec: float = 0.0

    def __post_init__(self) -> None:
        groups = (
            ("onset_sec", "duration_sec", "pitch", "velocity"),
            ("cc4_sec", "cc4_value"),
            ("tempo_sec", "tempo_beats", "tempo_bpm"),
            ("meter_beats", "meter_numerator", "meter_denominator"),
        )
        for names in groups:
            lengths = {len(getattr(self, name)) for name in names}
            if len(lengths) != 1:
                raise InputError(f"DrumPerformance: {', '.join(names)} differ in length")
        if np.any(np.diff(self.onset_sec) < 0) or np.any(np.diff(self.cc4_sec) < 0):
            raise InputError("DrumPerformance: events are not sorted by time")

    @property
    def num_hits(self) -> int:
        """Number of hits N."""
        return len(self.onset_sec)
