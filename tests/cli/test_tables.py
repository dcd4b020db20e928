"""At 80 columns nothing is cut: tables wrap at words, turn, or go on below."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from support.midi_bytes import beat, song

from midigroove_core.cli import run
from midigroove_core.cli.tables import tables


def shown(columns, rows, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    for table in tables(columns, rows, width):
        console.print(table)
    text = console.file.getvalue()
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    return text


def words(text: str) -> set[str]:
    return set(re.sub("[│┃]", " ", text).split())


@pytest.mark.parametrize("rows", [1, 2, 5, 30])
@pytest.mark.parametrize("columns", [2, 6, 14, 25])
def test_no_number_and_no_heading_is_broken(rows: int, columns: int) -> None:
    names = ["system", *(f"microtiming_{i}" for i in range(columns))]
    cells = [[f"row{r}", *(-1000.25 - r - 100 * c for c in range(columns))] for r in range(rows)]
    text = words(shown(names, cells))
    assert text >= set(names) | {f"row{r}" for r in range(rows)}
    assert text >= {f"{value:.4g}" for row in cells for value in row[1:]}


def test_text_wraps_at_words() -> None:
    reason = "SyntaxError: something long about what is wrong in this plugin and how to mend it"
    text = shown(["plugin", "distribution", "state"], [["acme", "acme-drums-and-more", reason]])
    assert words(text) >= set(reason.split()) | {"acme-drums-and-more"}


def test_only_a_word_longer_than_the_line_is_broken_and_none_is_lost() -> None:
    path = "/very" * 40
    text = shown(["what", "where"], [["cache", path], ["run", 5], ["eval", 6], ["x", 7]])
    assert path in re.sub(r"[│┃\s]|cache|what|where|━|─", "", text)


def test_rows_that_go_on_below_are_told_apart_there_too() -> None:
    rows = [["ar", "par", f"figure {n}", "x" * 40, "better", "y" * 30] for n in range(5)]
    text = shown(["first", "second", "metric", "values", "verdict", "more"], rows)
    below = text.split("verdict")[1]
    assert all(re.search(rf"ar\s+│ par\s+│ figure {n}", below) for n in range(5))


def test_a_wide_table_of_few_rows_is_turned() -> None:
    names = ["system", *(f"figure_{i}" for i in range(30))]
    text = shown(names, [["first", *range(30)], ["second", *range(100, 130)]])
    assert re.search(r"figure_29\s+│\s+29\s+│\s+129", text)


def test_empty_tables_and_narrow_terminals() -> None:
    assert "a" in shown(["a", "b"], [])
    assert words(shown(["a", "b"], [["x", 1.5]], width=20)) >= {"x", "1.5"}


def test_a_long_path_is_printed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ("a long folder name " * 6) / ("another " * 8)
    folder.mkdir(parents=True)
    midi = folder / "groove.mid"
    midi.write_bytes(song(beat((36, 38))))
    assert run(["inspect", str(midi)]) == 0
    assert str(midi) in capsys.readouterr().out.splitlines()
