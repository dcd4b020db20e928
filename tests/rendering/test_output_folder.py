"""Where several files go: a folder that is there is one, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from midigroove_core.errors import InputError
from midigroove_core.rendering import files, sources
from midigroove_core.rendering.files import MidiInput
from midigroove_core.rendering.files import output_paths as places


def output_paths(names: list[str], out: Path) -> list[tuple[Path, Path]]:
    return places([MidiInput(Path(n), Path(n)) for n in names], out, folder=len(names) > 1)


def test_a_folder_with_a_dot_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "e-gmd-v1.0.0"
    folder.mkdir()
    for midi in (["a.mid"], ["a.mid", "b.mid"]):
        assert [out for _, out in output_paths(midi, folder)] == [
            folder / f"{Path(name).stem}.wav" for name in midi
        ]
    new = tmp_path / "takes.v2"
    assert output_paths(["a.mid", "b.mid"], new)[1][1] == new / "b.wav"


def test_a_file_is_no_folder_for_several(tmp_path: Path) -> None:
    there = tmp_path / "notes.txt"
    there.write_text("x")
    for out in (tmp_path / "a.wav", there):
        with pytest.raises(InputError, match="several MIDI files need a folder"):
            output_paths(["a.mid", "b.mid"], out)
    assert output_paths(["a.mid"], tmp_path / "a.wav") == [(Path("a.mid"), tmp_path / "a.wav")]


def test_a_file_that_is_not_there_loads_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "open_engine", lambda *_: pytest.fail("loaded"))
    results = files.from_files_to_files([(tmp_path / "no.mid", tmp_path / "no.wav")])
    assert "no.mid" in str(results[0].error)
