"""Published checksums of files: an index of mirdata, or what md5sum and sha256sum print."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError
from midigroove_core.structured import read_json_as
from midigroove_core.takes.table import relative_path

_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_LINE = re.compile(r"([0-9A-Fa-f]{32,128}) [ *](.+)")
_LARGEST = 64 * 2**20


def read_checksums(path: Path) -> dict[str, str]:
    """Hexadecimal checksums by path below the dataset's root.

    Args:
        path: lines of `HEX  PATH` with MD5, SHA-1, SHA-256 or SHA-512, or an index of mirdata
            (https://github.com/mir-dataset-loaders/mirdata), a .json.

    Raises:
        InputError: unreadable, or neither of both; names the line or the entry.
    """
    entries = _of_mirdata(path) if path.suffix.lower() == ".json" else _of_lines(path)
    found: dict[str, str] = {}
    for where, name, digest in entries:
        if len(digest) not in _ALGORITHMS or re.fullmatch("[0-9A-Fa-f]+", digest) is None:
            raise InputError(f"{where}: {digest[:40]!r} is no MD5, SHA-1, SHA-256 or SHA-512")
        found[relative_path(name, where, "path")] = digest.lower()
    if not found:
        raise InputError(f"{path}: no checksums in it")
    return found


def differs(root: Path, name: str, digest: str) -> str | None:
    """Which checksum a file has instead; None if it has this one.

    Raises:
        InputError: it cannot be read.
    """
    algorithm = _ALGORITHMS[len(digest)]
    try:
        with open(root / name, "rb") as handle:
            there = hashlib.file_digest(handle, algorithm).hexdigest()
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from error
    return None if there == digest else f"its {algorithm} is {there}, published is {digest}"


def _of_lines(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: too large for a list of checksums")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            match = _LINE.fullmatch(line)
            if match is None:
                raise InputError(f"{path}: line {number}: not a checksum, two blanks and a path")
            yield f"{path}: line {number}", match[2].removeprefix("./"), match[1]


def _of_mirdata(path: Path) -> Iterator[tuple[str, str, str]]:
    """Of `{"tracks": {id: {what: [path, md5]}}}` and its `metadata`; both null is no file."""
    index = read_json_as(path, dict[str, Any], largest=_LARGEST)
    for part in ("tracks", "multitracks", "metadata"):
        for key, files in _entries(index.get(part) or {}, f"{path}: {part}"):
            for what, pair in _entries(files, f"{path}: {part}: {key}"):
                where = f"{path}: {part}: {key}: {what}"
                if pair == [None, None] or part == "multitracks" and what == "tracks":
                    continue
                if not (isinstance(pair, list) and len(pair) == 2) or not all(
                    isinstance(text, str) for text in pair
                ):
                    raise InputError(f"{where}: not a path and its MD5")
                yield where, *pair


def _entries(value: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: not an index of mirdata")
    return list(value.items())
