"""Reads a cache: memory maps opened once per process, no JSON per read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import sha256_of, sha256_of_file
from midigroove_core.cache.format import (
    HEADER,
    INDEX,
    KEY,
    PERFORMANCES,
    SKIPPED,
    CacheEntry,
    SkippedTake,
    checksum,
    shard_name,
)
from midigroove_core.cache.replace import is_unfinished
from midigroove_core.cache.schema import PUBLISHED, PerformancesFile, read_cache_header
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError
from midigroove_core.hub import is_address, pull
from midigroove_core.interfaces.codec import read_codebooks
from midigroove_core.performance import DrumPerformance
from midigroove_core.structured import read_json_lines_as
from midigroove_core.tensorfile import TensorFile, read_header

OPEN_SHARDS = 64
"""A memory map holds a descriptor, and systems give 256 or so: no more shards are open at once."""

_AGAIN = "copy it again, or make it again (midigroove cache with `overwrite`)"


class Cache:
    """A finished cache, ready for random reads; make one with `Cache.open(path)`.

    It may be used in forked workers (the memory maps are shared) and pickled to spawned ones
    (which open the files themselves).

    Attributes:
        path: the folder.
        header: cache.json: schema, codec_id, codec_config, codec_facts, weights_sha, provider,
            versions, dataset, encoding, counts, files.
        entries: all takes, in the dataset's order.
        clock: the codec's clock.
        codebooks: size, level and slot of each row of codes.
        dtype: `uint16` or `uint32`, of the codes.
        fingerprint: SHA-256 over cache.json and index.jsonl; cache.json has the SHA-256 of every
            other file, so equal fingerprints mean equal caches.
    """

    def __init__(
        self, path: Path, header: dict[str, Any], entries: list[CacheEntry], fingerprint: str
    ) -> None:
        facts = header["codec_facts"]
        self.path = path
        self.header = header
        self.entries = entries
        self.fingerprint = fingerprint
        self.clock = FrameClock(facts["sample_rate"], facts["hop_length"])
        self.codebooks = read_codebooks(facts)
        self._by_key = {entry.key: entry for entry in entries}
        self._of_shard: dict[int, list[CacheEntry]] = {}
        for entry in entries:
            self._of_shard.setdefault(entry.shard, []).append(entry)
        self.dtype: str = header["codes_dtype"]
        self._sizes = np.array([[book.size] for book in self.codebooks])
        self._checked: set[str] = set()
        self._headers: dict[int, TensorFile] = {}
        self._shards: dict[int, dict[str, NDArray[Any]]] = {}
        self._performances: dict[str, DrumPerformance] = {}
        self._load_performance: Callable[[str], DrumPerformance] | None = None

    @classmethod
    def open(cls, path: str | Path) -> Cache:
        """Opens a cache; looks at every file's size, reads the header and the index.

        Args:
            path: its folder, or `hf://USER/NAME@REVISION` (docs/hub.md), which is fetched first.

        Raises:
            InputError: no cache, an unfinished one, or a file that is missing or cut short;
                names the file.
            MismatchError: a cache of another schema.
        """
        path = pull(path, PUBLISHED) if is_address(path) else Path(path)
        if not (path / HEADER).exists():
            raise InputError(_why_not(path))
        header = read_cache_header(path / HEADER)
        for name, stored in header["files"].items():
            _check_size(path / name, stored["bytes"])
        entries = [row for _, row in read_json_lines_as(path / INDEX, CacheEntry)]
        _check_entries(path / INDEX, entries, header)
        data = (path / HEADER).read_bytes() + (path / INDEX).read_bytes()
        cache = cls(path, header, entries, sha256_of(data))
        cache._check_file(INDEX)
        return cache

    @property
    def num_codebooks(self) -> int:
        """K, the number of rows of codes."""
        return len(self.codebooks)

    @property
    def codebook_sizes(self) -> list[int]:
        """V of each row of codes."""
        return [book.size for book in self.codebooks]

    def __reduce__(self) -> Any:
        return Cache.open, (self.path,)

    def entry(self, key: str) -> CacheEntry:
        """The take with that key.

        Raises:
            InputError: no such take.
        """
        if key not in self._by_key:
            raise InputError(f"{self.path}: no take {key!r}")
        return self._by_key[key]

    def codes(
        self, entry: CacheEntry, start_frame: int = 0, num_frames: int | None = None
    ) -> NDArray[Any]:
        """Codes [K, n] of frames [start_frame, start_frame + num_frames) of a take; a copy.

        The first read of a take compares all of it with its checksum.

        Raises:
            InputError: frames outside the take, or codes that are not those that were written.
        """
        if num_frames is None:
            num_frames = entry.num_frames - start_frame
        end = start_frame + num_frames
        if start_frame < 0 or num_frames < 0 or end > entry.num_frames:
            raise InputError(
                f"{entry.key}: frames {start_frame} to {end} are not inside the take's "
                f"{entry.num_frames}"
            )
        shard = self._shards.get(entry.shard)
        if shard is None:
            shard = self._open_shard(entry.shard)
        whole = shard[entry.key]
        if entry.key not in self._checked:
            self._check(entry, whole)
        return whole[:, start_frame:end].copy()

    def _check(self, entry: CacheEntry, codes: NDArray[Any]) -> None:
        """Looks at a take that is read for the first time."""
        path = self.path / shard_name(entry.shard)
        if checksum(codes) != entry.crc32:
            raise InputError(
                f"{path}: the codes of take {entry.key!r} are not those that were written; {_AGAIN}"
            )
        for book in np.flatnonzero((codes >= self._sizes).any(axis=1)):
            raise InputError(
                f"{path}: take {entry.key!r}: codes of codebook {book} go up to "
                f"{codes[book].max()}, expected [0, {self._sizes[book, 0]}); {_AGAIN}"
            )
        self._checked.add(entry.key)

    def _open_shard(self, number: int) -> dict[str, NDArray[Any]]:
        path = self.path / shard_name(number)
        known = number in self._headers
        header = self._headers[number] if known else read_header(path)
        arrays = header.arrays()
        if not known:
            for entry in self._of_shard[number]:
                found = arrays.get(entry.key)
                shape = (self.num_codebooks, entry.num_frames)
                if found is None or found.shape != shape or found.dtype.name != self.dtype:
                    raise InputError(
                        f"{path}: take {entry.key!r} is not as the index says; {_AGAIN}"
                    )
            self._headers[number] = header
        while len(self._shards) >= OPEN_SHARDS:  # the one that has been open longest
            del self._shards[next(iter(self._shards))]
        self._shards[number] = arrays
        return arrays

    def performance(self, entry: CacheEntry) -> DrumPerformance:
        """The events that a take plays; takes of one MIDI file share the object."""
        found = self._performances.get(entry.midi_path)
        if found is None:
            if self._load_performance is None:
                self._check_file(PERFORMANCES)
                self._load_performance = _performance_loader(self.path / PERFORMANCES)
            found = self._performances[entry.midi_path] = self._load_performance(entry.midi_path)
        return found

    def _check_file(self, name: str) -> None:
        if sha256_of_file(self.path / name) != self.header["files"][name]["sha256"]:
            raise InputError(f"{self.path / name}: its content is not what was written; {_AGAIN}")

    def split(self, name: str) -> list[CacheEntry]:
        """The takes of a split, in the dataset's order."""
        return [entry for entry in self.entries if entry.split == name]

    def vocabularies(self) -> dict[str, list[str]]:
        """The kits, drummers and styles of all takes, sorted; "unknown" is left out."""
        return {
            name: sorted({getattr(entry, name) for entry in self.entries} - {"unknown"})
            for name in ("kit", "drummer", "style")
        }

    def skipped(self) -> list[dict[str, str]]:
        """The takes that were left out: key, reason, detail."""
        rows = read_json_lines_as(self.path / SKIPPED, SkippedTake)
        return [asdict(row) for _, row in rows]

    def verify(self) -> list[str]:
        """Reads every byte; one line for each file that is not as it was written."""
        return [
            f"{self.path / name}: its content is not what was written; {_AGAIN}"
            for name, stored in self.header["files"].items()
            if sha256_of_file(self.path / name) != stored["sha256"]
        ]


def _check_entries(path: Path, entries: list[CacheEntry], header: dict[str, Any]) -> None:
    keys = Counter(entry.key for entry in entries)
    for entry in entries:
        if keys[entry.key] > 1:
            raise InputError(f"{path}: two takes are called {entry.key!r}; {_AGAIN}")
        if shard_name(entry.shard) not in header["files"]:
            raise InputError(f"{path}: {shard_name(entry.shard)} is no file of this cache")


def _why_not(path: Path) -> str:
    if not path.exists():
        return f"{path}: no such cache; make one with midigroove cache"
    if is_unfinished(path):
        return f"{path}: not finished; give the same midigroove cache command again"
    return f"{path}: not a cache ({HEADER} is missing)"


def _check_size(path: Path, expected: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: missing from the cache; {_AGAIN}") from error
    if size != expected:
        raise InputError(f"{path}: damaged: {size} bytes, expected {expected}; {_AGAIN}")


def _performance_loader(path: Path) -> Callable[[str], DrumPerformance]:
    file = read_header(path)
    names = file.json(KEY, "the performances of a cache", PerformancesFile).midi_paths
    numbers = {name: number for number, name in enumerate(names)}
    arrays = file.arrays()
    fields = [name for name in arrays if not name.endswith(".offsets")]
    offsets = {name: arrays.get(f"{name}.offsets", np.zeros(0)) for name in fields}
    for name in fields:
        if not _is_partition(offsets[name], arrays[name], len(names)):
            raise InputError(f"{path}: {name} is not one part per performance; {_AGAIN}")

    def load(name: str) -> DrumPerformance:
        if name not in numbers:
            raise InputError(f"{path}: no performance {name!r}; {_AGAIN}")
        at = numbers[name]
        try:
            return DrumPerformance.from_arrays(
                {f: arrays[f][offsets[f][at] : offsets[f][at + 1]].copy() for f in fields}
            )
        except InputError as error:
            raise InputError(f"{path}: {name}: {error}") from error

    return load


def _is_partition(offsets: NDArray[Any], values: NDArray[Any], parts: int) -> bool:
    """Whether offsets [parts + 1] cut an array [N] into parts, from its start to its end."""
    if offsets.dtype != np.int64 or offsets.shape != (parts + 1,):
        return False
    edges = [0, *offsets.tolist(), len(values)] if values.ndim == 1 else [1, 0]
    return edges == sorted(edges) and offsets[0] == 0 and offsets[-1] == len(values)
