"""Writes a cache so that it can be killed at any point and still ends as the same bytes.

Takes belong to shards by their place in the dataset alone. A finished take is one small file under
`building/`; a shard is written, whole, when all its takes are there; the index and `cache.json`
come last. Nothing that is written depends on the time, on which process wrote it, or on how often
it was begun.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import (
    clear_leftovers,
    sha256_of_file,
    write_json,
    write_json_lines,
)
from midigroove_core.cache.format import (
    BUILDING,
    HEADER,
    INDEX,
    KEY,
    PERFORMANCES,
    PLAN,
    REPLACEMENT,
    SAME,
    SCHEMA,
    SKIPPED,
    CacheEntry,
    SkippedTake,
    check_same,
    checksum,
    dtype_of,
    shard_name,
)
from midigroove_core.cache.replace import clear_work
from midigroove_core.cache.schema import Shard, WorkTake, read_cache_header, read_plan
from midigroove_core.cache.work import read_work, save_work
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.interfaces.codec import read_codebooks
from midigroove_core.lock import is_held, lock_folder
from midigroove_core.performance import DrumPerformance
from midigroove_core.structured import convert_as
from midigroove_core.tensorfile import read_header, save_arrays


class CacheWriter:
    """One process's hand on a cache that is being made; several may work on one folder.

    Args:
        path: folder of the cache.
        header: codec_id, codec_config, codec_facts, weights_sha, provider, versions, dataset
            (with name, fingerprint and num_takes) and encoding (with takes_per_shard).

    Raises:
        MismatchError: the folder has a cache of something else; names the field.
        MidigrooveError: the folder has other files, or cannot be written to.

    Attributes:
        complete: the cache was finished before; there is nothing to do.
    """

    def __init__(self, path: str | Path, header: Mapping[str, Any]) -> None:
        self.path = Path(path)
        codebooks = read_codebooks(header["codec_facts"])
        self._sizes = np.array([[book.size] for book in codebooks])
        self._dtype = np.dtype(dtype_of(codebooks))
        self.header = {"schema": SCHEMA, "codes_dtype": self._dtype.name, **header}
        self.num_takes = int(header["dataset"]["num_takes"])
        self.takes_per_shard = int(header["encoding"]["takes_per_shard"])
        self.complete = (self.path / HEADER).exists()
        if self.complete:
            check_same(self.path, read_cache_header(self.path / HEADER), self.header, SAME)
            self._clear_away()  # what a kill between the header and the end of the run left
        elif (self.path / PLAN).exists():
            names = (*SAME, "provider", "versions")
            check_same(self.path, read_plan(self.path / PLAN), self.header, names)
        elif self._foreign_files():
            raise MismatchError(
                f"{self.path}: holds files but no {HEADER} ({self._foreign_files()[0]}); "
                f"choose another `out`, or `overwrite` a damaged cache"
            )
        else:
            write_json(self.path / PLAN, self.header)

    def _foreign_files(self) -> list[str]:
        if not self.path.exists():
            return []
        if not self.path.is_dir():
            raise MidigrooveError(f"{self.path}: is a file; a cache is a folder")
        # A folder `building` without a plan, and temporary files, are what a kill leaves behind.
        ignored = {BUILDING, SKIPPED, REPLACEMENT}
        names = sorted(child.name for child in self.path.iterdir())
        return [name for name in names if name not in ignored and not name.startswith(".")]

    @property
    def num_shards(self) -> int:
        """Number of shards that the takes fall into."""
        return -(-self.num_takes // self.takes_per_shard)

    def shard_of(self, take: int) -> int:
        """The shard that a take belongs to, by its place in the dataset."""
        return take // self.takes_per_shard

    def takes_of(self, shard: int) -> range:
        """Places in the dataset of the takes of a shard."""
        start = shard * self.takes_per_shard
        return range(start, min(start + self.takes_per_shard, self.num_takes))

    def shard_done(self, shard: int) -> bool:
        """Whether the shard is written."""
        return (self.path / shard_name(shard)).exists()

    def take_done(self, take: int) -> bool:
        """Whether a take was finished or skipped, by this process or another."""
        # In this order: what is missing may have gone into its shard in between.
        return self._take_path(take).exists() or self.shard_done(self.shard_of(take))

    def _take_path(self, take: int) -> Path:
        return self.path / BUILDING / f"take-{take:07d}.safetensors"

    def _performance_path(self, midi_path: str) -> Path:
        name = hashlib.sha256(midi_path.encode()).hexdigest()[:20]
        return self.path / BUILDING / f"performance-{name}.safetensors"

    def has_performance(self, midi_path: str) -> bool:
        """Whether the events of a MIDI file are stored already."""
        return self._performance_path(midi_path).exists()

    def add_performance(self, midi_path: str, performance: DrumPerformance) -> None:
        """Stores the events of a MIDI file; must come before the takes that use it."""
        arrays = performance.to_arrays()
        self._save_work(self._performance_path(midi_path), arrays, {"midi_path": midi_path})

    def add_take(self, take: int, row: Mapping[str, Any], codes: NDArray[np.integer]) -> None:
        """Stores a finished take.

        Args:
            take: its place in the dataset.
            row: the fields of `CacheEntry` but `shard` and `crc32`.
            codes: [K, T], in [0, V).

        Raises:
            MidigrooveError: codes that do not fit the codec's facts.
        """
        if codes.shape != (len(self._sizes), row["num_frames"]):
            raise MidigrooveError(
                f"{row['key']}: codes are {list(codes.shape)}, expected "
                f"[{len(self._sizes)}, {row['num_frames']}]"
            )
        for book in np.flatnonzero(((codes < 0) | (codes >= self._sizes)).any(axis=1)):
            raise MidigrooveError(
                f"{row['key']}: codes of codebook {book} lie in [{codes[book].min()}, "
                f"{codes[book].max()}], expected [0, {self._sizes[book, 0] - 1}]"
            )
        stored = codes.astype(self._dtype)
        whole = {**row, "crc32": checksum(stored)}
        self._save_work(self._take_path(take), {"codes": stored}, {"take": whole})

    def add_skip(self, take: int, key: str, reason: str, detail: str) -> None:
        """Notes that a take was left out, with its reason (one of few) and the whole story."""
        row = {"key": key, "reason": reason, "detail": detail}
        self._save_work(self._take_path(take), {}, {"skipped": row})

    def close_shard(self, shard: int) -> None:
        """Writes a shard from its finished takes and removes their files."""
        takes, skipped, arrays = [], [], {}
        for take in self.takes_of(shard):
            row, codes = self._read_take(take, shard)
            if isinstance(row, SkippedTake):
                skipped.append(asdict(row))
                continue
            takes.append(row.to_json())
            arrays[row.key] = codes
        metadata = {"takes": takes, "skipped": skipped}
        self._save(self.path / shard_name(shard), arrays, metadata)
        for take in self.takes_of(shard):
            self._take_path(take).unlink(missing_ok=True)

    def close_if_whole(self, shard: int) -> None:
        """Writes a shard if all its takes are there; of several processes that see it, one does."""
        if self.shard_done(shard) or not all(map(self.take_done, self.takes_of(shard))):
            return
        try:
            with lock_folder(self.path, "shard", name=f".shard-{shard}.lock"):
                if not self.shard_done(shard):
                    self.close_shard(shard)
        except MidigrooveError:
            # Another process holds the lock, or (where there are no locks) has just been here.
            if not self._closed_by_another(shard):
                raise

    def _closed_by_another(self, shard: int) -> bool:
        """Whether a shard is written by now, or another process is writing it."""
        return self.shard_done(shard) or is_held(self.path / f".shard-{shard}.lock")

    def _read_take(self, take: int, shard: int) -> tuple[CacheEntry | SkippedTake, NDArray[Any]]:
        """What an earlier run, or this one, made of a take."""
        path = self._take_path(take)
        found, arrays = read_work(path, "a take of a cache", WorkTake)
        if found.skipped is not None:
            return found.skipped, np.zeros(0)
        row = convert_as({**(found.take or {}), "shard": shard}, CacheEntry, str(path))
        codes = arrays.get("codes")
        if codes is None or codes.shape != (len(self._sizes), row.num_frames):
            raise InputError(f"{path}: its codes are not as it says; remove it and go on")
        return row, codes

    def missing_shards(self) -> list[int]:
        """Shards that are not written yet, by this process or another."""
        return [shard for shard in range(self.num_shards) if not self.shard_done(shard)]

    def finish(self) -> int:
        """Writes the events, the index and `cache.json`, once all shards are there.

        Two processes may finish at once: both write the same bytes.

        Returns:
            the number of takes in the cache. If it is 0 no cache is left, only `skipped.jsonl`.

        Raises:
            MidigrooveError: shards are missing.
        """
        missing = self.missing_shards()
        if missing:
            raise MidigrooveError(
                f"{self.path}: {len(missing)} of {self.num_shards} shards are not there yet "
                f"(the first is {shard_name(missing[0])}); let every rank end first, or finish "
                "what one has left"
            )
        takes, skipped = self._collect()
        _write_rows(self.path / SKIPPED, skipped)
        if not takes:
            for shard in range(self.num_shards):
                (self.path / shard_name(shard)).unlink(missing_ok=True)
            self._clear_away()
            return 0
        names = list(dict.fromkeys(take["midi_path"] for take in takes))
        self._write_performances(names)
        _write_rows(self.path / INDEX, [CacheEntry(**take).to_json() for take in takes])
        shards = [shard_name(shard) for shard in range(self.num_shards)]
        counts = Counter(row["reason"] for row in skipped)
        write_json(
            self.path / HEADER,
            {
                **self.header,
                "counts": {
                    "takes": len(takes),
                    "performances": len(names),
                    "skipped": dict(counts),
                },
                "files": {
                    name: _describe(self.path / name)
                    for name in (INDEX, SKIPPED, PERFORMANCES, *shards)
                },
            },
        )
        self._clear_away()
        return len(takes)

    def _clear_away(self) -> None:
        """Removes the working files, and temporary files that a killed process left behind."""
        clear_work(self.path / BUILDING)
        clear_leftovers(self.path)

    def _collect(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        takes: list[dict[str, Any]] = []
        skipped: list[dict[str, Any]] = []
        for shard in range(self.num_shards):
            file = read_header(self.path / shard_name(shard))
            found = file.json(KEY, "a shard of a cache", Shard)
            takes += [take.to_json() for take in found.takes]
            skipped += [asdict(row) for row in found.skipped]
        return takes, skipped

    def _write_performances(self, names: list[str]) -> None:
        """One array per field, all performances joined, and where each begins."""
        parts: dict[str, list[NDArray[Any]]] = {}
        for name in names:
            path = self._performance_path(name)
            for field, values in read_work(path, "a performance", dict[str, str])[1].items():
                parts.setdefault(field, []).append(values)
        arrays: dict[str, NDArray[Any]] = {}
        for field, pieces in parts.items():
            lengths = [len(piece) for piece in pieces]
            arrays[field] = np.concatenate(pieces)
            arrays[f"{field}.offsets"] = np.cumsum([0, *lengths], dtype=np.int64)
        self._save(self.path / PERFORMANCES, arrays, {"midi_paths": names})

    def _save(
        self, path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
    ) -> None:
        with _saying_how_to_go_on():
            save_arrays(path, arrays, KEY, metadata)

    def _save_work(
        self, path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
    ) -> None:
        with _saying_how_to_go_on():
            save_work(path, arrays, metadata)


@contextmanager
def _saying_how_to_go_on() -> Iterator[None]:
    try:
        yield
    except MidigrooveError as error:
        raise MidigrooveError(
            f"{error}; what is done is kept: mend that and give the same command again"
        ) from error


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    write_json_lines(path, rows)


def _describe(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
