"""What commands print: texts from files and plugins are shown as they are."""

from __future__ import annotations

import pytest

from midigroove_core.cli.bars import TerminalProgress
from midigroove_core.cli.output import print_table, stderr


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
