"""Comparing evaluations: what must agree, what is told, and who is better."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.evaluation_files import write_evaluation

from midigroove_core.cli import run
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.report.side_by_side import side_by_side
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.records import HeardWith


def test_the_better_system_is_named(tmp_path: Path) -> None:
    first = write_evaluation(tmp_path / "a", {"early": 0.5})
    second = write_evaluation(tmp_path / "b", {"late": 0.7})
    found = compare_evaluations([first, second])
    assert found.notes == ()
    by_metric = {line.metric: line for line in found.differences}
    assert by_metric["onset_f1_50ms"].found.mean == pytest.approx(0.2)
    assert by_metric["onset_f1_50ms"].better == "late"
    # A level of -0.5 dB is nearer to right than one of -0.7 dB.
    assert by_metric["level_difference_db"].better == "early"
    assert "rmse" not in by_metric  # not trusted
    assert found.columns == ["figure", "early", "late"]
    assert [row[0] for row in found.mean_rows] == ["Onset F1 ↑", "Level, dB →0"]
    assert float(found.mean_rows[0][2]) - float(found.mean_rows[0][1]) == pytest.approx(
        0.2, abs=0.01
    )


def test_one_of_many_equal_systems_does_not_look_better_by_chance(tmp_path: Path) -> None:
    """A difference that stands alone need not stand as one of thirty."""
    names = [f"same{number}" for number in range(8)]
    paths = [
        write_evaluation(tmp_path / name, {name: 0.5}, noise_seed=i) for i, name in enumerate(names)
    ]
    found = compare_evaluations(paths)
    assert any(line.found.verdict != "not distinguishable" for line in found.differences)
    assert {line.better for line in found.differences} == {"not distinguishable"}
    pair = min(found.differences, key=lambda line: line.p or 1.0)
    assert pair.p < 0.05 < pair.p_holm
    alone = compare_evaluations([tmp_path / pair.first, tmp_path / pair.second])
    assert [line.p for line in alone.differences if line.metric == pair.metric] == [pair.p]


def test_all_kits_and_settings_are_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = write_evaluation(tmp_path / "small", {"dac": 0.5})
    large = write_evaluation(tmp_path / "large", {"dac": 0.7}, first_clip=400, clips=8)
    (large / "per_kit.csv").write_text("kit,row,clips,onset_f1_50ms,rmse\nJazz,dac,8,0.7,0.1\n")
    (large / "sets.csv").write_text("kit,row,frechet_distance\nJazz,dac,0.3\nJazz,floor,0.1\n")
    found = side_by_side([small, large])
    assert found.metrics == ("onset_f1_50ms", "frechet_distance")
    assert [line[:4] for line in found.lines] == [
        ("small", "dac", "all", 40), ("large", "dac", "all", 8), ("large", "dac", "Jazz", 8),
    ]  # fmt: skip
    assert found.lines[2][4] == (0.7, 0.3)
    assert run(["compare", "--kits", "--json", str(small), str(large)]) == 0
    assert json.loads(capsys.readouterr().out)[2]["frechet_distance"] == 0.3


def test_an_evaluation_is_not_compared_with_itself(tmp_path: Path) -> None:
    first = write_evaluation(tmp_path / "a", {"early": 0.5})
    with pytest.raises(InputError, match=r"a is named twice"):
        compare_evaluations([first, tmp_path / "b" / ".." / "a"])


def test_another_embedding_is_told(tmp_path: Path) -> None:
    """The figures of clips compare all the same; those of sets do not."""
    spaces = [
        {"id": "clap", "config": {}, "weights_sha": sha, "fingerprint": sha * 64} for sha in "ab"
    ]
    first = write_evaluation(tmp_path / "a", {"one": 0.5}, embedding=spaces[0])
    again = write_evaluation(tmp_path / "b", {"two": 0.5}, embedding=spaces[0])
    other = write_evaluation(tmp_path / "c", {"two": 0.5}, embedding=spaces[1])
    without = write_evaluation(tmp_path / "d", {"two": 0.5}, embedding=None)
    assert compare_evaluations([first, again]).notes == ()
    (note,) = compare_evaluations([first, other]).notes
    assert "clap aaaaaaaa" in note and "clap bbbbbbbb" in note and "sets.csv" in note
    (note,) = compare_evaluations([first, without]).notes
    assert "none in" in note


def test_drums_heard_with_other_templates_are_told(tmp_path: Path) -> None:
    paths = []
    for name, how in (("a", "fitted to 90 s of other recordings"), ("b", "own one-shots")):
        heard = tuple(
            HeardWith(kit, words, 0.0, False, [], {})
            for kit, words in (("jazz", how), ("room", "own one-shots"))
        )
        paths.append(write_evaluation(tmp_path / name, {name: 0.5}, heard_with=heard))
    (note,) = compare_evaluations(paths).notes
    assert note.startswith("drums of jazz were heard with other templates")


def test_equal_systems_are_not_distinguishable(tmp_path: Path) -> None:
    paths = [write_evaluation(tmp_path / name, {"same": 0.5}) for name in ("a", "b")]
    found = compare_evaluations(paths)
    line = found.differences[0]
    assert (line.first, line.second) == ("a/same", "b/same")
    assert line.better == "not distinguishable"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clips__split": "validation"}, r"another split: clips\.split is test and validation"),
        ({"reference__kind": "oracle"}, "another kind of reference"),
        ({"reference__dataset": "e"}, "another dataset"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    first = write_evaluation(tmp_path / "a", {"x": 0.5})
    second = write_evaluation(tmp_path / "b", {"y": 0.5}, **change)
    with pytest.raises(MismatchError, match=message):
        compare_evaluations([first, second])


def test_other_clips_need_intersection(tmp_path: Path) -> None:
    first = write_evaluation(tmp_path / "a", {"x": 0.5})
    second = write_evaluation(tmp_path / "b", {"y": 0.5}, first_clip=20)
    with pytest.raises(MismatchError, match="intersection"):
        compare_evaluations([first, second])
    found = compare_evaluations([first, second], intersection=True)
    assert found.notes == ("compared over the 20 clips that all have",)
    third = write_evaluation(tmp_path / "c", {"z": 0.5}, first_clip=100)
    with pytest.raises(MismatchError, match="no clip in common"):
        compare_evaluations([first, third], intersection=True)


def test_small_differences_are_told(tmp_path: Path) -> None:
    first = write_evaluation(tmp_path / "a", {"x": 0.5})
    second = write_evaluation(tmp_path / "b", {"y": 0.5}, versions={"midigroove": "0.2.0"}, seed=1)
    notes = compare_evaluations([first, second]).notes
    assert len(notes) == 2 and "0.2.0" in notes[0] and notes[1].startswith("seed differs")


def test_directories_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs two"):
        compare_evaluations([tmp_path])
    with pytest.raises(InputError, match="is no evaluation"):
        Evaluation.open(tmp_path)
    old = write_evaluation(tmp_path / "old", {"x": 0.5}, schema=0)
    with pytest.raises(MismatchError, match="schema 0, this version reads 1"):
        Evaluation.open(old)
    gone = write_evaluation(tmp_path / "gone", {"x": 0.5})
    (gone / "clips.csv").unlink()
    with pytest.raises(InputError, match=r"clips\.csv"):
        compare_evaluations([gone, write_evaluation(tmp_path / "whole", {"y": 0.5})])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write_evaluation(tmp_path / "a", {"early": 0.5})
    second = write_evaluation(tmp_path / "b", {"late": 0.7})
    assert run(["compare", str(first), str(second)]) == 0
    assert "late" in capsys.readouterr().out
    assert run(["compare", str(first), str(second), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"][0]["found"]["verdict"] == "second"
    assert run(["compare", str(first), str(tmp_path / "nowhere")]) == 2


def test_comparing_needs_no_torch() -> None:
    code = "import sys, midigroove_core.report.compare; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
