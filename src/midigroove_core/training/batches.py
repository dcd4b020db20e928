"""Reads the batches of a run: each a function of the seed and its step alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from torch.utils.data import DataLoader, Dataset

from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, ClipArrays, ClipReader
from midigroove_core.cache.references import References
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.featurizer import GridFeaturizer
from midigroove_core.interfaces.model import Model
from midigroove_core.training.config import TrainConfig
from midigroove_core.training.windows import Windows, hide_conditions

_AHEAD = 4
"""Batches that each process keeps ready."""


@dataclass(frozen=True)
class Batches(Dataset[GridBatch]):
    """The training batches of a run by step, and its validation batches.

    Attributes:
        reader: reads clips.
        windows: which clips.
        references: where kits are heard, for models that use that.
        condition_dropout, hide_reference: see `TrainConfig`.
    """

    reader: ClipReader
    windows: Windows
    condition_dropout: float
    references: References | None = None
    hide_reference: float = 0.0

    def __getitem__(self, step: int) -> GridBatch:
        """The batch of a step, with some conditions and references hidden."""
        windows = self.windows
        clips = windows.clips(step)
        context = 0 if windows.crop_frames else windows.context_frames
        rng = np.random.default_rng([windows.seed, 3, step])
        heard = [
            None
            if self.references is None or rng.random() < self.hide_reference
            else self.references.drawn(clip.entry_index, rng)
            for clip in clips
        ]
        rng = np.random.default_rng([windows.seed, 2, step])
        return hide_conditions(self._batch(clips, context, heard), self.condition_dropout, rng)

    def validation(self) -> list[GridBatch]:
        """All validation clips, in batches."""
        size, valid = self.windows.batch_size, self.windows.valid
        batches = []
        for at in range(0, len(valid), size):
            clips = valid[at : at + size]
            heard = [self._fixed(clip) for clip in clips]
            batches.append(self._batch(clips, self.windows.context_frames, heard))
        return batches

    def _fixed(self, clip: Clip) -> Clip | None:
        return None if self.references is None else self.references.fixed(clip.entry_index)

    def _batch(self, clips: list[Clip], context: int, heard: list[Clip | None]) -> GridBatch:
        read = [self.reader.read(clip, context) for clip in clips]
        references: list[ClipArrays | None] = [
            None if clip is None else self.reader.read(clip) for clip in heard
        ]
        return self.reader.collate(read, references)


def make_batches(
    config: TrainConfig, cache: Cache, featurizer: GridFeaturizer, model: Model, windows: Windows
) -> Batches:
    """The batches that a model is trained on, and those it is measured on."""
    reader = ClipReader(cache, featurizer, model.spec.vocabularies, model.conditions)
    if not model.uses_reference:
        return Batches(reader, windows, config.condition_dropout)
    frames = round(float(cache.clock.seconds_to_frames(config.reference_sec)))
    references = References(cache, max(1, frames))
    return Batches(reader, windows, config.condition_dropout, references, config.hide_reference)


def read_ahead(batches: Batches, step: int, workers: int) -> Iterator[GridBatch]:
    """The batches of this step and all after it, read while the one before is trained on.

    Args:
        batches: by step.
        step: the first.
        workers: processes that read; 0 is a thread.
    """
    if workers:
        yield from DataLoader(
            batches, batch_size=None, sampler=_StepsFrom(step), num_workers=workers,
            prefetch_factor=_AHEAD,
        )  # fmt: skip
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead = pool.submit(batches.__getitem__, step)
        while True:
            batch = ahead.result()
            step += 1
            ahead = pool.submit(batches.__getitem__, step)
            yield batch


@dataclass(frozen=True)
class _StepsFrom:
    """All steps from one on; a loop over them ends when training does."""

    first: int

    def __iter__(self) -> Iterator[int]:
        step = self.first
        while True:
            yield step
            step += 1
