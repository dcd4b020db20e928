"""An evaluation appears whole or not at all, and only own files go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.evaluation_files import write_evaluation

from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.evaluation.base.config import EvalConfig, SystemSpec
from midigroove_core.evaluation.output.folder import evaluation_folders
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.scorecard import files
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.kept import Kept


def config(out: Path, **options: object) -> EvalConfig:
    return EvalConfig((SystemSpec("a", Path("x"), Path("y")),), out, **options)


def write(settings: EvalConfig, sha: str, *names: str) -> None:
    with evaluation_folders(settings, sha) as places:
        manifest = {"format": "midigroove-evaluation", "schema": 1, "settings": sha}
        (places.out / "manifest.json").write_text(json.dumps(manifest))
        for name in names:
            (places.out / name).write_text(sha)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_older_tables_do_not_stay_and_foreign_files_do(tmp_path: Path) -> None:
    out = tmp_path / "eval"
    write(config(out), "one", "takes.csv", "clips.csv")
    (out / "preds").mkdir()
    (out / "preds" / "notes.txt").write_text("mine")
    (out / "report.html").write_text("mine")
    write(config(out), "one", "clips.csv")
    assert names(out) == {"manifest.json", "clips.csv", "report.html", "preds/notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == {"eval"}


def test_other_settings_need_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "eval"
    write(config(out), "one", "takes.csv")
    with pytest.raises(InputError, match="`overwrite`"):
        write(config(out), "two")
    assert (out / "takes.csv").read_text() == "one"
    write(config(out, overwrite=True), "two")
    assert names(out) == {"manifest.json"}


@pytest.mark.parametrize("content", ["{}", "no json", '{"format": "something else"}'])
def test_a_manifest_of_something_else_is_no_evaluation(tmp_path: Path, content: str) -> None:
    (tmp_path / "preds").mkdir()
    (tmp_path / "preds" / "a.wav").write_text("precious")
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="is no evaluation"):
        write(config(tmp_path, overwrite=True), "one")
    assert names(tmp_path) == {"manifest.json", "preds/a.wav"}


def test_a_failure_leaves_the_older_one_whole(tmp_path: Path) -> None:
    out = tmp_path / "eval"
    write(config(out), "one", "takes.csv")
    with pytest.raises(ZeroDivisionError), evaluation_folders(config(out), "one") as places:
        (places.out / "clips.csv").write_text("half")
        raise ZeroDivisionError
    assert names(out) == {"manifest.json", "takes.csv"}
    assert {path.name for path in tmp_path.iterdir()} == {"eval"}


def test_what_a_kill_leaves_is_cleared_and_put_back(tmp_path: Path) -> None:
    out = tmp_path / "eval"
    write(config(out), "one", "takes.csv")
    (tmp_path / ".eval.new-midigroove").mkdir()
    (tmp_path / ".eval.new-midigroove" / "clips.csv").write_text("half")
    out.rename(tmp_path / ".eval.old-midigroove")  # killed between the two renames
    with pytest.raises(InputError, match="`overwrite`"):
        write(config(out), "two")
    assert names(out) == {"manifest.json", "takes.csv"}
    assert {path.name for path in tmp_path.iterdir()} == {"eval"}


def test_the_second_process_is_refused(tmp_path: Path) -> None:
    with (
        evaluation_folders(config(tmp_path / "eval"), "one"),
        pytest.raises(MidigrooveError, match="another process is writing") as error,
    ):
        write(config(tmp_path / "eval"), "one")
    assert str(error.value).startswith(f"{(tmp_path / 'eval').resolve()}: ")


@pytest.mark.parametrize("file", ["../secret.wav", "/etc/passwd", "0/../../x.wav", "", "a\0b"])
def test_audio_outside_the_folder_is_refused(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "preds"
    folder.mkdir()
    clip = {
        "index": 0, "clip": "a@0", "kit": "", "drummer": "", "style": "", "bpm": 100,
        "start_sec": 0, "duration_sec": 1, "beats_sec": [], "hits": [],
        "rows": {"one": {"file": file, "gain": 1}},
    }  # fmt: skip
    (folder / "preds.json").write_text(json.dumps({"sample_rate": 16000, "clips": [clip]}))
    with pytest.raises(InputError, match=r"clips\.0\.rows\.one\.file: points outside"):
        Kept.read(folder)


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", "[" * 5000, '{"schema": 1}'])
def test_damaged_manifests_are_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError) as error:
        Evaluation.open(tmp_path)
    assert str(tmp_path / "manifest.json") in str(error.value) and "\n" not in str(error.value)


def whole_evaluation(out: Path, sha: str) -> None:
    """One that opens, every file of which says which it is."""
    reader = write_evaluation(out.parent / f"{out.name}-{sha}", {"one": float(sha)}, spread=0.0)
    with evaluation_folders(config(out, overwrite=True), sha) as places:
        for path in reader.iterdir():
            text = path.read_text()
            if path.name == "manifest.json":
                text = json.dumps({**json.loads(text), "settings": sha})
            (places.out / path.name).write_text(text)


def test_a_reader_during_the_swap_sees_a_whole_evaluation_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "eval"
    whole_evaluation(out, "1")
    seen: list[str] = []
    rename = os.replace

    def look(source: object, target: object) -> None:
        """What a reader finds after every step of the writer."""
        rename(source, target)
        try:
            found = Evaluation.open(out)
            figures = found.clip_figures("one").values["onset_f1_50ms"]
            assert np.all(figures == float(found.manifest.settings))
            seen.append(found.manifest.settings)
        except InputError as error:
            assert "is no evaluation" in str(error)
            seen.append("none")

    monkeypatch.setattr(os, "replace", look)
    whole_evaluation(out, "2")
    assert list(dict.fromkeys(seen)) == ["1", "none", "2"] or list(dict.fromkeys(seen)) == [
        "none", "2",
    ]  # fmt: skip


@pytest.mark.parametrize("when", ["manifest.json", "summary.json", "clips.csv", "preds.json"])
def test_a_reader_is_told_when_another_evaluation_takes_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The swap happens after one file was read and before the next one is."""
    out = tmp_path / "eval"
    whole_evaluation(out, "1")
    swapped: list[str] = []

    def swap(path: Path) -> None:
        if path.name == when and not swapped:
            swapped.append(when)
            whole_evaluation(out, "2")

    json_file, csv_file, kept = files.read_json, files.read_csv, Kept.read
    monkeypatch.setattr(files, "read_json", lambda path: (json_file(path), swap(path))[0])
    monkeypatch.setattr(files, "read_csv", lambda path, w=(): (swap(path), csv_file(path, w))[1])
    monkeypatch.setattr(Kept, "read", lambda place: (kept(place), swap(place / "preds.json"))[0])
    with pytest.raises(MismatchError, match="was replaced by another evaluation") as error:
        found = Evaluation.open(out)
        found.kept()
        found.clip_figures("one")
    assert swapped and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.0", "one", "line 2: onset_f1_50ms: expected a number, got 'one'"),
        ("1.0", "nan", "line 2: onset_f1_50ms: expected a number, got 'nan'"),
        ("\n", ",5\n", "line 2: expected 6 cells, got 7"),
        ("performance", "player", "has no column 'performance'"),
        ("clip", '"clip', "not readable as CSV"),
    ],
)
def test_damaged_tables_are_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    place = write_evaluation(tmp_path / "eval", {"one": 1.0}, spread=0.0)
    path = place / "clips.csv"
    head, _, rest = path.read_text().partition("\n")
    if old in head:
        path.write_text(head.replace(old, new, 1) + "\n" + rest)
    else:
        path.write_text(head + "\n" + rest.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        Evaluation.open(place).clip_figures("one")
    assert message in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("row", ["one", "two"])
def test_a_table_that_was_cut_short_is_named(tmp_path: Path, row: str) -> None:
    """At the end of a line, where no cell is missing."""
    place = write_evaluation(tmp_path / "eval", {"one": 1.0, "two": 0.5})
    path = place / "clips.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if f"@0,{row}," not in line))
    with pytest.raises(InputError, match=rf"clips.csv: has 39 clips of {row}, .* says 40"):
        compare_evaluations([place, write_evaluation(tmp_path / "other", {"three": 0.5})])


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], str(Path(sys.argv[1]).parent)]  # this file, and tests/support
from test_folder import config, write

out = Path(sys.argv[2]) / "eval"
CALLS = ("mkdir", "replace", "unlink", "rmdir", "fsync", "open")

def killed(number):
    "A child that dies right before that system call; whether it lived to the end."
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    left = [number]
    def counted(call):
        def instead(*args, **options):
            if left[0] == 0:
                os._exit(9)
            left[0] -= 1
            return call(*args, **options)
        return instead
    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    write(config(out, overwrite=True), "two", "clips.csv", "codes.csv")
    os._exit(0)

number, ended = 0, False
while not ended:
    write(config(out, overwrite=True), "one", "clips.csv", "takes.csv")
    (out / "notes.txt").write_text("mine")
    ended = killed(number)
    number += 1
    seen = sorted(p.name for p in out.iterdir()) if out.is_dir() else []
    whole = {
        "one": ["clips.csv", "manifest.json", "notes.txt", "takes.csv"],
        "two": ["clips.csv", "codes.csv", "manifest.json"],
    }
    if seen:
        said = (out / "clips.csv").read_text()
        assert [n for n in seen if n != "notes.txt"] == [n for n in whole[said] if n != "notes.txt"]
        assert said in (out / "manifest.json").read_text()
    write(config(out, overwrite=True), "two", "clips.csv", "codes.csv")
    assert sorted(p.name for p in out.iterdir()) == [*whole["two"], "notes.txt"], number
    assert [p.name for p in out.parent.iterdir()] == ["eval"], number
print(number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_it_is_whole_and_the_next_run_clears_up(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
