"""Limits of the system: no room for a file, no descriptor: a reason in plain words."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.midi_bytes import beat, song

from midigroove_core.cli import run as midigroove

resource = pytest.importorskip("resource")

SCRIPT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from midigroove_core.cli import main
main(sys.argv[1:])
"""


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(song(beat()))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "render", "a.mid", "--engine", "sampler", "--tail", "9",
         "-o", "a.wav"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "System error" not in done.stderr
    assert "cannot write a.wav: not all of the audio was taken; is the disk full?" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mid"]


def test_no_descriptor_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("midigroove_core.kits.library.list_kits", fail)
    assert midigroove(["kits"]) == 2
    assert "Too many open files; raise the limit (ulimit -n)" in capsys.readouterr().err
