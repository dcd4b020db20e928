"""safetensors files as midigroove uses them: whole or absent, one JSON string of metadata.

The header is read without torch and without the tensors: 8 bytes of length (little endian), then
JSON that maps names to dtype, shape and byte offsets
(https://huggingface.co/docs/safetensors/index#format). Reading it here, rather than through the
library, is what lets a damaged file be named in one plain line.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from midigroove_core.atomic import dump_json, write_bytes
from midigroove_core.errors import InputError

_DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16,
    "U32": np.uint32, "I32": np.int32, "U64": np.uint64, "I64": np.int64,
    "F16": np.float16, "F32": np.float32, "F64": np.float64,
}  # fmt: skip
_LONGEST_HEADER = 100_000_000  # the library's own limit


@dataclass(frozen=True)
class TensorInfo:
    """Where one tensor lies.

    Attributes:
        dtype: safetensors name, such as `F32` or `U16`.
        shape: its dimensions.
        start, end: bytes from the beginning of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class TensorFile:
    """The header of a safetensors file.

    Attributes:
        path: the file.
        metadata: the strings of `__metadata__`.
        tensors: name -> place, in the order of the header.
    """

    path: Path
    metadata: dict[str, str]
    tensors: dict[str, TensorInfo]

    def json(self, key: str, what: str) -> dict[str, Any]:
        """The JSON object in `metadata[key]`.

        Args:
            key: metadata key.
            what: what the file should be, for the error ("a midigroove checkpoint").

        Raises:
            InputError: the file is something else.
        """
        try:
            value = json.loads(self.metadata[key])
        except (KeyError, json.JSONDecodeError):
            value = None
        if not isinstance(value, dict):
            raise InputError(f"{self.path}: a safetensors file, but not {what}")
        return value

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Read-only arrays over a memory map of the file; nothing is read until it is touched."""
        with open(self.path, "rb") as handle:
            data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        found = {}
        for name, info in self.tensors.items():
            if info.dtype not in _DTYPES:
                raise InputError(f"{self.path}: tensor {name} is {info.dtype}; numpy has no such")
            dtype = np.dtype(_DTYPES[info.dtype])
            count = (info.end - info.start) // dtype.itemsize
            flat = np.frombuffer(data, dtype, count, info.start) if count else np.zeros(0, dtype)
            found[name] = flat.reshape(info.shape)
        return found


def read_header(path: str | Path) -> TensorFile:
    """Reads the header of a safetensors file and checks that the file is as long as it says.

    Raises:
        InputError: no such file, not a safetensors file, or cut short; names the file.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with open(path, "rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            raw = handle.read(length) if length <= min(size, _LONGEST_HEADER) else b""
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if size < 8 or not raw or not raw.startswith(b"{"):
        raise InputError(f"{path}: not a safetensors file")
    try:
        header = json.loads(raw)
        metadata = header.pop("__metadata__", {})
        start = 8 + length
        tensors = {name: _info(value, start) for name, value in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a safetensors file (its header is damaged)") from error
    expected = max((info.end for info in tensors.values()), default=start)
    if size != expected:
        raise InputError(
            f"{path}: damaged: {size} bytes where its header says {expected}; "
            f"copy or make the file again"
        )
    return TensorFile(path, metadata, tensors)


def _info(value: Any, start: int) -> TensorInfo:
    first, last = value["data_offsets"]
    return TensorInfo(value["dtype"], tuple(value["shape"]), start + first, start + last)


def save_arrays(
    path: str | Path, arrays: Mapping[str, NDArray[Any]], key: str, metadata: Mapping[str, Any]
) -> None:
    """Writes arrays and one JSON object under the metadata key `key`, whole or not at all.

    The same content gives the same bytes: the library orders tensors by itself but shuffles
    metadata keys, hence one key.

    Raises:
        MidigrooveError: the file cannot be written.
    """
    contiguous = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    write_bytes(path, save(contiguous, {key: dump_json(metadata, indent=None)}))
