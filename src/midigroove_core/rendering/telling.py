"""What a model is told of a performance: grids, conditions, a sketch, and known codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.checkpoint import Checkpoint
from midigroove_core.coding.windows import Window
from midigroove_core.drums import DrumMap, load_drum_map
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits.remap import remap
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.sketch import HeardKit


@dataclass(frozen=True)
class Told:
    """What a model is told: the performance as its grids read it, and a sketch [K, T] of it by a
    kit that it has no name for."""

    performance: DrumPerformance
    sketch: NDArray[np.int64] | None


class Teller:
    """Lays performances on the grids of a checkpoint.

    Args:
        checkpoint, codec: the model's.
        drum_map: how the performances' pitches are to be read; None reads them as the grids do.
        indices: of kit, drummer, style and beat type, as far as the model takes them.
        bpm: tempo instead of the performance's own.
        heard: a kit that the model has no name for.

    Attributes:
        drum_map: how pitches are read.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        codec: Codec,
        drum_map: DrumMap | None,
        indices: Mapping[str, int],
        bpm: float | None,
        heard: HeardKit | None,
    ) -> None:
        self._checkpoint, self._codec = checkpoint, codec
        self._grid_map = checkpoint.featurizer.drum_map or load_drum_map()
        self.drum_map = drum_map or self._grid_map
        self._indices, self._bpm, self._heard = indices, bpm, heard

    def told(self, performance: DrumPerformance, windows: list[Window], progress: Progress) -> Told:
        """What of a performance the model is told, for all of its windows."""
        moved, substitutes = remap(performance, self.drum_map.plain, self._grid_map.plain)
        line = substitutes.line("the model")
        if line is not None:
            progress.message(line)
        if self._grid_map.pedal_down == "low":
            moved = replace(moved, cc4_value=127 - moved.cc4_value)
        if self._heard is None:
            return Told(moved, None)
        frames = windows[-1].stop
        return Told(moved, self._heard.sketch(moved, self._grid_map, self._codec, frames))

    def batch(self, told: Told, windows: list[Window]) -> GridBatch:
        """A batch of some windows, with nothing known."""
        clock, sketch = self._codec.clock, told.sketch
        grids = [
            self._checkpoint.featurizer.featurize(
                told.performance, clock, window.start, window.stop - window.start
            ).values
            for window in windows
        ]
        grid = torch.from_numpy(np.stack(grids))
        return GridBatch(
            grid=grid,
            mask=torch.ones(grid.shape[0], grid.shape[2], dtype=torch.bool),
            conditions=self._conditions(told.performance, windows),
            start_frame=torch.tensor([window.start for window in windows]),
            sketch=None
            if sketch is None
            else torch.from_numpy(np.stack([sketch[:, w.start : w.stop] for w in windows])),
        )

    def _conditions(
        self, performance: DrumPerformance, windows: list[Window]
    ) -> dict[str, torch.Tensor]:
        values: dict[str, torch.Tensor] = {}
        for name in self._checkpoint.model.conditions:
            if name == "bpm":
                centres = [(window.start + window.stop) / 2 for window in windows]
                seconds = self._codec.clock.frames_to_seconds(centres)
                bpm = performance.bpm_at(seconds)
                if self._bpm is not None:
                    bpm = np.full(len(windows), self._bpm)
                values[name] = torch.from_numpy(bpm.astype(np.float32))
            else:
                index = self._indices.get(name, -1)
                values[name] = torch.full((len(windows),), index, dtype=torch.int64)
        return values


def begin_with(batch: GridBatch, codes: NDArray[np.int64]) -> GridBatch:
    """A batch of one window whose first frames are known: codes [K, T] of them."""
    missing = batch.grid.shape[2] - codes.shape[1]
    known = np.arange(batch.grid.shape[2]) < codes.shape[1]
    return with_known(batch, np.pad(codes, ((0, 0), (0, missing))), known)


def with_known(batch: GridBatch, codes: NDArray[np.int64], known: NDArray[np.bool_]) -> GridBatch:
    """A batch of one window with codes [K, T]; those of `known` frames [T] are kept."""
    return replace(
        batch, codes=torch.from_numpy(codes * known)[None], known=torch.from_numpy(known)[None]
    )
