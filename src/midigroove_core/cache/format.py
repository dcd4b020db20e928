"""Names, rows and comparisons that the writer and the reader of a cache share."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError, MismatchError
from midigroove_core.interfaces.codec import Codebook
from midigroove_core.structured import Count

SCHEMA = 1
HEADER = "cache.json"
INDEX = "index.jsonl"
SKIPPED = "skipped.jsonl"
PERFORMANCES = "performances.safetensors"
BUILDING = "building"
PLAN = f"{BUILDING}/plan.json"
REPLACEMENT = "replacement"
"""Folder, inside a cache, in which the one that will replace it is made."""

KEY = "midigroove_cache"
"""Metadata key of the cache's safetensors files."""

SAME = ("schema", "codec_id", "codec_config", "codec_facts", "weights_sha", "dataset", "encoding")
"""Fields of a header that must agree before a cache is used as the result of a run."""


def shard_name(shard: int) -> str:
    """File name of a shard of codes."""
    return f"codes-{shard:05d}.safetensors"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One take of a cache; a row of index.jsonl.

    Attributes:
        key: unique name of the take, its audio path inside the dataset.
        performance_key: takes of one performance share it; splits and bootstraps go by it.
        midi_path: the MIDI file inside the dataset; names the events in performances.safetensors.
        split: "train", "validation" or "test".
        kit, drummer, style: as the dataset has them; "unknown" where it does not say.
        bpm: tempo that the dataset states, 0 when it states none (the tempo map is in the
            performance).
        beat_type: "beat" or "fill".
        time_signature: such as "4-4".
        num_frames: T of the codes.
        num_samples: length of the audio at the codec's sample rate; T = ceil of it over the hop.
        gain: factor that the audio was multiplied with before encoding; divide to undo.
        shard: number of the file that has the codes.
        crc32: checksum of the codes' bytes, row after row, little endian.
    """

    key: Annotated[str, msgspec.Meta(min_length=1)]
    performance_key: str
    midi_path: str
    split: str
    kit: str
    drummer: str
    style: str
    bpm: float
    beat_type: str
    time_signature: str
    num_frames: Count
    num_samples: Count
    gain: Annotated[float, msgspec.Meta(gt=0)]
    shard: Annotated[int, msgspec.Meta(ge=0, lt=100_000)]
    crc32: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]

    def to_json(self) -> dict[str, Any]:
        """The row as JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class SkippedTake:
    """One take that was left out; a row of skipped.jsonl.

    Attributes:
        key: as `CacheEntry.key`.
        reason: one of few.
        detail: the whole story.
    """

    key: str
    reason: str
    detail: str


def dtype_of(codebooks: Sequence[Codebook]) -> str:
    """The numpy name of the smallest type that a cache stores such codes in."""
    largest = max(book.size for book in codebooks)
    if largest > 2**32:
        raise InputError(f"a codebook has {largest} entries; a cache holds up to 2**32")
    return "uint16" if largest <= 2**16 else "uint32"


def checksum(codes: NDArray[np.integer]) -> int:
    """`CacheEntry.crc32` of codes [K, T] of the cache's type."""
    little = codes.dtype.newbyteorder("<")
    return zlib.crc32(np.ascontiguousarray(codes, little).data)


def difference(stored: Any, wanted: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """The first field, by path, in which two JSON values differ, with both its values."""
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*stored, *wanted}):
            found = difference(stored.get(key), wanted.get(key), f"{name}.{key}" if name else key)
            if found is not None:
                return found
        return None
    return None if stored == wanted else (name, stored, wanted)


def check_same(
    path: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    """Raises when two headers differ in one of the fields `names`.

    Raises:
        MismatchError: names the field, both values, and what to do.
    """
    for name in names:
        found = difference(stored.get(name), wanted.get(name), name)
        if found is not None:
            field, there, here = found
            raise MismatchError(
                f"{path}: {field} is {json.dumps(there)} in this cache and {json.dumps(here)} "
                f"now; choose another `out`, or make it again with `overwrite`"
            )
