"""Files are whole or absent."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
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


KILLED = """
import os, signal, sys
from midigroove_core.atomic import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_while_writing(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    kill_while_writing(tmp_path / "a.json")
    assert len(os.listdir(tmp_path)) == 1
    atomic.write_json(tmp_path / "a.json", {})
    assert os.listdir(tmp_path) == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"{}\n"


def test_leftovers_are_cleared_and_nothing_else(tmp_path: Path) -> None:
    kill_while_writing(tmp_path / "deep" / "a.wav")
    kill_while_writing(tmp_path / "b")
    kept = {".hidden", ".a.tmp.b.c", "a.tmp.wav", "b.tmp"}
    for name in kept:
        (tmp_path / name).touch()
    with atomic.atomic_path(tmp_path / "living") as temporary:
        temporary.write_text("x")
        atomic.clear_leftovers(tmp_path)
    atomic.clear_leftovers(tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*kept, "living"}


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic.atomic_path(path) as first, atomic.atomic_path(path) as second:
        assert first != second
        second.write_text("second")
        first.write_text("first")
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["a"]


def test_a_temporary_name_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".a.tmp").symlink_to(victim)
    atomic.write_text(tmp_path / "a", "text")
    assert victim.read_text() == "mine"
    assert (tmp_path / "a").read_text() == "text"


def test_names_that_the_file_system_does_not_take(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / ("x" * 250 + ".txt"), "fits")
    with pytest.raises(InputError, match="does not take this name"):
        atomic.write_text(tmp_path / ("x" * 300), "does not fit")
    assert len(os.listdir(tmp_path)) == 1


def test_json_of_any_text_is_one_line_and_comes_back(tmp_path: Path) -> None:
    text = "caf\udce9 \u2028 \x85 \x1b[31m \x7f \n é 音"
    for ascii_only in (False, True):
        line = atomic.dump_json([text], indent=None, ascii_only=ascii_only)
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line
        assert json.loads(line) == [text]
        line.encode("ascii" if ascii_only else "utf-8")
