"""Reference rows made of codes: the true ones, random ones, the unigram's, the nearest clip's."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache import Cache, CacheEntry
from midigroove_core.cache.clips import clips_of
from midigroove_core.cache.cutting import Cutting
from midigroove_core.drums import DRUM_CLASSES, classes_of_pitches, load_drum_map
from midigroove_core.evaluation.base.clipset import EvalClip, FrameWindow
from midigroove_core.metrics.codes import CodeModel
from midigroove_core.midi import DrumPerformance
from midigroove_core.scorecard.rows import RowKind

MAX_NEIGHBOURS = 8000
"""Training clips among which the nearest is searched, drawn with the seed."""

_BIN_SEC = 0.04


class CodesRow(ABC):
    """Gives codes for a window of a take.

    Attributes:
        kind: what row it is.
    """

    kind: RowKind

    @abstractmethod
    def codes(self, clip: EvalClip, window: FrameWindow) -> NDArray[np.int64] | None:
        """Codes `[K, window.num_frames]`, or None where this row has nothing to offer."""

    def nll(self, clip: EvalClip, true_codes: NDArray[np.integer]) -> NDArray[np.float64] | None:
        """Nats per code `[K]` of the clip's true codes `[K, T]`, for rows that are a model."""
        return None


class OracleCodes(CodesRow):
    """The true codes: what the codec alone loses."""

    kind = RowKind.ORACLE

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def codes(self, clip: EvalClip, window: FrameWindow) -> NDArray[np.int64]:
        """See `CodesRow`."""
        found = self._cache.codes(window.entry, window.left, window.num_frames)
        return found.astype(np.int64)


class RandomCodes(CodesRow):
    """Every code equally likely."""

    kind = RowKind.RANDOM

    def __init__(self, cache: Cache, seed: int) -> None:
        self._sizes = cache.codebook_sizes
        self._seed = seed

    def codes(self, clip: EvalClip, window: FrameWindow) -> NDArray[np.int64]:
        """See `CodesRow`."""
        generator = clip_generator(clip, self._seed, self.kind.value)
        return np.stack([generator.integers(0, size, window.num_frames) for size in self._sizes])

    def nll(self, clip: EvalClip, true_codes: NDArray[np.integer]) -> NDArray[np.float64]:
        """See `CodesRow`."""
        return np.log(self._sizes)


class UnigramCodes(CodesRow):
    """Codes drawn by how often they occur in training, frame by frame."""

    kind = RowKind.UNIGRAM

    def __init__(self, model: CodeModel, seed: int) -> None:
        self._model = model
        self._cumulative = [np.cumsum(row) for row in model.unigram]
        self._seed = seed

    def codes(self, clip: EvalClip, window: FrameWindow) -> NDArray[np.int64]:
        """See `CodesRow`."""
        generator = clip_generator(clip, self._seed, self.kind.value)
        draws = generator.random((len(self._cumulative), window.num_frames))
        rows = []
        for cumulative, draw in zip(self._cumulative, draws, strict=True):
            row = np.searchsorted(cumulative, draw * cumulative[-1], side="right")
            rows.append(np.minimum(row, len(cumulative) - 1))
        return np.stack(rows).astype(np.int64)

    def nll(self, clip: EvalClip, true_codes: NDArray[np.integer]) -> NDArray[np.float64]:
        """See `CodesRow`."""
        return self._model.unigram_nll([true_codes])


class NearestCodes(CodesRow):
    """The codes of the training clip whose hits are most alike, of the same kit where there is one.

    Alike: the least squared distance between velocities laid on 40 ms bins per drum class, each
    hit shared between the two bins around it. This is what memory without any synthesis reaches.
    """

    kind = RowKind.NEAREST

    def __init__(self, cache: Cache, cutting: Cutting, longest_sec: float, seed: int) -> None:
        self._cache = cache
        found = clips_of(cache, "train", cutting)
        if len(found) > MAX_NEIGHBOURS:
            chosen = np.random.default_rng(seed).choice(len(found), MAX_NEIGHBOURS, replace=False)
            found = [found[index] for index in sorted(chosen)]
        self._clips = found
        self._entries = [cache.entries[clip.entry_index] for clip in found]
        self._bins = int(np.ceil(longest_sec / _BIN_SEC)) + 1
        self._frames_left = np.array(
            [
                entry.num_frames - clip.start_frame
                for clip, entry in zip(found, self._entries, strict=True)
            ]
        )
        self._kits = np.array([entry.kit for entry in self._entries])
        sketches = [
            hit_sketch(
                cache.performance(entry),
                float(cache.clock.frames_to_seconds(clip.start_frame)),
                self._bins,
            )
            for clip, entry in zip(found, self._entries, strict=True)
        ]
        self._sketches = np.stack(sketches) if sketches else np.zeros((0, self._bins, 1))

    def codes(self, clip: EvalClip, window: FrameWindow) -> NDArray[np.int64] | None:
        """See `CodesRow`; None when no training clip is long enough."""
        nearest = self.find(clip, window)
        if nearest is None:
            return None
        entry, start = nearest
        # The window's context before the clip comes from before the neighbour, where it has one.
        lead = window.start - window.left
        left = max(0, start - lead)
        right = min(entry.num_frames, left + window.num_frames)
        codes = self._cache.codes(entry, left, right - left).astype(np.int64)
        before = lead - (start - left)
        after = window.num_frames - before - codes.shape[1]
        return np.pad(codes, ((0, 0), (before, max(0, after))), mode="edge")[:, : window.num_frames]

    def find(self, clip: EvalClip, window: FrameWindow) -> tuple[CacheEntry, int] | None:
        """The take and start frame of the nearest training clip."""
        possible = self._frames_left >= window.stop - window.start
        same_kit = possible & (self._kits == clip.take.kit)
        candidates = np.flatnonzero(same_kit if same_kit.any() else possible)
        if candidates.size == 0:
            return None
        bins = min(self._bins, int(np.ceil(clip.duration_sec / _BIN_SEC)))
        wanted = hit_sketch(clip.performance, clip.start_sec, bins)
        difference = self._sketches[candidates, :bins] - wanted
        best = candidates[np.einsum("nbc,nbc->n", difference, difference).argmin()]
        return self._entries[best], self._clips[best].start_frame


def hit_sketch(performance: DrumPerformance, start_sec: float, bins: int) -> NDArray[np.float32]:
    """Velocities of the hits from `start_sec` on, on bins of 40 ms: `[bins, classes]`."""
    sketch = np.zeros((bins, len(DRUM_CLASSES)), np.float32)
    end_sec = start_sec + bins * _BIN_SEC
    first, last = np.searchsorted(performance.onset_sec, [start_sec, end_sec])
    position = (performance.onset_sec[first:last] - start_sec) / _BIN_SEC
    left = np.floor(position).astype(np.int64)
    share = (position - left).astype(np.float32)
    lane = _CLASS_TABLE[performance.pitch[first:last]]
    loud = performance.velocity[first:last].astype(np.float32) / 127.0 * (lane >= 0)
    np.add.at(sketch, (np.minimum(left, bins - 1), lane), loud * (1.0 - share))
    np.add.at(sketch, (np.minimum(left + 1, bins - 1), lane), loud * share)
    return sketch


_CLASS_TABLE = np.array(
    [DRUM_CLASSES.index(name) if name else -1 for name in classes_of_pitches(load_drum_map())]
)


def clip_generator(clip: EvalClip, seed: int, salt: str) -> np.random.Generator:
    """Random numbers that depend on the clip and the seed, not on the other clips."""
    return np.random.default_rng([seed, zlib.crc32(f"{salt}:{clip.clip_id}".encode())])


def make_code_rows(
    cache: Cache, names: Sequence[str], code_model: CodeModel | None, *, cutting: Cutting,
    longest_sec: float, seed: int,
) -> list[CodesRow]:  # fmt: skip
    """The rows of `names` that this cache can have."""
    rows: list[CodesRow] = []
    if "oracle" in names:
        rows.append(OracleCodes(cache))
    if "random" in names:
        rows.append(RandomCodes(cache, seed))
    if "unigram" in names and code_model is not None:
        rows.append(UnigramCodes(code_model, seed))
    if "nearest" in names and cache.split("train"):
        rows.append(NearestCodes(cache, cutting, longest_sec, seed))
    return rows
