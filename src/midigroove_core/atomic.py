"""Files that are either whole or absent, and JSON that is the same bytes for the same content."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.structured import read_json_as

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be renamed either
    fcntl = None  # type: ignore[assignment]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside `path` and renames it to `path` when the block succeeds.

    The temporary name keeps the suffix of `path`, since writers such as soundfile and numpy choose
    a format by it. On an exception the temporary file is removed and `path` is left as it was. The
    file of a process that was killed is taken over by the next that writes `path`, and removed by
    `clear_leftovers`; a living process holds a lock on its own.

    Raises:
        InputError: a name that the file system does not take.
        MidigrooveError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = _temporary(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def clear_leftovers(folder: str | Path) -> None:
    """Removes temporary files of killed processes from a folder and those below it."""
    for path in Path(folder).rglob(".*.tmp*"):
        if is_leftover(path):
            descriptor = _open_locked(path)
            if descriptor is not None:
                path.unlink(missing_ok=True)
                os.close(descriptor)


def is_leftover(path: Path) -> bool:
    """Whether a file has the name of a temporary one, of a living or of a killed process."""
    return bool(_LEFTOVER.fullmatch(path.name)) and path.is_file() and not path.is_symlink()


_LEFTOVER = re.compile(r"\..*\.tmp(\.[^.]*)?", re.DOTALL)
_LONGEST_STEM = 180  # bytes; names may have 255


def _temporary(path: Path) -> tuple[int | None, Path]:
    """A new or left over temporary file, empty, and the descriptor that holds its lock."""
    stem = os.fsdecode(os.fsencode(path.stem)[:_LONGEST_STEM])
    plain = path.with_name(f".{stem}.tmp{path.suffix}")
    descriptor = _open_locked(plain, create=True)
    if descriptor is not None:
        os.ftruncate(descriptor, 0)
        return descriptor, plain
    descriptor, name = tempfile.mkstemp(
        prefix=f".{stem}.", suffix=f".tmp{path.suffix}", dir=path.parent
    )
    if not _lock(descriptor):
        os.close(descriptor)
        descriptor = None
    return descriptor, Path(name)


def _open_locked(path: Path, *, create: bool = False) -> int | None:
    """A descriptor with the lock on a temporary file; None if another has it, or has no locks."""
    if fcntl is None:
        return None
    flags = os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError:
        return None
    try:
        # The one who held the lock may have renamed the file after this one was opened.
        if _lock(descriptor) and os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _cannot_write(path: Path, error: OSError) -> MidigrooveError:
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
        return InputError(f"cannot write {path}: the file system does not take this name")
    return MidigrooveError(f"cannot write {path}: {error.strerror or error}")


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes `data` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Writes `text` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def dump_json(value: Any, *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """JSON with sorted keys; NaN and infinity are refused, so every reader can read it.

    What breaks lines (NEL, U+2028, U+2029), steers terminals, or is no character (names of files
    that are not UTF-8) is escaped, so that a line is one line everywhere.
    """
    text = json.dumps(
        value, indent=indent, sort_keys=True, allow_nan=False, ensure_ascii=ascii_only
    )
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def write_json(path: str | Path, value: Any) -> None:
    """Writes `value` as sorted JSON with a final newline."""
    write_text(path, dump_json(value) + "\n")


def write_json_lines(path: str | Path, values: Iterable[Any]) -> None:
    """Writes each value as sorted JSON on a line of its own."""
    write_text(path, "".join(dump_json(value, indent=None) + "\n" for value in values))


def read_json(path: str | Path) -> Any:
    """Reads JSON of any shape; `structured.read_json_as` reads what has one.

    Raises:
        InputError: the file is missing, is not JSON, or is beyond its bounds; names the file.
    """
    return read_json_as(path, Any)


def sha256_of(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
