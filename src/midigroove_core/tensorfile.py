"""safetensors files as midigroove uses them: whole or absent, one JSON string of metadata.

The header is read without torch and without the tensors: 8 bytes of length (little endian), then
JSON that maps names to dtype, shape and byte offsets
(https://huggingface.co/docs/safetensors/index#format). Reading it here, rather than through the
library, is what lets a damaged file be named in one plain line.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from midigroove_core.atomic import dump_json, write_bytes
from midigroove_core.errors import InputError
from midigroove_core.structured import LARGEST_JSON, Count, convert_as, decode_json_as

T = TypeVar("T")

_DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16,
    "U32": np.uint32, "I32": np.int32, "U64": np.uint64, "I64": np.int64,
    "F16": np.float16, "F32": np.float32, "F64": np.float64,
}  # fmt: skip
_BITS = {
    **{name: 8 * np.dtype(kind).itemsize for name, kind in _DTYPES.items()},
    "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "C64": 64,
}  # fmt: skip
_LONGEST_HEADER = LARGEST_JSON


class _Tensor(msgspec.Struct, frozen=True):
    """An entry of the header."""

    dtype: str
    shape: tuple[Count, ...]
    data_offsets: tuple[Count, Count]


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

    def json(self, key: str, what: str, type: type[T]) -> T:
        """The JSON in `metadata[key]`, as a type.

        Args:
            key: metadata key.
            what: what the file should be, for the error ("a midigroove checkpoint").
            type: what the JSON must hold, see `structured`.

        Raises:
            InputError: the file is something else, or its JSON is not of the type; names the path.
        """
        if key not in self.metadata:
            raise InputError(f"{self.path}: a safetensors file, but not {what}")
        return decode_json_as(self.metadata[key], type, f"{self.path}: {key}")

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
    header = decode_json_as(raw, dict[str, Any], str(path))
    metadata = convert_as(header.pop("__metadata__", {}), dict[str, str], f"{path}: __metadata__")
    found = convert_as(header, dict[str, _Tensor], str(path))
    start = 8 + length
    _check_tensors(path, found, size - start)
    tensors = {
        name: TensorInfo(x.dtype, x.shape, start + x.data_offsets[0], start + x.data_offsets[1])
        for name, x in found.items()
    }
    return TensorFile(path, metadata, tensors)


def _check_tensors(path: Path, tensors: Mapping[str, _Tensor], size: int) -> None:
    """Each as long as its shape says, one after another, to the end of the file."""
    at = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        first, last = tensor.data_offsets
        bits = _BITS.get(tensor.dtype)
        if bits is None:
            raise InputError(f"{path}: {name[:80]}: no dtype {tensor.dtype[:40]!r} is known")
        if math.prod(tensor.shape) * bits != 8 * (last - first):
            raise InputError(
                f"{path}: {name[:80]}: {last - first} bytes are no {tensor.dtype} of the shape "
                f"{list(tensor.shape)}"
            )
        if first != at or last < first:
            raise InputError(f"{path}: {name[:80]}: does not begin where the one before it ends")
        at = last
    if at != size:
        raise InputError(
            f"{path}: damaged: {size} bytes of tensors where its header says {at}; copy or make "
            "the file again"
        )


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
