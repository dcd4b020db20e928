"""The commands cache, inspect and codec-stats, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cache_fixtures import files_of, make_dataset

from midigroove_core.checkpoint import STATE_KEY
from midigroove_core.cli import run
from midigroove_core.tensorfile import save_arrays

PLUGIN = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("toy", "midigroove_core.testing:ToyCodec", default=True)
"""


@pytest.fixture
def data(tmp_path: Path, install_plugin) -> Path:
    install_plugin("toys", PLUGIN)
    dataset = make_dataset(tmp_path / "data", count=3, kits=("a",))
    for take in dataset.takes:  # a folder of pairs: wav and mid of one stem beside each other
        midi = dataset.midi_path(take)
        midi.rename(dataset.audio_path(take).with_suffix(".mid"))
    return tmp_path / "data"


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_cache_then_inspect(data: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "cache"
    made = ("cache", "--codec", "toy", "--dataset", data, "--out", out, "--json")
    code, text, _ = command(capsys, *made, "--codec-option", "num_codebooks=2")
    assert code == 0
    assert (json.loads(text)["cached"], json.loads(text)["finished"]) == (3, True)
    code, text, _ = command(capsys, "inspect", out, "--verify", "--json")
    found = json.loads(text)
    assert (code, found["kind"], found["verified"]) == (0, "cache", True)
    assert found["codec_config"]["num_codebooks"] == 2
    assert found["provider"] == {"distribution": "toys", "version": "1.0"}
    code, text, _ = command(capsys, "inspect", out)
    assert code == 0 and "codec_facts.hop_length" in text
    code, _, err = command(capsys, *made)
    assert code == 2 and err.count("\n") == 1
    assert "codec_config.num_codebooks is 2 in this cache and 4 now" in err


def test_ranks_come_from_the_environment(
    data: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ("cache", "--codec", "toy", "--dataset", data, "--out", tmp_path / "cache")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert command(capsys, *made)[0] == 0
    code, text, _ = command(capsys, "inspect", tmp_path / "cache", "--json")
    assert json.loads(text)["kind"] == "unfinished cache"
    code, text, _ = command(capsys, *made, "--finish", "--json")
    found = json.loads(text)
    assert code == 0 and found["finished"] and 0 < found["encoded"] < found["cached"] == 3


def test_nothing_cached_exits_with_2(data: Path, tmp_path: Path, capsys) -> None:
    for wav in data.rglob("*.wav"):
        wav.write_bytes(b"")
    made = ("cache", "--codec", "toy", "--dataset", data, "--out", tmp_path / "cache")
    code, _, err = command(capsys, *made)
    assert code == 2 and "nothing was cached; all 3 takes were left out" in err
    assert list(files_of(tmp_path / "cache")) == ["skipped.jsonl"]


def test_inspect_tells_files_apart(tmp_path: Path, capsys) -> None:
    save_arrays(tmp_path / "last.state", {}, STATE_KEY, {"step": 3})
    code, text, _ = command(capsys, "inspect", tmp_path / "last.state", "--json")
    assert (code, json.loads(text)["state"]) == (0, {"step": 3})
    (tmp_path / "notes.txt").write_text("words")
    for wrong in (tmp_path / "notes.txt", tmp_path / "nowhere", tmp_path):
        code, _, err = command(capsys, "inspect", wrong)
        assert code == 2 and str(wrong) in err.replace("\n", "")
