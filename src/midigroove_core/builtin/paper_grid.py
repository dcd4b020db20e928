"""The grid of the baseline paper (arXiv 2605.10281), on the exact clock, for comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core.builtin.expressive_grid import drum_map_from
from midigroove_core.builtin.frame_hits import FrameHits, PerFrameMemo, hat_steps, lay_hits
from midigroove_core.clock import FrameClock
from midigroove_core.drum_maps import DEFAULT_MAP, map_names
from midigroove_core.drum_reading import read_pedal
from midigroove_core.drums import (
    ARTICULATIONS,
    PAPER_CLASS_OF_ARTICULATION,
    PAPER_CLASSES,
    DrumMap,
)
from midigroove_core.errors import InputError
from midigroove_core.interfaces.featurizer import Grid, GridFeaturizer
from midigroove_core.midi import DrumPerformance

_C = len(PAPER_CLASSES)
_REACH = 2
"""Frames to each side that a soft hit reaches."""


@dataclass(frozen=True)
class _Prepared:
    hits: FrameHits
    gate_lane: NDArray[np.int64]
    gate_first: NDArray[np.int64]
    gate_last: NDArray[np.int64]
    hat_frame: NDArray[np.int64]
    hat_openness: NDArray[np.float32]


class PaperGrid(GridFeaturizer):
    """Hit, velocity and sustain for each of the 9 classes of Gillick et al., hat and bar position.

    `hit/C` is 1 in the frame of an onset (a note that still sounds when a clip begins is not a
    hit of that clip), `velocity/C` is velocity / 127 of the louder hit there, `sustain/C` is 1
    from the onset's frame to the frame of the note's end. `hat_openness` is as in
    `expressive_grid`; `bar_position` is the place in the bar, in [0, 1), by the file's meter.

    Args:
        drum_map: name of a built-in drum map, path of a drum map file, or its JSON.
        soft_hits: `hit/C` is a bump around the onset's frame, exp(-d^2 / 2) at d frames from it up
            to 2, the highest where bumps meet.
        velocity, sustain, pedal: whether there are `velocity/C`, `sustain/C` and `hat_openness`.

    Raises:
        InputError: a switch that is not true or false.
    """

    featurizer_id: ClassVar[str] = "paper_grid"

    def __init__(
        self,
        drum_map: str | Mapping[str, Any] = DEFAULT_MAP,
        *,
        soft_hits: bool = False,
        velocity: bool = True,
        sustain: bool = True,
        pedal: bool = True,
    ) -> None:
        self._switches = {
            "soft_hits": soft_hits, "velocity": velocity, "sustain": sustain, "pedal": pedal
        }  # fmt: skip
        for name, value in self._switches.items():
            if not isinstance(value, bool):
                raise InputError(f"paper_grid: {name} must be true or false, got {value!r}")
        found = drum_map_from(drum_map)
        self.drum_map: DrumMap = found
        self._config_map = drum_map if drum_map in map_names() else found.to_json()
        names = np.array([*ARTICULATIONS, None], dtype=object)
        self._articulation = names[found.articulation_table()]
        classes = [PAPER_CLASS_OF_ARTICULATION.get(a) for a in self._articulation]
        lanes = [PAPER_CLASSES.index(c) if c is not None else -1 for c in classes]
        self._lane_of_pitch = np.array(lanes, dtype=np.int64)
        kinds = ["hit", *(kind for kind in ("velocity", "sustain") if self._switches[kind])]
        rows = [f"{kind}/{c}" for kind in kinds for c in PAPER_CLASSES]
        self._names = (*rows, *(["hat_openness"] if pedal else []), "bar_position")
        self._block = {kind: slice(i * _C, (i + 1) * _C) for i, kind in enumerate(kinds)}
        self._memo: PerFrameMemo[_Prepared] = PerFrameMemo()

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self._names

    def get_config(self) -> dict[str, Any]:
        return {"drum_map": self._config_map, **self._switches}

    def featurize(
        self, performance: DrumPerformance, clock: FrameClock, start_frame: int, num_frames: int
    ) -> Grid:
        values = np.zeros((len(self._names), num_frames), dtype=np.float32)
        prepared = self._prepare(performance, clock)
        frames = np.arange(start_frame, start_frame + num_frames)
        self._fill_hits(values, prepared.hits, start_frame)
        if "sustain" in self._block:
            self._fill_sustain(values[self._block["sustain"]], prepared, start_frame)
        if self._switches["pedal"]:
            held = np.searchsorted(prepared.hat_frame, frames, side="right") - 1
            values[-2] = prepared.hat_openness[held]
        values[-1] = performance.bar_position(clock.frames_to_seconds(frames))[1]
        return Grid(values, self._names, clock, start_frame)

    def _fill_hits(self, values: NDArray[np.float32], hits: FrameHits, start_frame: int) -> None:
        count = values.shape[1]
        window = hits.window(start_frame, count)
        lane, column = hits.lane[window], hits.frame[window] - start_frame
        values[lane, column] = 1.0
        if "velocity" in self._block:
            values[self._block["velocity"]][lane, column] = hits.velocity[window]
        if self._switches["soft_hits"]:
            # Bumps of hits just outside reach in, so that a frame is the same in every window.
            window = hits.window(start_frame - _REACH, count + 2 * _REACH)
            lane, column = hits.lane[window], hits.frame[window] - start_frame
            for away in range(-_REACH, _REACH + 1):
                there = (column + away >= 0) & (column + away < count)
                height = np.float32(np.exp(-0.5 * away**2))
                np.maximum.at(values, (lane[there], column[there] + away), height)

    def _prepare(self, performance: DrumPerformance, clock: FrameClock) -> _Prepared:
        found = self._memo.get(performance, clock)
        if found is not None:
            return found
        read, _ = read_pedal(performance, self.drum_map)
        lane = self._lane_of_pitch[read.pitch]
        kept = lane >= 0
        hits = lay_hits(read, clock, self._lane_of_pitch, _C)
        first, _ = clock.split(performance.onset_sec[kept])
        last, _ = clock.split((performance.onset_sec + performance.duration_sec)[kept])
        time, openness = hat_steps(read, self._articulation[read.pitch])
        frame = np.full(len(time), np.iinfo(np.int64).min)
        frame[1:] = clock.split(time[1:])[0]
        prepared = _Prepared(hits, lane[kept], first, last, frame, openness)
        return self._memo.put(performance, clock, prepared)

    @staticmethod
    def _fill_sustain(rows: NDArray[np.float32], prepared: _Prepared, start_frame: int) -> None:
        """Sets a row to 1 from each gate's first to its last frame, by a running sum of steps."""
        count = rows.shape[1]
        first, last = prepared.gate_first - start_frame, prepared.gate_last - start_frame
        seen = (last >= 0) & (first < count)
        steps = np.zeros((len(rows), count + 1), dtype=np.int64)
        lane = prepared.gate_lane[seen]
        np.add.at(steps, (lane, np.maximum(first[seen], 0)), 1)
        np.add.at(steps, (lane, np.minimum(last[seen] + 1, count)), -1)
        rows[:] = np.cumsum(steps, axis=1)[:, :count] > 0
