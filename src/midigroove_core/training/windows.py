"""Which clips a step trains on: a function of the seed and the step alone, so resuming is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, clips_of
from midigroove_core.cache.cutting import Cutting
from midigroove_core.drums import ARTICULATIONS, DrumMap, load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.names import find_names
from midigroove_core.takes.draw import sample, strata_of
from midigroove_core.training.config import TrainConfig

_POOL = 8
"""Batches whose clips are sorted by length together: less padding, and still random."""

BALANCE_POWER = 0.25
"""0 would give every articulation as many crops as any other, 1 as many as it has hits."""


@dataclass(frozen=True)
class Windows:
    """The clips of a run and the order in which it trains on them.

    Attributes:
        train: training clips; in "crops" mode whole takes, from which crops are taken.
        valid: clips to measure on, sorted by length.
        context_frames: frames read before each clip.
        crop_frames: length of a crop; 0 trains on the clips as they are.
        batch_size, seed: from the configuration.
        balance: share of crops that are drawn around hits of an articulation in turn.
        hits: for each articulation that is struck, [N, 2]: place in `train`, and frame.
    """

    train: list[Clip]
    valid: list[Clip]
    context_frames: int
    crop_frames: int
    batch_size: int
    seed: int
    balance: float = 0.0
    hits: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False)
    _epoch: dict[int, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which each clip, or as many frames as there are, is seen once."""
        if self.crop_frames:
            frames = sum(clip.num_frames for clip in self.train)
            return max(1, frames // (self.crop_frames * self.batch_size))
        return max(1, len(self.train) // self.batch_size)

    @property
    def typical_frames(self) -> int:
        """A length that nine in ten windows do not exceed, context included."""
        if self.crop_frames:
            return self.crop_frames
        lengths = [
            clip.num_frames + min(self.context_frames, clip.start_frame) for clip in self.train
        ]
        return int(np.quantile(lengths, 0.9, method="lower"))

    def clips(self, step: int) -> list[Clip]:
        """The clips of a step, counted from 0."""
        if self.crop_frames:
            return self._crops(step)
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch not in self._epoch:
            self._epoch.clear()
            self._epoch[epoch] = self._batches(epoch)
        return [self.train[index] for index in self._epoch[epoch][place]]

    def _batches(self, epoch: int) -> NDArray[np.int64]:
        """Indices [steps_per_epoch, batch_size] into the training clips."""
        rng = np.random.default_rng([self.seed, 0, epoch])
        size = self.batch_size
        order = rng.permutation(len(self.train))
        order = np.resize(order, self.steps_per_epoch * size)  # repeats clips when there are few
        lengths = np.array([clip.num_frames for clip in self.train])[order]
        pool = np.arange(len(order)) // (_POOL * size)
        order = order[np.lexsort((lengths, pool))]
        return rng.permutation(order.reshape(-1, size))

    def _crops(self, step: int) -> list[Clip]:
        rng = np.random.default_rng([self.seed, 1, step])
        frames = np.array([clip.num_frames for clip in self.train], dtype=np.float64)
        chosen = rng.choice(len(self.train), self.batch_size, p=frames / frames.sum())
        clips = []
        for index in chosen:
            length = min(self.train[index].num_frames, self.crop_frames)
            start = int(rng.integers(0, self.train[index].num_frames - length + 1))
            if self.balance and rng.random() < self.balance:
                index, start = self._around_a_hit(rng)
                length = min(self.train[index].num_frames, self.crop_frames)
                start = min(start, self.train[index].num_frames - length)
            clips.append(Clip(self.train[index].entry_index, start, length))
        return clips

    def _around_a_hit(self, rng: np.random.Generator) -> tuple[int, int]:
        """A take and a frame from which a crop has some articulation's hit in its first 3/4."""
        names = sorted(self.hits)
        turns = np.array([len(self.hits[name]) for name in names]) ** BALANCE_POWER
        name = names[rng.choice(len(names), p=turns / turns.sum())]
        index, frame = self.hits[name][rng.integers(len(self.hits[name]))].tolist()
        return index, max(0, frame - int(rng.integers(0, max(1, 3 * self.crop_frames // 4))))


def find_hits(
    cache: Cache, takes: Sequence[Clip], drum_map: DrumMap
) -> dict[str, NDArray[np.int64]]:
    """Where each articulation is struck: articulation -> [N, 2], place in `takes` and frame."""
    table = np.array(drum_map.articulation_table())
    found: dict[str, list[NDArray[np.int64]]] = {}
    for place, take in enumerate(takes):
        performance = cache.performance(cache.entries[take.entry_index])
        lanes = table[performance.pitch]
        frames = cache.clock.split(performance.onset_sec)[0]
        inside = frames < take.num_frames
        for lane in np.unique(lanes):
            hits = frames[(lanes == lane) & inside]
            rows = np.stack([np.full(len(hits), place), hits], axis=1)
            if len(hits):
                found.setdefault(ARTICULATIONS[lane], []).append(rows)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def make_windows(cache: Cache, config: TrainConfig) -> Windows:
    """Cuts the clips of both splits.

    Raises:
        InputError: a split, or what the kit filter leaves of it, is empty.
    """
    there = sorted({entry.kit for entry in cache.entries})
    kits = find_names(config.kits, there, "kit", where=f"in {cache.path}; it")
    stratum = strata_of(config.stratify, "training setting stratify")

    def stratum_of(clip: Clip) -> Hashable:
        return stratum(cache.entries[clip.entry_index])

    def cut(split: str) -> list[Clip]:
        window_sec = config.window_sec if config.clips == "seconds" else 0.0
        cutting = Cutting(
            config.beats, config.hop_beats, config.lead_sec, window_sec, config.hop_sec
        )
        clips = clips_of(cache, split, cutting)
        if config.kits:
            clips = [c for c in clips if cache.entries[c.entry_index].kit in kits]
        if not clips:
            splits = ", ".join(sorted({entry.split for entry in cache.entries}))
            on = f" on {', '.join(kits)}" if kits else ""
            raise InputError(f"{cache.path}: no takes in split {split!r}{on} (it has {splits})")
        return clips

    train, valid = cut(config.split), cut(config.valid_split)
    rng = np.random.default_rng([config.seed, 4])
    mode: Any = config.stratify_mode
    if config.max_clips:
        train = sample(train, config.max_clips, stratum_of, rng, mode)
    valid = _to_measure(valid, train, config, stratum_of)
    crop = round(float(cache.clock.seconds_to_frames(config.crop_sec)))
    if config.clips == "crops":
        takes = sorted({clip.entry_index for clip in train})
        train = [Clip(index, 0, cache.entries[index].num_frames) for index in takes]
    balanced = config.clips == "crops" and config.balance_drums > 0
    return Windows(
        train=train,
        valid=sorted(valid, key=lambda c: (c.num_frames, c.entry_index)),
        context_frames=round(float(cache.clock.seconds_to_frames(config.context_sec))),
        crop_frames=max(1, crop) if config.clips == "crops" else 0,
        batch_size=config.batch_size,
        seed=config.seed,
        balance=config.balance_drums if balanced else 0.0,
        hits=find_hits(cache, train, load_drum_map()) if balanced else {},
    )


def _to_measure(
    valid: list[Clip], train: list[Clip], config: TrainConfig, stratum: Callable[[Clip], Hashable]
) -> list[Clip]:
    """So many of the validation clips as are measured: spread evenly over the split, or where it is
    stratified, drawn so that strata have the shares that they have in training."""
    if not config.eval_clips or config.eval_clips >= len(valid):
        return valid
    if not config.stratify:
        spread = np.unique(np.linspace(0, len(valid) - 1, config.eval_clips).round().astype(int))
        return [valid[index] for index in spread]
    shares = Counter(stratum(clip) for clip in train)
    rng = np.random.default_rng([config.seed, 5])
    return sample(valid, config.eval_clips, stratum, rng, weights=shares)


def hide_conditions(batch: GridBatch, hidden: Mapping[str, NDArray[np.bool_]]) -> GridBatch:
    """Makes conditions unknown (-1, or 0 for bpm) in the clips [B] that are said, by name."""
    conditions = {
        name: batch.conditions[name].masked_fill(torch.from_numpy(rows), 0 if name == "bpm" else -1)
        for name, rows in hidden.items()
    }
    return replace(batch, conditions=conditions)


def mask_grid(batch: GridBatch, share: float, rngs: Sequence[np.random.Generator]) -> GridBatch:
    """Sets rows of each clip's grid to 0 over one stretch of its frames, as SpecAugment does
    (Park et al., 2019, https://arxiv.org/abs/1904.08779).

    Args:
        batch: of B clips.
        share: how likely each row is among them.
        rngs: [B], one for each clip, so that a clip's mask depends on no other clip.
    """
    grid = batch.grid.clone()
    for clip, real, rng in zip(grid, batch.mask, rngs, strict=True):
        start, stop = sorted(rng.integers(0, int(real.sum()) + 1, 2).tolist())
        clip[torch.from_numpy(rng.random(len(clip)) < share), start:stop] = 0.0
    return replace(batch, grid=grid)
