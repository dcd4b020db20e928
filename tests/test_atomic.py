"""Files are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from midigroove_core import atomic
from midigroove_core.errors import InputError, MidigrooveError


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic.write_json(path, {"old": 1})
    with pytest.raises(ZeroDivisionError), atomic.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert atomic.read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_the_temporary_name_keeps_the_suffix(tmp_path: Path) -> None:
    """numpy renamed `x.npz.tmp` to `x.npz.tmp.npz`, and every clip of the baseline failed."""
    with atomic.atomic_path(tmp_path / "a.npz") as temporary:
        assert temporary.suffix == ".npz"


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MidigrooveError, match=r"cannot write .*a\.txt: No space left on device"):
        atomic.write_text(tmp_path / "a.txt", "x")
    assert os.listdir(tmp_path) == []


def test_json_is_the_same_bytes_for_the_same_content() -> None:
    assert atomic.dump_json({"b": 1, "a": 2}) == atomic.dump_json({"a": 2, "b": 1})
    with pytest.raises(ValueError):
        atomic.dump_json({"a": float("nan")})


@pytest.mark.parametrize("content", ["{", "\xff\xfe"])
def test_bad_json_names_the_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.json: (not readable as JSON|is UTF-16|not UTF-8)"):
        atomic.read_json(path)
    with pytest.raises(InputError, match="no such file"):
        atomic.read_json(tmp_path / "b.json")


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    atomic.write_bytes(tmp_path / "a", b"abc")
    assert atomic.sha256_of_file(tmp_path / "a") == atomic.sha256_of(b"abc")
