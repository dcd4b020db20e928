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
from midigroove_core.interfaces.featurizer import Grid, GridFeaturizer
from midigroove_core.midi import DrumPerformance

_C = len(PAPER_CLASSES)


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
    """

    featurizer_id: ClassVar[str] = "paper_grid"

    def __init__(self, drum_map: str | Mapping[str, Any] = DEFAULT_MAP) -> None:
        found = drum_map_from(drum_map)
        self.drum_map: DrumMap = found
        self._config_map = drum_map if drum_map in map_names() else found.to_json()
        names = np.array([*ARTICULATIONS, None], dtype=object)
        self._articulation = names[found.articulation_table()]
        classes = [PAPER_CLASS_OF_ARTICULATION.get(a) for a in self._articulation]
        lanes = [PAPER_CLASSES.index(c) if c is not None else -1 for c in classes]
        self._lane_of_pitch = np.array(lanes, dtype=np.int64)
        kinds = ("hit", "velocity", "sustain")
        self._names = tuple(f"{kind}/{c}" for kind in kinds for c in PAPER_CLASSES)
        self._names += ("hat_openness", "bar_position")
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
        prepared = self._prepare(performance, clock)
        frames = np.arange(start_frame, start_frame + num_frames)
        hits = prepared.hits
        window = hits.window(start_frame, num_frames)
        lane, column = hits.lane[window], hits.frame[window] - start_frame
        values[lane, column] = 1.0
        values[_C + lane, column] = hits.velocity[window]
        self._fill_sustain(values[2 * _C : 3 * _C], prepared, start_frame)
        held = np.searchsorted(prepared.hat_frame, frames, side="right") - 1
        values[3 * _C] = prepared.hat_openness[held]
        values[3 * _C + 1] = performance.bar_position(clock.frames_to_seconds(frames))[1]
        return Grid(values, self._names, clock, start_frame)

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
