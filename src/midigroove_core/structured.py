"""JSON and TOML from anywhere, read into typed structures: right, or refused in one line.

A reader says what it expects as a type (a frozen `msgspec.Struct` or dataclass, a dictionary, a
list); what it gets back has that type. Size, depth and digits are bounded before a parser sees
them, NaN and infinities are refused, and a fault names the file and the path in it:
`cache.json: files.index.jsonl.sha256: expected str, got int`.
"""

from __future__ import annotations

import codecs
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from midigroove_core.errors import InputError

T = TypeVar("T")

LARGEST_JSON = 1 << 26
LARGEST_LINE = 1 << 20
LARGEST_TOML = 1 << 20
DEEPEST = 64
"""Levels of brackets; our own files need eight."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A whole number that any program can read exactly."""
Fraction01 = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

_LONGEST_NUMBER = 40  # digits; the state of a 128-bit generator has 39
_MOST_DOTS = 32
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]|[-+.\w]{41,}', re.DOTALL)
_TOML_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|"(?:[^"\\\n]|\\.)*+"?|\'[^\'\n]*+\'?'
    r"|#[^\n]*+|[\[{]|[\]}]|[\n=,]|\.|[-+]?\d[-+\w]*+",
    re.DOTALL,
)


def read_json_as(path: str | Path, type: type[T], *, largest: int = LARGEST_JSON) -> T:
    """Reads a JSON file.

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        type: what it must hold; anything that `msgspec.convert` knows.
        largest: bytes that it may have.

    Raises:
        InputError: missing, too large, not UTF-8, not JSON, or not of the type; names the file
            and the path in it.
    """
    return decode_json_as(_read(Path(path), largest), type, str(path))


def decode_json_as(data: bytes | str, type: type[T], where: str) -> T:
    """Decodes JSON from bytes or text; `where` begins the message of an error.

    Raises:
        InputError: not UTF-8, not JSON, too deep, or not of the type.
    """
    text = _text(data, where)
    _check_json(text, where)
    try:
        return msgspec.json.decode(text, type=type)
    except msgspec.ValidationError as error:
        value = _plain_json(text, where)
        raise InputError(f"{where}: {_fault(value, type, error)}") from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{where}: not readable as JSON ({error})") from error


def read_json_lines_as(path: str | Path, type: type[T]) -> Iterator[tuple[str, T]]:
    """The lines of a JSON-lines file, each with its place for messages (`FILE: line 3`).

    Lines end at a line feed and nowhere else: U+2028 and NEL are text.

    Raises:
        InputError: as `read_json_as`; names file and line.
    """
    path = Path(path)
    try:
        with open(path, "rb") as handle:
            number = 0
            while line := handle.readline(LARGEST_LINE + 1):
                number += 1
                where = f"{path}: line {number}"
                if len(line) > LARGEST_LINE:
                    raise InputError(f"{where}: more than {LARGEST_LINE:,} bytes in one line")
                if line.strip():
                    yield where, decode_json_as(line, type, where)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_toml_as(path: str | Path, type: type[T], *, largest: int = LARGEST_TOML) -> T:
    """Reads a TOML file; arguments and errors as those of `read_json_as`."""
    return decode_toml_as(_read(Path(path), largest), type, str(path))


def decode_toml_as(data: bytes | str, type: type[T], where: str) -> T:
    """Decodes TOML from bytes or text; as `decode_json_as`. Numbers must be finite, of 64 bits.

    Raises:
        InputError: not UTF-8, not TOML, too deep, or not of the type.
    """
    text = _text(data, where).replace("\r\n", "\n")
    _check_toml(text, where)
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{where}: not readable as TOML ({error})") from error
    return convert_as(value, type, where)


def convert_as(value: Any, type: type[T], where: str) -> T:
    """Plain dictionaries, lists, texts and numbers as a type.

    Raises:
        InputError: not of the type, or a number that is not finite; names the path.
    """
    _check_numbers(value, where)
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {_fault(value, type, error)}") from error


def _read(path: Path, largest: int) -> bytes:
    try:
        with open(path, "rb") as handle:
            data = handle.read(largest + 1)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
    if len(data) > largest:
        raise InputError(f"{path}: larger than {largest:,} bytes, more than such a file can hold")
    return data


def _text(data: bytes | str, where: str) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    for mark, name in ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16")):
        if data.startswith(mark):
            raise InputError(f"{where}: is {name}; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 (byte {error.start}); save it as UTF-8") from error


def _check_json(text: str, where: str) -> None:
    """Depth and digits, before a parser that recurses or converts sees them."""
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            _check_depth(depth, where)
        elif first in "]}":
            depth -= 1
        elif first != '"':
            raise InputError(f"{where}: a number of {len(token[0]):,} characters")


def _check_toml(text: str, where: str) -> None:
    depth, dots = 0, 0
    for token in _TOML_TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth, dots = depth + 1, 0
        elif first in "]}\n=,":
            depth, dots = depth - (first in "]}"), 0
        elif first == ".":
            dots += 1
        elif first not in "\"'#" and len(token[0]) > _LONGEST_NUMBER:
            raise InputError(f"{where}: a number of {len(token[0]):,} characters")
        _check_depth(max(depth, dots), where)


def _check_depth(depth: int, where: str) -> None:
    if depth > DEEPEST:
        raise InputError(f"{where}: nested more than {DEEPEST} levels deep")


def _check_numbers(value: Any, where: str) -> None:
    """Refuses what TOML can say and JSON cannot, and integers beyond 64 bits; no recursion."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [((*path, str(key)), inner) for key, inner in item.items()]
        elif isinstance(item, list | tuple):
            waiting += [((*path, str(n)), inner) for n, inner in enumerate(item)]
        elif isinstance(item, float) and not math.isfinite(item):
            raise InputError(f"{where}: {_joined(path)}{item} is no finite number")
        elif isinstance(item, int) and not -(2**63) <= item < 2**64:
            raise InputError(f"{where}: {_joined(path)}an integer of more than 64 bits")
        if len(path) > DEEPEST:
            raise InputError(f"{where}: nested more than {DEEPEST} levels deep")


def _plain_json(text: str, where: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InputError(f"{where}: not readable as JSON ({error})") from error


def _fault(value: Any, type: Any, error: Exception, path: tuple[str, ...] = ()) -> str:
    """Where in `value` the type does not fit, with the names of keys, and what was expected.

    msgspec names attributes and places in arrays, but writes `[...]` for keys of dictionaries.
    """
    for name, inner, inner_type in _parts(value, type):
        try:
            msgspec.convert(inner, inner_type)
        except msgspec.ValidationError as deeper:
            return _fault(inner, inner_type, deeper, (*path, name))
    reason = str(error).split(" - at ")[0].replace("`", "")
    return _joined(path) + reason[:1].lower() + reason[1:]


def _parts(value: Any, type: Any) -> list[tuple[str, Any, Any]]:
    """(name, value, type) of what lies one level deeper, as far as the type says."""
    while get_origin(type) is Annotated or _is_optional(type):
        type = next(option for option in get_args(type) if option is not _NONE)
    options, origin = get_args(type), get_origin(type)
    if isinstance(value, dict):
        if origin in (dict, Mapping) and len(options) == 2:
            return [(str(key), inner, options[1]) for key, inner in value.items()]
        types = _field_types(type)
        return [(key, inner, types[key]) for key, inner in value.items() if key in types]
    if isinstance(value, list | tuple):
        if origin is tuple and options[1:] != (...,):
            pairs = zip(value, options, strict=False)
            return [(str(n), inner, option) for n, (inner, option) in enumerate(pairs)]
        if origin in (list, tuple, set, frozenset) and options:
            return [(str(n), inner, options[0]) for n, inner in enumerate(value)]
    return []


_NONE = type(None)


def _is_optional(type: Any) -> bool:
    return (
        get_origin(type) in (Union, UnionType)
        and len(get_args(type)) == 2
        and (_NONE in get_args(type))
    )


def _field_types(type: Any) -> dict[str, Any]:
    """Encoded name -> type of a Struct's or a dataclass's fields; empty for anything else."""
    if hasattr(type, "__struct_fields__"):
        return {field.encode_name: field.type for field in msgspec.structs.fields(type)}
    if is_dataclass(type):
        hints = get_type_hints(type, include_extras=True)
        return {field.name: hints[field.name] for field in dataclass_fields(type)}
    return {}


def _joined(path: tuple[str, ...]) -> str:
    return ".".join(path) + ": " if path else ""
