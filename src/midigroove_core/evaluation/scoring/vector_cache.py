"""Keeps the vectors of reference clips from one evaluation to the next, by content.

References are the same in every evaluation of a dataset, and a network takes longer to embed a clip
than all other metrics together. A key is the SHA-256 of the embedding's identity, the versions and
device that computed, the sample rate and the clip's samples; so there is nothing to invalidate, and
the results are the same bytes with and without the cache.
"""

from __future__ import annotations

import platform
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core import __version__
from midigroove_core.atomic import dump_json, sha256_of
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.usercache import ENV, user_cache

FILE_NAME = "embeddings-2.sqlite3"
MAX_BYTES = 256 * 2**20
"""When the file has more than this in it, the older half goes; about 50,000 clips of 2 s."""

_LIBRARIES = ("numpy", "scipy", "soxr", "torch", "transformers")
_TIMEOUT_SEC = 30.0

Vectors = NDArray[np.float32]
T = TypeVar("T")


class VectorCache:
    """Vectors by content, in one SQLite file that several processes may use at once.

    Whatever is wrong with the file is told once, and from then on everything is computed.

    Args:
        embedding: whose vectors these are.
        sample_rate: of the clips that will be asked for.
        device: where the embedding runs.
        message: takes the one line when the file cannot be used.
        path: the file; in the user's cache folder when not given.
    """

    def __init__(
        self,
        embedding: Embedding,
        sample_rate: int,
        device: str,
        message: Callable[[str], None],
        path: Path | None = None,
    ) -> None:
        self.path = path or user_cache() / FILE_NAME
        space = {
            "embedding": embedding.identity(),
            "sample_rate": sample_rate,
            "computed_by": [device.split(":")[0], platform.machine(), *_versions()],
        }
        self._space = dump_json(space).encode()
        self._message = message
        self._usable = True
        self._guarded(self._prepare)

    def vectors(self, audio: Vectors, embed: Callable[[Vectors], Vectors]) -> Vectors:
        """The vectors [N, D] of a clip [S]: those kept, or those that `embed` gives, then kept."""
        samples = np.ascontiguousarray(audio, dtype=np.float32)
        key = bytes.fromhex(sha256_of(self._space + samples.tobytes()))
        found = self._guarded(lambda: self._read(key))
        if found is None:
            found = embed(audio)
            self._guarded(lambda: self._write(key, found))
        return found

    def _guarded(self, action: Callable[[], T]) -> T | None:
        if not self._usable:
            return None
        try:
            return action()
        except (sqlite3.Error, OSError) as error:
            self._usable = False
            self._message(
                f"cannot keep vectors of the references in {self.path} ({error}), so all are "
                f"computed; delete that file, or name another folder in {ENV}"
            )
            return None

    def _connect(self) -> closing[sqlite3.Connection]:
        # One connection per action costs little beside an embedding, and none is ever left open.
        # In autocommit each statement is whole or absent.
        return closing(sqlite3.connect(self.path, timeout=_TIMEOUT_SEC, isolation_level=None))

    def _prepare(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS vectors "
                "(key BLOB PRIMARY KEY, size INTEGER, checksum INTEGER, data BLOB)"
            )
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            (free,) = db.execute("PRAGMA freelist_count").fetchone()
            (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
            if (pages - free) * page_bytes > MAX_BYTES:
                db.execute(
                    "DELETE FROM vectors WHERE rowid <= (SELECT rowid FROM vectors ORDER BY rowid "
                    "LIMIT 1 OFFSET (SELECT COUNT(*) FROM vectors) / 2)"
                )

    def _read(self, key: bytes) -> Vectors | None:
        with self._connect() as db:
            query = "SELECT size, checksum, data FROM vectors WHERE key = ?"
            line = db.execute(query, (key,)).fetchone()
        if line is None:
            return None
        size, checksum, data = line
        whole = isinstance(size, int) and size > 0 and isinstance(data, bytes)
        if not whole or len(data) % (4 * size) or _checksum(key, size, data) != checksum:
            return None
        return np.frombuffer(data, "<f4").reshape(-1, size).astype(np.float32)

    def _write(self, key: bytes, vectors: Vectors) -> None:
        data, size = vectors.astype("<f4").tobytes(), vectors.shape[1]
        with self._connect() as db:
            db.execute("PRAGMA synchronous = OFF")  # what a power cut breaks can be made again
            db.execute(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
                (key, size, _checksum(key, size, data), data),
            )


def _checksum(key: bytes, size: int, data: bytes) -> int:
    """Over all of a row: vectors of another clip, or cut at another length, are damage too."""
    return zlib.crc32(data, zlib.crc32(key + size.to_bytes(8, "little")))


def _versions() -> list[str]:
    """What rounding may depend on."""
    found = [f"midigroove {__version__}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found
