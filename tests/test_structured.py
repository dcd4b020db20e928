"""Typed reading of JSON and TOML: right, or one line with file and path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from midigroove_core.errors import InputError
from midigroove_core.structured import (
    DEEPEST,
    Sha256,
    convert_as,
    decode_json_as,
    decode_toml_as,
    read_json_as,
    read_json_lines_as,
    read_toml_as,
)


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes: int
    sha256: Sha256


class Header(msgspec.Struct, frozen=True):
    files: dict[str, File]
    shapes: list[tuple[int, ...]] = []
    note: str | None = None
    gain: float | None = None


@dataclass(frozen=True)
class Plain:
    names: list[str]
    inner: Header | None = None


GOOD = '{"files": {"index.jsonl": {"bytes": 3, "sha256": "%s"}}}' % ("a" * 64)


def test_reads_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "h.json"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + GOOD.encode())
        assert read_json_as(path, Header).files["index.jsonl"].bytes == 3
    toml = tmp_path / "h.toml"
    toml.write_bytes(b"\xef\xbb\xbfnames = ['a']\r\n")
    assert read_toml_as(toml, Plain).names == ["a"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (GOOD.replace('"' + "a" * 64 + '"', "5"), "files.index.jsonl.sha256: expected str, got in"),
        (GOOD.replace("3", "true"), "files.index.jsonl.bytes: expected int, got bool"),
        (GOOD.replace("3", "3, \"x\": 1"), "files.index.jsonl: object contains unknown field x"),
        (GOOD.replace('"bytes": 3, ', ""), "files.index.jsonl: object missing required field byt"),
        ('{"files": {}, "shapes": [[1], [2, "x"]]}', "shapes.1.1: expected int, got str"),
        ('{"files": {}, "note": 3}', "note: expected str | null, got int"),
        ('{"files": {}, "gain": 1e999}', "not readable as JSON (Number out of range"),
        ("[]", "expected object, got array"),
        ('{"files": {"a": NaN}}', "not readable as JSON"),
        ('{"files": Infinity}', "not readable as JSON"),
        ("", "not readable as JSON"),
        ('{"files": {"\\ud800": {}}}', "not readable as JSON"),
    ],
)  # fmt: skip
def test_a_fault_names_its_path(text: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_json_as(text, Header, "x.json")
    assert str(caught.value).startswith(f"x.json: {where}")
    assert "\n" not in str(caught.value)


def test_a_fault_inside_a_dataclass_and_a_union_names_its_path() -> None:
    with pytest.raises(InputError, match=r"^x: inner\.files\.a\.b\.bytes: expected int"):
        convert_as({"names": [], "inner": {"files": {"a.b": {"bytes": "1"}}}}, Plain, "x")
    with pytest.raises(InputError, match=r"^x: names\.1: expected str, got int"):
        convert_as({"names": ["a", 1]}, Plain, "x")


@pytest.mark.parametrize("type", [Any, Header, dict[str, Any]])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 900 + "1" + "}" * 900,
        '{"a": ' + "9" * 5000 + "}",
        '{"a": -' + "9" * 41 + "}",
        '"' + '\\"' * 200_000,
    ],
)
def test_depth_and_digits_are_bounded(text: str, type: Any) -> None:
    with pytest.raises(InputError):
        decode_json_as(text, type, "x")


def test_what_is_deep_or_long_inside_a_text_is_text() -> None:
    long = "[" * 500 + '\\"' + "9" * 5000
    assert decode_json_as(f'["{long}"]', list[str], "x") == [long.replace("\\", "")]
    assert decode_json_as("[" * DEEPEST + "]" * DEEPEST, Any, "x")
    text = f'a = """{long}"""\nb = \'{"[" * 99}\' # {"{" * 99}\n'
    assert decode_toml_as(text, dict[str, str], "x")["b"] == "[" * 99


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 2000 + "]" * 2000,
        "a = " + "{a=" * 2000,
        "a" + ".a" * 100_000 + " = 1",
        "[a" + ' . "a"' * 50_000 + "]",
        "a = " + "9" * 5000,
        "a = 0x" + "f" * 100,
        "a = 99999999999999999999",
        "a = nan",
        "a = [1.0, -inf]",
        "a = 1e999",
        'a = """' + '\\"' * 100_000,
        "a = 1\na = 2",
        "a =",
    ],
)
def test_toml_is_bounded_too(text: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_toml_as(text, dict[str, Any], "x.toml")
    assert str(caught.value).startswith("x.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x"
    path.write_bytes('{"a": "café"}'.encode(encoding))
    with pytest.raises(InputError, match=r"UTF-8|not readable"):
        read_json_as(path, dict[str, str])
    with pytest.raises(InputError, match=r"UTF-8|not readable"):
        read_toml_as(path, dict[str, str])


def test_files_that_are_none_and_files_too_large(tmp_path: Path) -> None:
    for bad in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match=str(bad)):
            read_json_as(bad, Any)
        with pytest.raises(InputError, match=str(bad)):
            list(read_json_lines_as(bad, Any))
    big = tmp_path / "big"
    big.write_bytes(b" " * 101)
    with pytest.raises(InputError, match="larger than 100 bytes"):
        read_json_as(big, Any, largest=100)


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    path = tmp_path / "index.jsonl"
    path.write_text('{"a": "x\u2028y\u0085z"}\n\n{"a": 3}\n', encoding="utf-8", newline="")
    lines = read_json_lines_as(path, dict[str, str])
    assert next(lines)[1] == {"a": "x\u2028y\u0085z"}
    with pytest.raises(InputError, match=r"index\.jsonl: line 3: a: expected str, got int"):
        next(lines)
