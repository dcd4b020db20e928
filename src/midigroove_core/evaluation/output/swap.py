"""A folder that appears whole or not at all, in whose place only own files ever go.

It is written beside its place and swapped in when it is complete. Files in the old folder that are
not ours move to the new one. A killed run leaves its folder behind; the next run on the same place
clears it, and puts back what a kill in the middle of the swap had set aside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.lock import lock_folder


@dataclass(frozen=True)
class FolderKind:
    """What is written.

    Attributes:
        what: in words, for messages.
        check: raises InputError unless the folder that is given, not empty, may be replaced.
        is_whole: whether a folder is one of these, by its content.
        owns: whether a file, relative to the folder, is one that we write.
    """

    what: str
    check: Callable[[Path], None]
    is_whole: Callable[[Path], bool]
    owns: Callable[[Path], bool]


@contextmanager
def whole_folder(place: Path, kind: FolderKind) -> Iterator[Path]:
    """Yields a folder to write into; what is in it when the block succeeds is then `place`.

    Raises:
        InputError: something is there that may not be replaced.
        MidigrooveError: another process writes there, or the disk refuses.
    """
    place = place.resolve()
    with lock_folder(place.parent, kind.what, name=f".{place.name}.lock", place=place):
        new, old = (place.parent / f".{place.name}.{name}-midigroove" for name in ("new", "old"))
        try:
            _recover(place, new, old, kind)
            check_place(place, kind)
            new.mkdir()
            try:
                yield new
                _swap(new, place, old, kind)
            finally:
                if new.is_dir():
                    shutil.rmtree(new)
        except OSError as error:
            raise MidigrooveError(f"cannot write {place}: {error.strerror or error}") from error


def check_place(place: Path, kind: FolderKind) -> None:
    """Raises InputError unless a folder of that kind may be written there."""
    if place.exists() and not place.is_dir():
        raise InputError(f"{place}: is a file; name a folder for the {kind.what}")
    if place.is_dir() and any(place.iterdir()):
        kind.check(place)


def _recover(place: Path, new: Path, old: Path, kind: FolderKind) -> None:
    """Clears what a killed run left, and puts back what it had set aside.

    Nobody else can have made these folders: their names say so, and the lock is held.
    """
    if old.is_dir():
        if place.exists():  # the swap was done, and only the old files' removal was not
            _remove_own(old, place, kind)
        elif kind.is_whole(old):
            os.replace(old, place)
    if new.is_dir():
        shutil.rmtree(new)
    if old.exists():
        raise InputError(f"{old}: is in the way, with files that are not ours; move it away")


def _swap(new: Path, place: Path, old: Path, kind: FolderKind) -> None:
    """Two renames, between which a reader finds nothing at the place and both folders beside it."""
    for path in new.rglob("*"):
        if path.is_dir():
            _sync(path)
    _sync(new)
    if place.is_dir():
        os.replace(place, old)
    try:
        os.replace(new, place)
    except OSError:
        if old.is_dir():
            os.replace(old, place)
        raise
    _sync(place.parent)
    if old.is_dir():
        _remove_own(old, place, kind)


def _sync(folder: Path) -> None:
    """Asks the disk to keep a folder's names; not every system lets one."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _remove_own(old: Path, place: Path, kind: FolderKind) -> None:
    """Removes a folder; files that are not ours move to `place`, never over another."""
    for path in sorted(old.rglob("*"), reverse=True):
        relative = path.relative_to(old)
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif kind.owns(relative):
            path.unlink()
        elif not os.path.lexists(place / relative):
            (place / relative).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place / relative)
    if not any(old.iterdir()):
        old.rmdir()
