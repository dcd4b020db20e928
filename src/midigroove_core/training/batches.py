"""Reads the batches of a run: each a function of the seed and its step alone.

Several processes, or one that has little memory, cut a batch into parts; what is drawn at random
for a clip is then what it would be in the whole batch.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, ClipReader
from midigroove_core.errors import InputError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.featurizer import GridFeaturizer
from midigroove_core.interfaces.model import Model
from midigroove_core.training.config import TrainConfig
from midigroove_core.training.distributed import Cut
from midigroove_core.training.windows import Windows, hide_conditions, mask_grid

_AHEAD = 4
"""Batches that each process keeps ready."""


@dataclass(frozen=True)
class Part:
    """A part of the batch of a step.

    Attributes:
        batch: some of its clips.
        share: of the frames of the whole batch: a mean over all of them is the sum of the parts'
            means, times these.
    """

    batch: GridBatch
    share: float


@dataclass(frozen=True)
class Batches(Dataset[Part]):
    """The training batches of a run by step, and its validation batches.

    Attributes:
        reader: reads clips.
        windows: which clips.
        cut: the parts of a batch.
        condition_dropout, mask_grid, hide_sketch: see `TrainConfig`.
    """

    reader: ClipReader
    windows: Windows
    cut: Cut
    condition_dropout: float
    mask_grid: float = 0.0
    hide_sketch: float = 0.0

    def __getitem__(self, turn: tuple[int, int]) -> Part:
        """A part of the batch of a step, with some conditions, grid rows and sketches hidden.

        Args:
            turn: number of the step, and of the part.
        """
        step, part = turn
        windows, mine = self.windows, slice(part, None, self.cut.parts)
        clips = windows.clips(step)
        context = 0 if windows.crop_frames else windows.context_frames
        rng = np.random.default_rng([windows.seed, 3, step])
        heard = rng.random(len(clips))[mine] >= self.hide_sketch
        batch = self._batch(clips[mine], context, heard)
        rng = np.random.default_rng([windows.seed, 2, step])
        hidden = {
            name: rng.random(len(clips))[mine] < self.condition_dropout
            for name in sorted(batch.conditions)
        }
        batch = hide_conditions(batch, hidden)
        if self.mask_grid > 0:
            places = range(len(clips))[mine]
            rngs = [np.random.default_rng([windows.seed, 4, step, place]) for place in places]
            batch = mask_grid(batch, self.mask_grid, rngs)
        frames = [clip.num_frames + min(context, clip.start_frame) for clip in clips]
        return Part(batch, sum(frames[mine]) / sum(frames))

    def validation(self, rank: int = 0, world: int = 1) -> Iterator[tuple[int, GridBatch]]:
        """All validation clips in numbered batches; of these every `world`-th from `rank` on."""
        size, valid = self.windows.batch_size, self.windows.valid
        starts = range(0, len(valid), size)
        for number in range(rank, len(starts), world):
            clips = valid[starts[number] : starts[number] + size]
            yield number, self._batch(clips, self.windows.context_frames, np.ones(len(clips), bool))

    def _batch(self, clips: list[Clip], context: int, heard: NDArray[np.bool_]) -> GridBatch:
        read = [self.reader.read(clip, context) for clip in clips]
        return self.reader.collate(
            [
                arrays if keep else replace(arrays, sketch=None)
                for arrays, keep in zip(read, heard, strict=True)
            ]
        )


def make_batches(
    config: TrainConfig,
    cache: Cache,
    featurizer: GridFeaturizer,
    model: Model,
    windows: Windows,
    cut: Cut,
) -> Batches:
    """The batches that a model is trained on, and those it is measured on."""
    names = model.spec.vocabularies
    if config.sketches and not model.uses_sketch:
        raise InputError(f"`sketches`: a model {model.model_id} with these arguments hears none")
    sketches = Cache.open(config.sketches) if config.sketches else None
    reader = ClipReader(cache, featurizer, names, model.conditions, sketches=sketches)
    hidden = (config.condition_dropout, config.mask_grid, config.hide_sketch)
    return Batches(reader, windows, cut, *hidden)


def read_ahead(batches: Batches, step: int, workers: int) -> Generator[Part]:
    """This process's parts of the batches of this step and all after it, each read while the one
    before is trained on.

    Args:
        batches: by step.
        step: the first.
        workers: processes that read; 0 is a thread.
    """
    if workers:
        yield from DataLoader(
            batches, batch_size=None, sampler=_TurnsFrom(step, batches.cut), num_workers=workers,
            prefetch_factor=_AHEAD,
        )  # fmt: skip
    turns = iter(_TurnsFrom(step, batches.cut))
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead = pool.submit(batches.__getitem__, next(turns))
        for turn in turns:
            part = ahead.result()
            ahead = pool.submit(batches.__getitem__, turn)
            yield part


@dataclass(frozen=True)
class _TurnsFrom:
    """All steps from one on, each with this process's parts of its batch; a loop over them ends
    when training does."""

    first: int
    cut: Cut

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for step in count(self.first):
            for part in self.cut.mine:
                yield step, part
