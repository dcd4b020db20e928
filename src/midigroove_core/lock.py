"""One writer at a time: a lock on a folder that a dead process does not hold.

The lock belongs to the open file, not to the file's presence: the system gives it back when the
process ends, however it ends. The file itself is removed when the lock is given back in peace; one
that a killed process leaves behind is taken over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from midigroove_core.errors import MidigrooveError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
"""Name of the lock file in a folder."""


@contextmanager
def lock_folder(
    folder: str | Path, what: str, *, name: str = LOCK, place: Path | None = None
) -> Iterator[None]:
    """Holds a folder's lock while the block runs; the folder is made if it is not there.

    A file system that has no locks (some network mounts) is used without one.

    Args:
        folder: what is written to.
        what: what it is, for the error ("training run").
        name: of the lock file; two names in one folder are two locks.
        place: what the error names, where that is not the folder itself.

    Raises:
        MidigrooveError: another process, or this one, holds it; or the folder cannot be written to.
    """
    path = Path(folder) / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(path)
    except OSError as error:
        raise MidigrooveError(f"cannot write {path}: {error.strerror or error}") from error
    if descriptor is None:
        raise MidigrooveError(
            f"{place or folder}: another process is writing to this {what}; wait until it has "
            f"ended, or name another folder"
        )
    try:
        yield
    finally:
        _release(path, descriptor)


def is_held(path: Path) -> bool:
    """Whether a process, or this one, holds the lock of a file; False where there is no file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int | None:
    """The open descriptor that holds the lock; None when it is held already."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(descriptor):
            os.close(descriptor)
            return None
        # Whoever held it may have removed the file after this one was opened: then it is no lock.
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    if fcntl is None:
        return _lock_portably(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True


def _lock_portably(descriptor: int) -> bool:
    import msvcrt

    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


def _release(path: Path, descriptor: int) -> None:
    if fcntl is not None:  # Windows does not remove an open file; there the empty file stays
        path.unlink(missing_ok=True)
    os.close(descriptor)
