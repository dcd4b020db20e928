"""The csv files of an evaluation by columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.evaluation_files import write_evaluation

from midigroove_core.errors import InputError
from midigroove_core.scorecard.files import Evaluation


def test_columns_are_numbers_and_names(tmp_path: Path) -> None:
    path = write_evaluation(tmp_path / "a", {"1": 0.5}, clips=3)
    (path / "per_drum.csv").write_text("drum,row,f1,trusted\nkick,1,0.5,True\ntom,1,,False\n")
    found = Evaluation.open(path)
    clips = found.columns("clips.csv")
    assert list(clips) == [
        "clip", "row", "performance", "onset_f1_50ms", "level_difference_db", "rmse",
    ]  # fmt: skip
    assert clips["row"].tolist() == ["1"] * 3  # a name, though it reads like a number
    assert clips["onset_f1_50ms"].dtype == np.float64 and np.isnan(clips["rmse"]).all()
    drums = found.columns("per_drum.csv")
    assert drums["trusted"].tolist() == [True, False]
    np.testing.assert_array_equal(drums["f1"], [0.5, np.nan])


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = write_evaluation(tmp_path / "a", {"x": 0.5}, clips=3)
    (path / "takes.csv").write_text("take,row,velocity_correlation\nt,x,0.1\nt,x,loud\n")
    with pytest.raises(InputError, match=r"takes\.csv: line 3"):
        Evaluation.open(path).columns("takes.csv")
    with pytest.raises(InputError, match=r"sets\.csv"):
        Evaluation.open(path).columns("sets.csv")
