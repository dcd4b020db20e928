"""A lock keeps the second writer out, and dies with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from midigroove_core.errors import MidigrooveError
from midigroove_core.lock import LOCK, lock_folder


def test_the_second_is_refused_and_the_third_is_let_in(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with lock_folder(folder, "training run"):
        with (
            pytest.raises(MidigrooveError, match="run: another process is writing to this train"),
            lock_folder(folder, "training run"),
        ):
            raise AssertionError("both hold it")
        with lock_folder(folder, "other", name=".other"):
            pass
    assert list(folder.iterdir()) == []
    with lock_folder(folder, "training run"):
        pass


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from midigroove_core.lock import lock_folder\n"
        "with lock_folder(sys.argv[1], 'cache'): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL and (tmp_path / LOCK).exists()
    with lock_folder(tmp_path, "cache"):
        pass
    assert not (tmp_path / LOCK).exists()


def test_a_block_that_raises_gives_it_back(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock_folder(tmp_path, "cache"):
        raise KeyError("x")
    assert not (tmp_path / LOCK).exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(MidigrooveError, match="cannot write"),
        lock_folder(tmp_path / "file", "cache"),
    ):
        pass
