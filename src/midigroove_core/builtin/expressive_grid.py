"""The default grid: every articulation with its exact time, its loudness and its tail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core.builtin.frame_hits import FrameHits, PerFrameMemo, hat_steps, lay_hits
from midigroove_core.clock import FrameClock
from midigroove_core.drum_maps import DEFAULT_MAP, map_names
from midigroove_core.drum_reading import read_pedal
from midigroove_core.drums import ARTICULATIONS, DrumMap, load_drum_map
from midigroove_core.interfaces.featurizer import Grid, GridFeaturizer
from midigroove_core.midi import DrumPerformance

_LANE_KINDS = ("onset", "velocity", "offset", "recency", "last_velocity")
_SHARED_ROWS = (
    "hat_openness", "bar_sin", "bar_cos", "beat_sin", "beat_cos", "log_tempo",
)  # fmt: skip
_L = len(ARTICULATIONS)

RECENCY_UNIT_SEC = 0.01
RECENCY_HORIZON_SEC = 6.0
"""A hit fades out of the recency lanes over this time; the longest cymbals ring about as long."""


@dataclass(frozen=True)
class _MeterLine:
    """Bar and beat as straight lines between changes of tempo or meter: [P] values at each start.

    Attributes:
        start_sec: where each piece starts; the first also holds before its start.
        bar, beat: place in bars and in quarter notes at the start.
        bars_per_sec, beats_per_sec: slopes.
    """

    start_sec: NDArray[np.float64]
    bar: NDArray[np.float64]
    beat: NDArray[np.float64]
    bars_per_sec: NDArray[np.float64]
    beats_per_sec: NDArray[np.float64]

    @classmethod
    def of(cls, performance: DrumPerformance) -> _MeterLine:
        meter_sec = performance.beats_to_seconds(performance.meter_beats)
        start_sec = np.unique(np.concatenate([performance.tempo_sec, meter_sec]))
        beats_per_sec = performance.bpm_at(start_sec) / 60.0
        bar_beats = performance.meter_numerator * 4.0 / performance.meter_denominator
        meter = np.searchsorted(meter_sec, start_sec, side="right") - 1
        bars_per_sec = beats_per_sec / bar_beats[np.maximum(meter, 0)]
        _, bar = performance.bar_position(start_sec)
        beat = performance.seconds_to_beats(start_sec)
        return cls(start_sec, bar, beat, bars_per_sec, beats_per_sec)

    def fill(self, rows: NDArray[np.float32], seconds: NDArray[np.float64]) -> None:
        """Sine and cosine of bar and beat, and log2(bpm / 120), at each time: rows [5, T]."""
        piece = np.maximum(np.searchsorted(self.start_sec, seconds, side="right") - 1, 0)
        elapsed = seconds - self.start_sec[piece]
        turns = np.empty((2, len(seconds)))
        turns[0] = self.bar[piece] + elapsed * self.bars_per_sec[piece]
        turns[1] = self.beat[piece] + elapsed * self.beats_per_sec[piece]
        angle = (2 * np.pi * (turns - np.floor(turns))).astype(np.float32)
        np.sin(angle, out=rows[0:4:2])
        np.cos(angle, out=rows[1:4:2])
        rows[4] = np.log2(self.beats_per_sec / 2.0)[piece]


@dataclass(frozen=True)
class _Prepared:
    hits: FrameHits
    hat_frame: NDArray[np.int64]
    hat_openness: NDArray[np.float32]
    meter: _MeterLine


class ExpressiveGrid(GridFeaturizer):
    """Five lanes per articulation, and six rows for the hi-hat pedal, the bar and the tempo.

    For each of `drums.ARTICULATIONS`, at frame t:

    - `onset/A`: hits in the frame (0, 1, rarely 2).
    - `velocity/A`: velocity / 127 of the loudest of them, 0 without a hit.
    - `offset/A`: place of the first of them inside the frame, in [0, 1).
    - `recency/A`: how recent the last hit is at the end of the frame, from 1 (now) to 0 (never, or
      more than 6 s ago), logarithmic: 1 - log(1 + dt / 10 ms) / log(1 + 6 s / 10 ms). It shows
      tails of hits from before the clip.
    - `last_velocity/A`: that hit's velocity / 127, 0 where recency is 0.

    And `hat_openness` (0 closed to 1 open, from CC4, the last value held; see
    `frame_hits.hat_steps`), sine and cosine of the place in the bar (from the file's meter) and in
    the quarter note, and `log_tempo` = log2(bpm / 120).

    Every row is a function of absolute time, so a frame looks the same through any clip.

    Args:
        drum_map: name of a built-in drum map, path of a drum map file, or its JSON.
    """

    featurizer_id: ClassVar[str] = "expressive_grid"

    def __init__(self, drum_map: str | Mapping[str, Any] = DEFAULT_MAP) -> None:
        self.drum_map: DrumMap = drum_map_from(drum_map)
        self._config_map = drum_map if drum_map in map_names() else self.drum_map.to_json()
        self._lane_of_pitch = np.array(self.drum_map.articulation_table(), dtype=np.int64)
        self._names = tuple(f"{kind}/{a}" for kind in _LANE_KINDS for a in ARTICULATIONS)
        self._names += _SHARED_ROWS
        self._memo: PerFrameMemo[_Prepared] = PerFrameMemo()

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self._names

    def get_config(self) -> dict[str, Any]:
        return {"drum_map": self._config_map}

    def featurize(
        self, performance: DrumPerformance, clock: FrameClock, start_frame: int, num_frames: int
    ) -> Grid:
        values = np.zeros((len(self._names), num_frames), dtype=np.float32)
        if num_frames:
            prepared = self._prepare(performance, clock)
            frames = np.arange(start_frame, start_frame + num_frames)
            self._fill_hits(values, prepared.hits, clock, frames)
            held = np.searchsorted(prepared.hat_frame, frames, side="right") - 1
            values[5 * _L] = prepared.hat_openness[held]
            prepared.meter.fill(values[5 * _L + 1 :], clock.frames_to_seconds(frames))
        return Grid(values, self._names, clock, start_frame)

    def _prepare(self, performance: DrumPerformance, clock: FrameClock) -> _Prepared:
        found = self._memo.get(performance, clock)
        if found is not None:
            return found
        read, _ = read_pedal(performance, self.drum_map)
        hits = lay_hits(read, clock, self._lane_of_pitch, _L)
        names = np.array([*ARTICULATIONS, None], dtype=object)[self._lane_of_pitch]
        time, openness = hat_steps(read, names[read.pitch])
        frame = np.full(len(time), np.iinfo(np.int64).min)
        frame[1:] = clock.split(time[1:])[0]
        prepared = _Prepared(hits, frame, openness, _MeterLine.of(performance))
        return self._memo.put(performance, clock, prepared)

    @staticmethod
    def _fill_hits(
        values: NDArray[np.float32], hits: FrameHits, clock: FrameClock, frames: NDArray[np.int64]
    ) -> None:
        start, count = int(frames[0]), len(frames)
        window = hits.window(start, count)
        lane, column = hits.lane[window], hits.frame[window] - start
        values[lane, column] = hits.count[window]
        values[_L + lane, column] = hits.velocity[window]
        values[2 * _L + lane, column] = hits.offset[window]
        last = hits.last(start, count, window)
        ends = clock.frames_to_seconds(frames + 1)
        since_sec = (ends - hits.onset_sec[last]).astype(np.float32)
        recency = values[3 * _L : 4 * _L]
        np.log(1.0 + since_sec * (1.0 / RECENCY_UNIT_SEC), out=recency)
        recency *= -1.0 / math.log1p(RECENCY_HORIZON_SEC / RECENCY_UNIT_SEC)
        recency += 1.0
        np.maximum(recency, 0.0, out=recency)
        np.multiply(hits.velocity[last], recency > 0.0, out=values[4 * _L : 5 * _L])


def drum_map_from(drum_map: str | Mapping[str, Any]) -> DrumMap:
    """A drum map from a featurizer's argument: a name, a file, or its JSON.

    Raises:
        InputError: neither; names the field.
    """
    if isinstance(drum_map, str):
        return load_drum_map(drum_map)
    return DrumMap.from_json("custom", drum_map)
