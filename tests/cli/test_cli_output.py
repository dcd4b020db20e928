"""What commands print: texts from files and plugins are shown as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from midigroove_core import cli
from midigroove_core.cli.bars import TerminalProgress
from midigroove_core.cli.output import _Console, print_table, stderr


def test_what_is_wrong_stands_before_a_long_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    far = tmp_path / ("folder" * 8) / "take.mid"
    assert cli.run(["inspect", str(far)]) == 2
    assert capsys.readouterr().err == f"error: no such file ({far})\n"
    monkeypatch.chdir(tmp_path)
    assert cli.run(["inspect", "near/take.mid"]) == 2
    assert capsys.readouterr().err == "error: near/take.mid: no such file\n"


def test_brackets_in_tables_are_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Level [dB]", ["row [bold]", "kit :drum:"], [["mine [red]", 1.5]])
    shown = capsys.readouterr().out
    for text in ("Level [dB]", "row [bold]", "kit :drum:", "mine [red]"):
        assert text in shown


def test_brackets_in_progress_are_text_not_markup() -> None:
    progress = TerminalProgress(stderr)
    progress.start("Reading [a]", 2)
    progress.advance(1, path="eval/[red]x[/]")
    with stderr.capture() as shown:
        stderr.print(progress._bars.get_renderable())
    progress.finish()
    assert "Reading [a]" in shown.get() and "eval/[red]x[/]" in shown.get()


def test_lines_in_pipes_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    line = "/a/long/path" * 20
    _Console(width=80).print(line)
    assert capsys.readouterr().out == f"{line}\n"


PRINTS = "import sys; from midigroove_core.cli.output import print_json; print_json(sys.argv[1])"


@pytest.mark.parametrize("name", ["\u30b0", "\U0001f941"], ids=["katakana", "drum"])
def test_what_the_encoding_lacks_is_escaped(tmp_path: Path, name: str) -> None:
    def run(*arguments: str) -> bytes:
        path = os.pathsep.join(filter(None, sys.path))
        env = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "300", "PYTHONPATH": path}
        done = subprocess.run([sys.executable, *arguments], capture_output=True, env=env)
        assert b"Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert json.loads(run("-c", PRINTS, name)) == name
    shown = run("-m", "midigroove_core", "inspect", str(tmp_path / f"{name}.mid"))
    assert name.encode("unicode_escape") in shown and b"error" in shown
