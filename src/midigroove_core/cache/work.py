"""Files of a build that is under way: one per take and per performance, each with a checksum.

They are what a killed run leaves and the next one goes on from, so one that was damaged in between
must not become part of a cache that is whole by its own account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import dump_json
from midigroove_core.cache.format import KEY
from midigroove_core.errors import InputError
from midigroove_core.structured import convert_as
from midigroove_core.tensorfile import read_header, save_arrays

T = TypeVar("T")
Arrays = Mapping[str, NDArray[Any]]


def save_work(path: Path, arrays: Arrays, metadata: Mapping[str, Any]) -> None:
    """Writes a file, whole or not at all.

    Raises:
        MidigrooveError: the disk is full or cannot be written to.
    """
    save_arrays(path, arrays, KEY, {**metadata, "sha256": _sha256(arrays, metadata)})


def read_work(path: Path, what: str, type: type[T]) -> tuple[T, dict[str, NDArray[Any]]]:
    """What `save_work` wrote: its metadata as a type, and its arrays.

    Raises:
        InputError: something else, or damaged.
    """
    file = read_header(path)
    metadata, arrays = file.json(KEY, what, dict[str, Any]), file.arrays()
    if metadata.pop("sha256", None) != _sha256(arrays, metadata):
        raise InputError(f"{path}: is damaged; remove it, and give the same command again")
    return convert_as(metadata, type, str(path)), arrays


def _sha256(arrays: Arrays, metadata: Mapping[str, Any]) -> str:
    content = hashlib.sha256(dump_json(metadata, indent=None).encode())
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        content.update(f"{name} {values.dtype.str} {values.shape}".encode())
        content.update(values.data if values.size else b"")
    return content.hexdigest()
