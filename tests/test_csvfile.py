"""CSV files: what is written comes back, spreadsheets see no formula, damage is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from midigroove_core.csvfile import csv_text, read_csv, read_number, write_csv
from midigroove_core.errors import InputError


def test_texts_come_back_whatever_they_begin_with(tmp_path: Path) -> None:
    texts = ["=1+1", "'=1", "''=1", "'a", "-", "+", "-2+3", "-6.9 ±0.2", "-3 to 2", "@a", "\t", "a"]
    write_csv(tmp_path / "a.csv", ["name"], [[text] for text in texts])
    assert [line["name"] for line in read_csv(tmp_path / "a.csv")] == texts


def test_figures_are_no_formulas() -> None:
    assert csv_text(["a"], [["-6.94"], ["-6.94 ±1.9"], ["-1e-06"], ["-3 to 2"]]) == (
        "a\n-6.94\n-6.94 ±1.9\n-1e-06\n-3 to 2\n"
    )
    assert csv_text(["a"], [["-2+cmd|x"], ["=1"]]) == "a\n'-2+cmd|x\n'=1\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1\n", "line 2: expected 2 cells, got 1"),
        (b"a,b\n1,2\n\xff\xfe,2\n", "not UTF-8"),
        (b'a,b\n"1,2\n', "not readable as CSV"),
        (b"b,c\n1,2\n", "has no column 'a'"),
        (b"", "has no column 'a'"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_csv(path, ("a",))
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_cells_that_are_no_numbers(tmp_path: Path) -> None:
    assert read_number({"a": ""}, "a", "x") is None and read_number({}, "a", "x") is None
    assert read_number({"a": "-1e3"}, "a", "x") == -1000.0
    for text in ("nan", "inf", "one"):
        with pytest.raises(InputError, match=f"x: line 3: a: expected a number, got '{text}'"):
            read_number({"a": text}, "a", "x: line 3")
