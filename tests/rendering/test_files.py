"""Which files are meant, where each goes, standard input and output."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from support.midi_bytes import beat, song

from midigroove_core.cli import run
from midigroove_core.errors import InputError
from midigroove_core.rendering.files import MidiInput, find_inputs, output_paths


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.mid", "a.MIDI", "deep/er/c.mid", "deep/notes.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(song(beat()))
    return tmp_path / "in"


def named(*names: str) -> list[MidiInput]:
    return [MidiInput(Path(name), Path(Path(name).name)) for name in names]


def test_folders_keep_their_tree_and_patterns_are_names(tree: Path) -> None:
    assert [str(one.place) for one in find_inputs([tree])] == ["a.MIDI", "b.mid", "deep/er/c.mid"]
    assert [one.path for one in find_inputs([f"{tree}/*.mid"])] == [tree / "b.mid"]
    assert [str(one.place) for one in find_inputs([f"{tree}/**/*.mid"])] == ["b.mid", "c.mid"]
    odd = tree / "take[1].mid"
    odd.write_bytes(song(beat()))
    assert [one.path for one in find_inputs([odd])] == [odd]
    for nothing in (tree / "deep" / "none*.mid", tree / "empty"):
        (tree / "empty").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="no file"):
            find_inputs([nothing])


def test_where_files_go(tmp_path: Path) -> None:
    assert output_paths(named("d/a.mid"), None) == [(Path("d/a.mid"), Path("d/a.wav"))]
    assert output_paths(named("a.mid"), "x.flac") == [(Path("a.mid"), Path("x.flac"))]
    pairs = output_paths(named("d/a.mid", "b.mid"), "out", folder=True)
    assert [audio for _, audio in pairs] == [Path("out/a.wav"), Path("out/b.wav")]
    dotted = tmp_path / "take.1"
    dotted.mkdir()
    for inputs in (named("a.mid"), named("a.mid", "b.mid")):
        pairs = output_paths(inputs, dotted, folder=len(inputs) > 1)
        assert pairs[0][1] == dotted / "a.wav"
    inputs = [MidiInput(Path("in/x/a.mid"), Path("x/a.mid"))]
    assert output_paths(inputs, "out", folder=True)[0][1] == Path("out/x/a.wav")
    assert output_paths(named("-"), "out")[0][1] == Path("out/groove.wav")


def test_places_that_cannot_be(tmp_path: Path) -> None:
    for inputs, out, folder, says in (
        (named("d/a.mid", "a.mid"), "out", True, "both d/a.mid and a.mid would be"),
        (named("b.mid", "a.mid"), "out.wav", True, "need a folder"),
        (named("-"), None, False, "standard input has no name"),
        (named("b.mid", "a.mid"), "-", True, "standard output takes one file"),
    ):
        with pytest.raises(InputError, match=says):
            output_paths(inputs, out, folder=folder)


def test_render_from_standard_input_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(song(beat()))))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=taken, isatty=lambda: False))
    assert run(["render", "-", "--engine", "sampler", "-o", "-"]) == 0
    audio, rate = soundfile.read(io.BytesIO(taken.getvalue()))
    assert rate == 44_100 and len(audio) == 168_132


def test_a_folder_is_rendered_with_its_tree(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["render", str(tree), "-o", str(out), "--engine", "sampler"]) == 0
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*.wav"))
    assert made == ["a.wav", "b.wav", "deep/er/c.wav"]
    assert run(["render", str(tree), "-o", str(out), "--engine", "sampler"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(
        "a.wav and 2 more are there already; --overwrite replaces, --out names another"
    )
