"""Tempo and meter of a MIDI file: ticks to seconds and beats."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.midi_file import LAST_TICK, MidiFile
from midigroove_core.performance import Floats, Ints

_MOST_DENOMINATOR = 7  # of two, as meters are written: 128th notes


@dataclass(frozen=True)
class TempoMap:
    """Ticks to seconds and beats; segment i starts at ticks[i]."""

    ticks: Ints
    microseconds: Ints
    ticks_per_beat: int
    sec_per_tick: Fraction

    @property
    def seconds(self) -> Floats:
        if self.sec_per_tick:
            return self.ticks * np.float64(self.sec_per_tick)
        lengths: Floats = np.diff(self.ticks) * self.microseconds[:-1] / (self.ticks_per_beat * 1e6)
        return np.concatenate([np.zeros(1), np.cumsum(lengths, dtype=np.float64)])

    @property
    def beats(self) -> Floats:
        if not self.sec_per_tick:
            return self.ticks / self.ticks_per_beat
        lengths = np.diff(self.seconds) * 1e6 / self.microseconds[:-1]
        return np.concatenate([np.zeros(1), np.cumsum(lengths, dtype=np.float64)])

    def to_seconds(self, ticks: Ints) -> Floats:
        if self.sec_per_tick:
            return np.asarray(ticks, dtype=np.float64) * np.float64(self.sec_per_tick)
        i = np.searchsorted(self.ticks, ticks, side="right") - 1
        elapsed: Ints = (ticks - self.ticks[i]) * self.microseconds[i]
        return self.seconds[i] + elapsed / (self.ticks_per_beat * 1e6)

    def to_beats(self, ticks: Ints) -> Floats:
        if not self.sec_per_tick:
            return ticks / self.ticks_per_beat
        i = np.searchsorted(self.ticks, ticks, side="right") - 1
        elapsed = (ticks - self.ticks[i]) * float(self.sec_per_tick)
        return self.beats[i] + elapsed * 1e6 / self.microseconds[i]


def tempo_map(midi: MidiFile, tempi: list[tuple[int, bytes]], lines: list[str]) -> TempoMap:
    """120 beats a minute until the first tempo event; the last event of a tick counts.

    Args:
        midi: says what a tick is.
        tempi: (tick, data) of the tempo events, in order.
        lines: what is odd about them is added here.

    Raises:
        InputError: a tempo of 0 microseconds a beat.
    """
    found = {0: 500_000}
    for tick, data in tempi:
        microseconds = _tempo(data)
        if microseconds is None:
            _once(lines, f"a tempo event of {len(data)} bytes was left out")
        elif microseconds == 0:
            raise InputError(f"tempo of 0 microseconds a beat at tick {tick}")
        elif tick <= LAST_TICK:
            found[tick] = microseconds
    ticks, values = np.array(list(found)), np.array(list(found.values()))
    return TempoMap(ticks, values, midi.ticks_per_beat, midi.sec_per_tick)


def _tempo(data: bytes) -> int | None:
    """Microseconds a beat; longer events count where the bytes beyond three are zeros."""
    if len(data) > 3 and not any(data[:-3]):
        data = data[-3:]
    elif len(data) > 3 and not any(data[3:]):
        data = data[:3]
    return int.from_bytes(data, "big") if len(data) == 3 else None


def meters_of(events: list[tuple[int, bytes]], lines: list[str]) -> tuple[Ints, Ints, Ints]:
    """Ticks, numerators, denominators; 4/4 until the first time signature that makes sense."""
    meters = {0: (4, 4)}
    for tick, data in events:
        if len(data) < 2:
            _once(lines, f"a time signature of {len(data)} bytes was left out")
        elif data[0] == 0 or data[1] > _MOST_DENOMINATOR:
            _once(lines, f"a time signature of {data[0]}/2^{data[1]} was left out")
        elif tick <= LAST_TICK:
            meters[tick] = (data[0], 1 << data[1])
    values = np.array(list(meters.values()), dtype=np.int64)
    return np.array(list(meters), dtype=np.int64), values[:, 0], values[:, 1]


def _once(lines: list[str], line: str) -> None:
    if line not in lines:
        lines.append(line)
