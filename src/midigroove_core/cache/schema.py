"""What the JSON of a cache must hold: `cache.json`, the plan, the work of a build."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from midigroove_core.cache.format import (
    HEADER,
    INDEX,
    PERFORMANCES,
    SCHEMA,
    SKIPPED,
    CacheEntry,
    SkippedTake,
    dtype_of,
    shard_name,
)
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.hub import Layout, ListedFile
from midigroove_core.interfaces.codec import Codebook, read_codebooks
from midigroove_core.structured import LARGEST_JSON, Count, Sha256, convert_as, read_json_as

AtLeastOne = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
MOST_SHARDS = 100_000
"""As many as `codes-00000.safetensors` has names for."""

_SHARD = re.compile(r"codes-\d{5}\.safetensors")


class Facts(msgspec.Struct, frozen=True):
    """Of a codec; see `Codec.facts`."""

    sample_rate: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    hop_length: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    channels: Annotated[int, msgspec.Meta(ge=1, le=64)]
    codebooks: Annotated[list[Codebook], msgspec.Meta(min_length=1, max_length=1024)]


class DatasetFacts(msgspec.Struct, frozen=True):
    """Which dataset was encoded."""

    name: str
    fingerprint: str
    num_takes: Count


class Encoding(msgspec.Struct, frozen=True):
    """How it was encoded, as far as a reader has to know."""

    takes_per_shard: AtLeastOne


class Plan(msgspec.Struct, frozen=True):
    """`building/plan.json`: what a header says before anything is encoded."""

    codec_id: str
    codec_config: dict[str, Any]
    codec_facts: Facts
    codes_dtype: Literal["uint16", "uint32"]
    weights_sha: str
    provider: dict[str, str]
    versions: dict[str, str]
    dataset: DatasetFacts
    encoding: Encoding


class FileFacts(msgspec.Struct, frozen=True):
    """What a file of the cache was when it was written."""

    bytes: Count
    sha256: Sha256


class Counts(msgspec.Struct, frozen=True):
    """What is in the cache, and what was left out by reason."""

    takes: Count
    performances: Count
    skipped: dict[str, Count]


class Header(Plan, frozen=True):
    """`cache.json`."""

    counts: Counts
    files: dict[str, FileFacts]


class WorkTake(msgspec.Struct, frozen=True):
    """The metadata of a take's file while a cache is built: one of the two."""

    take: dict[str, Any] | None = None
    skipped: SkippedTake | None = None


class Shard(msgspec.Struct, frozen=True):
    """The metadata of a shard."""

    takes: list[CacheEntry]
    skipped: list[SkippedTake]


class PerformancesFile(msgspec.Struct, frozen=True):
    """The metadata of performances.safetensors."""

    midi_paths: list[str]


def read_plan(path: Path) -> dict[str, Any]:
    """`building/plan.json`, checked.

    Raises:
        InputError: damaged, or something else; names the field.
        MismatchError: of another schema.
    """
    return _read(path, Plan)


def read_cache_header(path: Path) -> dict[str, Any]:
    """`cache.json`, checked; the files it names lie in the cache's folder.

    Raises:
        InputError: damaged, or something else; names the field.
        MismatchError: of another schema.
    """
    found = _read(path, Header)
    names = set(found["files"])
    for name in names:
        if name == HEADER or not is_cache_file(name):
            raise InputError(f"{path}: files: {name[:80]!r} is no file of a cache")
    for name in (INDEX, SKIPPED, PERFORMANCES, shard_name(0)):
        if name not in names:
            raise InputError(f"{path}: files: {name} is missing")
    return found


def is_cache_file(name: str) -> bool:
    """Whether a file of that name belongs to a cache."""
    return name in (HEADER, INDEX, SKIPPED, PERFORMANCES) or _SHARD.fullmatch(name) is not None


def _others(path: Path) -> dict[str, ListedFile]:
    files: dict[str, dict[str, Any]] = read_cache_header(path)["files"]
    return {name: ListedFile(facts["bytes"], facts["sha256"]) for name, facts in files.items()}


PUBLISHED = Layout("cache", "dataset", HEADER, LARGEST_JSON, _others)
"""A cache on the hub."""


def _read(path: Path, kind: type[Plan]) -> dict[str, Any]:
    what = "the header of a cache" if path.name == HEADER else "the plan of a cache"
    found: dict[str, Any] = read_json_as(path, dict[str, Any])
    if "schema" not in found:
        raise InputError(f"{path}: not {what}")
    if found["schema"] != SCHEMA or isinstance(found["schema"], bool):
        raise MismatchError(
            f"{path}: schema is {str(found['schema'])[:40]}, this version reads {SCHEMA}; make "
            "the cache again, or use the version of midigroove that made it"
        )
    typed = convert_as(found, kind, str(path))
    if typed.codes_dtype != dtype_of(read_codebooks(found["codec_facts"])):
        raise InputError(f"{path}: codes_dtype: {typed.codes_dtype} does not suit the codebooks")
    if typed.dataset.num_takes > MOST_SHARDS * typed.encoding.takes_per_shard:
        raise InputError(f"{path}: dataset.num_takes: more than {MOST_SHARDS:,} shards hold")
    return found
