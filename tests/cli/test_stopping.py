"""Signals, memory and names that steer terminals: one plain line each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.midi_bytes import beat, song
from support.trainable_cache import make_cache

from midigroove_core.cli import run as midigroove
from midigroove_core.cli.stopping import Stopped, last_words, raising_stopped
from midigroove_core.cli.texts import printable

PROGRAM = "import sys; from midigroove_core.cli import main; main(sys.argv[1:])"


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGINT, 130, "stopped; what is done is kept: give the same command again to go on"),
        (signal.SIGTERM, 75, "run: stopped and saved at step"),
    ],
)
def test_a_run_that_is_stopped_says_how_to_go_on(
    tmp_path: Path, number: int, code: int, says: str
) -> None:
    make_cache(tmp_path / "cache", performances=3)
    # A shell that starts the tests in the background has Ctrl-C ignored; programs inherit that.
    restore = f"import signal; signal.signal({signal.SIGINT.value}, signal.default_int_handler); "
    program = subprocess.Popen(
        [sys.executable, "-c", restore + PROGRAM, "train", "--cache", str(tmp_path / "cache"),
         "--out", str(tmp_path / "run"), "--preset", "tiny", "--device", "cpu", "--threads", "1"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        stop = time.monotonic() + 60
        while not (tmp_path / "run" / "state.safetensors").exists() and time.monotonic() < stop:
            time.sleep(0.02)
        program.send_signal(number)
        out, said = program.communicate(timeout=60)
    finally:
        program.kill()
    assert (program.returncode, out) == (code, "")
    assert says in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


def test_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped), raising_stopped():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert "give the same command again" in last_words(["render", "a.mid"])


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_no_memory_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("midigroove_core.kits.library.list_kits", fail)
    assert midigroove(["kits"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: there is not enough memory") and said.count("\n") == 1


def test_names_do_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printable("\x1b[2Ja\u202eb\x9b\udce9 é\n") == "\\x1b[2Ja\\u202eb\\x9b\\udce9 é\n"
    hostile = tmp_path / "\x1b[2J\x1b]0;owned\x07.mid"
    hostile.write_bytes(song(beat())[:20])
    assert midigroove(["render", str(hostile), "--engine", "sampler"]) == 2
    hostile.write_bytes(song(beat()))
    out = tmp_path / "\x1b[31m.wav"
    assert midigroove(["render", str(hostile), "--engine", "sampler", "-o", str(out)]) == 0
    assert midigroove(["render", str(tmp_path / "\x9bK\nerror: x"), "-o", "x.wav"]) == 2
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err and "\x9b" not in said.err
    assert "\\x1b[2J" in said.err
