"""Making a cache again: the old one stays until the new one is whole, and only own files go.

The new cache grows in a folder of its own inside the old one. When it is whole its files are moved
to where the old ones are, `cache.json` last, so that a reader finds one of the two or none; a kill
in between is made good by the next run.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from midigroove_core.atomic import read_json
from midigroove_core.cache.format import (
    BUILDING,
    HEADER,
    INDEX,
    PERFORMANCES,
    PLAN,
    REPLACEMENT,
    SKIPPED,
)
from midigroove_core.cache.schema import read_cache_header
from midigroove_core.errors import InputError, MismatchError

_OWN = re.compile(r"codes-\d{5}\.safetensors")
_OWN_WORK = re.compile(
    r"plan\.json|(take-\d{7}|performance-[0-9a-f]{20})\.safetensors|\..*\.tmp\..*"
)
_NAMES = (HEADER, INDEX, SKIPPED, PERFORMANCES)


def check_replaceable(path: Path) -> None:
    """Raises unless a folder is empty, or a cache by its content, whole, begun or damaged.

    Raises:
        MismatchError: it holds something else; names a file.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise MismatchError(f"{path}: is a file; a cache is a folder")
    if (path / HEADER).exists():
        if not _is_header(path / HEADER):
            raise MismatchError(f"{path / HEADER}: is no header of a cache; name another folder")
        return
    known = {*_NAMES, BUILDING, REPLACEMENT}
    others = [
        child.name
        for child in sorted(path.iterdir())
        if child.name not in known and not _OWN.fullmatch(child.name) and child.name[0] != "."
    ]
    if others:
        raise MismatchError(
            f"{path}: holds files but no {HEADER} ({others[0]}); choose another `out`"
        )
    work = path / BUILDING
    others = [c.name for c in sorted(work.glob("*")) if not _OWN_WORK.fullmatch(c.name)]
    if others:
        raise MismatchError(
            f"{work}: holds files that are not a cache's ({others[0]}); choose another `out`"
        )


def _is_header(path: Path) -> bool:
    try:
        header = read_json(path)
    except InputError:  # damaged; its name and the shards beside it have to do
        return any(_OWN.fullmatch(child.name) for child in path.parent.iterdir())
    return isinstance(header, dict) and {"codec_facts", "dataset", "encoding"} <= set(header)


def discard(path: Path) -> None:
    """Removes the files of a cache from a folder, `cache.json` first, and nothing else."""
    for name in _NAMES:
        (path / name).unlink(missing_ok=True)
    for shard in path.glob("codes-*.safetensors"):
        if _OWN.fullmatch(shard.name):
            shard.unlink()
    clear_work(path / BUILDING)


def clear_work(work: Path) -> None:
    """Removes the working files of a build, and their folder if nothing else is in it."""
    for child in work.glob("*"):
        if _OWN_WORK.fullmatch(child.name):
            child.unlink(missing_ok=True)
    _remove_empty(work)


def move_in(path: Path) -> bool:
    """Puts a whole replacement in the place of the cache; False when there is none.

    It may be called again after it was killed.
    """
    new = path / REPLACEMENT
    if not (new / HEADER).exists():
        return False
    names = list(read_cache_header(new / HEADER)["files"])
    (path / HEADER).unlink(missing_ok=True)
    for name in names:
        if (new / name).exists():
            os.replace(new / name, path / name)
    for shard in path.glob("codes-*.safetensors"):
        if _OWN.fullmatch(shard.name) and shard.name not in names:
            shard.unlink()
    clear_work(path / BUILDING)
    os.replace(new / HEADER, path / HEADER)
    _remove_empty(new)
    return True


def is_unfinished(path: Path) -> bool:
    """Whether a folder has a cache that was begun, or one that is being put in place."""
    return (path / PLAN).exists() or (path / REPLACEMENT / HEADER).exists()


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
