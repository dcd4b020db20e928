"""Damages files as accidents and strangers do: any bytes, or the structure that is in them."""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

RAW = {
    "@@HUGE@@": "9" * 5000,
    "@@DEEP@@": "[" * 3000 + "]" * 3000,
    "@@NAN@@": "NaN",
    "@@INF@@": "-Infinity",
}
"""Written into JSON as they stand: what no JSON library would write."""

NASTY: tuple[Any, ...] = (
    *RAW, None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 1e308, -1e308,
    1e-320, 0.5, "", " ", "x" * 3000, "../../x", "/etc/passwd", "~root", "..\\..\\x", "a\0b",
    "<script>alert(1)</script>", "\u2028", "\x85", "\x1b[31mred", "=1+1", "|a|b|", "\ud800", "nan",
    "1e999", "²", [], {}, [[]], {"": 0}, [1, 2, 3],
)  # fmt: skip
_TEXTS = tuple(value for value in NASTY if isinstance(value, str) and value not in RAW)


def mutate(kind: str, data: bytes, rng: Random) -> bytes:
    """One damaged version of a file.

    Args:
        kind: "bytes", "json", "lines" (of JSON), "toml", "csv", "tensors" or "sqlite".
        data: the file.
        rng: decides how.
    """
    if kind == "bytes" or rng.random() < 0.2:
        return mutate_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = _STRUCTURED[kind](data, rng)
    return data


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """Bits, lengths, cuts, copies."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(made) + 1)
        end = min(len(made), at + rng.choice((1, 2, 4, 8, 64, 1024)))
        choice = rng.randrange(8)
        if choice == 0 and at < len(made):
            made[at] ^= 1 << rng.randrange(8)
        elif choice == 1:
            made[at:end] = bytes(rng.choice((0, 0x7F, 0x80, 0xFF)) for _ in range(end - at))
        elif choice == 2:
            del made[at:end]
        elif choice == 3:
            made[at:at] = made[at:end] * rng.choice((1, 2, 50))
        elif choice == 4:
            del made[at:]
        elif choice == 5:
            made[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 16))))
        elif choice == 6:
            number = rng.choice((0, 1, -1, 2**31 - 1, -(2**31), 65535))
            made[at : at + 4] = number.to_bytes(4, rng.choice(("big", "little")), signed=True)
        else:
            other = rng.randrange(len(made) + 1)
            made[at:end] = made[other : other + end - at]
    return bytes(made)


def mutate_json(data: bytes, rng: Random) -> bytes:
    """A value, a key or a branch of a JSON text."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_bytes(data, rng)
    return _dump(_mutate_value(value, rng))


def _mutate_value(value: Any, rng: Random) -> Any:
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(NASTY)
    key: Any = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    choice = rng.randrange(8)
    if choice == 0:
        del value[key]
    elif choice == 1 and isinstance(value, dict):
        value[rng.choice(_TEXTS)] = value.pop(key)
    elif choice == 2 and isinstance(value, dict):
        value[rng.choice(("x", "path", "schema", *_TEXTS))] = rng.choice(NASTY)
    elif choice == 2:
        value.insert(key, rng.choice((*NASTY, value[key])))
    else:
        value[key] = _mutate_value(value[key], rng)
    return value


def _dump(value: Any) -> bytes:
    text = json.dumps(value)
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text.encode()


def mutate_lines(data: bytes, rng: Random) -> bytes:
    """A line of JSON lines."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    choice = rng.randrange(6)
    if choice == 0:
        del lines[at]
    elif choice == 1:
        lines.insert(at, rng.choice(lines))
    elif choice == 2:
        lines.insert(at, b"")
    elif lines[at]:
        lines[at] = mutate_json(lines[at], rng)
    return b"\n".join(lines)


def mutate_toml(data: bytes, rng: Random) -> bytes:
    """A key, a value or a line of TOML."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    at = rng.randrange(len(lines))
    key, equals, _ = lines[at].partition("=")
    values = ("nan", "-inf", "true", "1_000", "1979-05-27", "[" * 3000, "{a=" * 500, "9" * 5000,
              "[1,[2]]", "{}", "''", '"""', "0x10", *map(json.dumps, _TEXTS))  # fmt: skip
    choice = rng.randrange(7)
    if choice < 3 and equals:
        lines[at] = f"{key}= {rng.choice(values)}"
    elif choice == 3:
        del lines[at]
    elif choice == 4:
        lines.insert(at, rng.choice(("[x]", "[[kit]]", "a.b.c = 1", "base = 'x.toml'", lines[-1])))
    elif choice == 5:
        lines[at] = f"{rng.choice(('x', 'a.b', json.dumps(rng.choice(_TEXTS))))} ={lines[at]}"
    else:
        encoding = rng.choice(("utf-16", "utf-8-sig", "latin-1"))
        return "\n".join(lines).encode(encoding, "replace")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def mutate_csv(data: bytes, rng: Random) -> bytes:
    """A cell, a column or a row."""
    rows = [line.split(",") for line in data.decode("utf-8", "replace").split("\n")]
    row = rng.choice(rows)
    at = rng.randrange(len(row))
    choice = rng.randrange(6)
    texts = (*_TEXTS, "inf", "-1", '"', "1e999", "999999999999999999999")
    if choice < 3:
        row[at] = rng.choice(texts)
    elif choice == 3:
        del row[at]
    elif choice == 4:
        row.insert(at, rng.choice(texts))
    else:
        rows.insert(rng.randrange(len(rows)), rng.choice(rows))
    return "\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass")


def mutate_tensors(data: bytes, rng: Random) -> bytes:
    """The header of a safetensors file, the JSON in its metadata, or the tensors."""
    length = int.from_bytes(data[:8], "little")
    raw, tensors = data[8 : 8 + length], data[8 + length :]
    if rng.random() < 0.1:
        tensors = mutate_bytes(tensors, rng)
    try:
        header = json.loads(raw)
        metadata = header.get("__metadata__", {})
        key = rng.choice(sorted(metadata)) if metadata and rng.random() < 0.75 else None
        if key is None:
            raw = _dump(_mutate_value(header, rng))
        else:
            metadata[key] = mutate_json(metadata[key].encode(), rng).decode("utf-8", "replace")
            raw = json.dumps(header).encode()
    except (ValueError, RecursionError, AttributeError, TypeError):
        raw = mutate_bytes(raw, rng)
    return len(raw).to_bytes(8, "little") + raw + tensors


def mutate_sqlite(data: bytes, rng: Random) -> bytes:
    """A column of every row of the vector cache."""
    value = rng.choice(
        ("NULL", "-1", "0", "1", "30", "9223372036854775807", "x''", "x'00'", "'text'", "1.5",
         "zeroblob(100000)")
    )  # fmt: skip
    column = rng.choice(("key", "size", "checksum", "data"))
    with tempfile.NamedTemporaryFile(suffix=".sqlite3") as file:
        file.write(data)
        file.flush()
        connection = sqlite3.connect(file.name, isolation_level=None)
        with closing(connection) as database, suppress(sqlite3.Error):
            database.execute(f"UPDATE OR IGNORE vectors SET {column} = {value}")
        return Path(file.name).read_bytes()


_STRUCTURED: dict[str, Callable[[bytes, Random], bytes]] = {
    "json": mutate_json,
    "lines": mutate_lines,
    "toml": mutate_toml,
    "csv": mutate_csv,
    "tensors": mutate_tensors,
    "sqlite": mutate_sqlite,
}
KINDS_BY_SUFFIX = {
    ".json": "json", ".jsonl": "lines", ".toml": "toml", ".csv": "csv", ".safetensors": "tensors",
    ".sqlite3": "sqlite",
}  # fmt: skip


def kind_of(path: Path) -> str:
    """How a file of that name is damaged."""
    return KINDS_BY_SUFFIX.get(path.suffix, "bytes")


def only_text(text: str) -> bool:
    """Whether a message is one line."""
    return not re.search("[\n\r]", text)
