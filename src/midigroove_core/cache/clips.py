"""Windows of cached takes, and reading them as batches.

Clips lie on the performance's own beats but begin a little before them, since drummers play around
the click: half of all downbeats have a hit in the 20 ms before them. Reading adds left context, the
frames before the clip, so that tails of earlier hits have a cause that the model can see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.cache import Cache, CacheEntry
from midigroove_core.cache.cutting import Cutting
from midigroove_core.errors import MidigrooveError, MismatchError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.featurizer import GridFeaturizer
from midigroove_core.performance import DrumPerformance


@dataclass(frozen=True)
class Clip:
    """Frames [start_frame, start_frame + num_frames) of one take.

    Attributes:
        entry_index: place of the take in `Cache.entries`.
        start_frame: first frame, >= 0.
        num_frames: length, >= 1; the clip ends inside the take.
    """

    entry_index: int
    start_frame: int
    num_frames: int


@dataclass(frozen=True)
class ClipArrays:
    """One clip as read, with its context in front.

    Attributes:
        grid: [F, T] float32.
        codes: [K, T] uint16 or uint32.
        conditions: name -> index into the vocabulary (-1 unknown), or beats per minute.
        context_frames: how many of the T frames come before the clip.
        start_frame: of the take, that of the first column.
        sketch: [K, T], what the kit cut from the take's reference plays; None where there is none.
    """

    grid: NDArray[np.float32]
    codes: NDArray[np.unsignedinteger]
    conditions: dict[str, float]
    context_frames: int
    start_frame: int
    sketch: NDArray[np.unsignedinteger] | None = None


def cut_clips(cache: Cache, split: str | None = None, **cutting: Any) -> list[Clip]:
    """`clips_of` with the fields of `Cutting` by name: `cut_clips(cache, beats=8)`."""
    return clips_of(cache, split, Cutting(**cutting))


def clips_of(cache: Cache, split: str | None, cutting: Cutting) -> list[Clip]:
    """Every window of a cache's takes, in their order.

    What is left at the end of a take is a clip of its own if it is at least half a window long, or
    if the take has no other.

    Args:
        cache: the takes.
        split: "train", "validation" or "test"; None takes all.
        cutting: into what.
    """
    clips: list[Clip] = []
    for index, entry in enumerate(cache.entries):
        if split is None or entry.split == split:
            end_sec = float(cache.clock.frames_to_seconds(entry.num_frames))
            edges = cutting.edges(partial(cache.performance, entry), end_sec)
            clips += _inside(index, entry.num_frames, cache.clock.split(edges)[0])
    return clips


def _inside(index: int, num_frames: int, edges: NDArray[np.int64]) -> list[Clip]:
    """The windows [N, 2] of a take, in frames, as far as they lie inside it."""
    clips: list[Clip] = []
    for start, end in edges.tolist():
        inside = min(end, num_frames) - start
        if inside > 0 and (2 * inside >= end - start or not clips):
            clips.append(Clip(index, start, inside))
    return clips


def vocabularies_of(
    entries: Sequence[CacheEntry], *, unnamed_kits: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Kits, drummers, styles and beat types of some takes, sorted; "unknown" is left out, and so
    are kits that match one of the patterns `unnamed_kits` ("mixed_*")."""
    names = {
        name: sorted({getattr(entry, name) for entry in entries} - {"unknown"})
        for name in ("kit", "drummer", "style", "beat_type")
    }
    for pattern in unnamed_kits:
        names["kit"] = [kit for kit in names["kit"] if not fnmatchcase(kit, pattern)]
    return names


def _entries_of(sketches: Cache | None, cache: Cache) -> dict[str, CacheEntry]:
    """Its takes by key, as far as they are as long as those of the cache."""
    if sketches is None:
        return {}
    for name in ("codec_id", "codec_config", "weights_sha"):
        if sketches.header[name] != cache.header[name]:
            raise MismatchError(
                f"{sketches.path}: {name} is {sketches.header[name]}, that of {cache.path} is "
                f"{cache.header[name]}; sketches are of the same codec"
            )
    frames = {entry.key: entry.num_frames for entry in cache.entries}
    return {e.key: e for e in sketches.entries if frames.get(e.key) == e.num_frames}


class ClipReader:
    """Reads clips of a cache as grids, codes and conditions.

    Args:
        cache: the takes.
        featurizer: lays performances on the cache's clock.
        vocabularies: names of each condition in the order of the model's indices.
        conditions: the conditions that the model takes.
        sketches: a cache of sketches of some of the takes, under the same keys (`data sketch`).

    Raises:
        MismatchError: the sketches are codes of another codec.
    """

    def __init__(
        self,
        cache: Cache,
        featurizer: GridFeaturizer,
        vocabularies: Mapping[str, Sequence[str]],
        conditions: Sequence[str],
        *,
        sketches: Cache | None = None,
    ) -> None:
        self.cache = cache
        self.featurizer = featurizer
        self._conditions = tuple(conditions)
        self._sketches, self._sketched = sketches, _entries_of(sketches, cache)
        self._indices = {
            name: {value: index for index, value in enumerate(values)}
            for name, values in vocabularies.items()
        }
        for name in conditions:
            if name != "bpm" and name not in self._indices:
                raise MidigrooveError(
                    f"condition {name!r}: there are no names for it; a cache gives "
                    f"{', '.join(self._indices)} and bpm"
                )

    def read(self, clip: Clip, context_frames: int = 0) -> ClipArrays:
        """A clip with up to `context_frames` frames before it, fewer at a take's start."""
        entry = self.cache.entries[clip.entry_index]
        start = max(0, clip.start_frame - context_frames)
        end = clip.start_frame + clip.num_frames
        performance = self.cache.performance(entry)
        grid = self.featurizer.featurize(performance, self.cache.clock, start, end - start)
        codes = self.cache.codes(entry, start, end - start)
        conditions = self._values(entry, performance, (start + end) / 2)
        context = clip.start_frame - start
        sketch = self._sketch(entry, start, end - start)
        return ClipArrays(grid.values, codes, conditions, context, start, sketch)

    def _sketch(
        self, entry: CacheEntry, start: int, num_frames: int
    ) -> NDArray[np.unsignedinteger] | None:
        found = self._sketched.get(entry.key)
        if self._sketches is None or found is None:
            return None
        return self._sketches.codes(found, start, num_frames)

    def _values(
        self, entry: CacheEntry, performance: DrumPerformance, centre_frame: float
    ) -> dict[str, float]:
        values: dict[str, float] = {}
        for name in self._conditions:
            if name == "bpm":
                centre_sec = self.cache.clock.frames_to_seconds(centre_frame)
                values[name] = float(performance.bpm_at(centre_sec))
            else:
                values[name] = self._indices[name].get(getattr(entry, name), -1)
        return values

    def collate(self, clips: Sequence[ClipArrays]) -> GridBatch:
        """Pads clips, as `read` gives them, at the end to the longest: one batch, with codes."""
        frames = max(clip.grid.shape[1] for clip in clips)
        first = clips[0]
        grid = torch.zeros(len(clips), first.grid.shape[0], frames)
        codes = torch.zeros(len(clips), first.codes.shape[0], frames, dtype=torch.int64)
        mask = torch.zeros(len(clips), frames, dtype=torch.bool)
        sketch = torch.full_like(codes, -1)
        for row, clip in enumerate(clips):
            length = clip.grid.shape[1]
            grid[row, :, :length] = torch.from_numpy(clip.grid)
            codes[row, :, :length] = torch.from_numpy(clip.codes.astype(np.int64))
            mask[row, :length] = True
            if clip.sketch is not None:
                sketch[row, :, :length] = torch.from_numpy(clip.sketch.astype(np.int64))
        conditions = {
            name: torch.tensor(
                [clip.conditions[name] for clip in clips],
                dtype=torch.float32 if name == "bpm" else torch.int64,
            )
            for name in self._conditions
        }
        return GridBatch(
            grid=grid,
            mask=mask,
            conditions=conditions,
            codes=codes,
            start_frame=torch.tensor([clip.start_frame for clip in clips]),
            sketch=sketch if any(clip.sketch is not None for clip in clips) else None,
        )
