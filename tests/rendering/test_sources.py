"""Takes of a cache are rendered by their keys, each on its own kit, and codes are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from support.toy_systems import TOY_PLUGIN, make_toy_dataset, save_toy_checkpoint
from support.typed_pipeline import typed

from midigroove_core.audio import load_audio
from midigroove_core.cli import run


@pytest.fixture
def made(tmp_path: Path, install_plugin: Callable[..., None]) -> Path:
    install_plugin("toy-plugin", TOY_PLUGIN)
    make_toy_dataset(tmp_path / "data", train=1, test=1, end_sec=2.0)
    typed("cache", "--codec", "toy", "--dataset", tmp_path / "data", "--out", tmp_path / "cache")
    save_toy_checkpoint(tmp_path / "toy.safetensors")  # it knows Jazz, and no power kit
    return tmp_path


def test_cached_takes_are_rendered_with_their_codes(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["render", "--cache", made / "cache", "--checkpoint", made / "toy.safetensors"]
    capsys.readouterr()
    typed(*asked, "power/0.wav", "jazz/1.wav", "--save-codes", "--json", "-o", made / "out")
    said = json.loads(capsys.readouterr().out)
    assert [one["kit"] for one in said] == ["unknown", "Jazz"]
    sound, rate = load_audio(made / "out" / "power" / "0.wav")
    codes = load_file(made / "out" / "power" / "0.codes.safetensors")["codes"]
    assert codes.dtype == "uint32" and codes.ndim == 2
    assert codes.shape[1] > 0 and sound.shape[1] == pytest.approx(rate * said[0]["duration_sec"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["power/9.wav", "-o", "a.wav"], "no take 'power/9.wav'"),
        (["power/0.wav"], "say where with --out"),
        (["power/0.wav", "-o", "a.wav", "--loop", "--save-codes"], "drawn by the model"),
    ],
)
def test_what_cannot_be_is_a_line(
    made: Path, more: list[str], says: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(made)
    assert run(["render", "--cache", "cache", "--checkpoint", "toy.safetensors", *more]) == 2
    assert says in capsys.readouterr().err
    assert not (made / "a.wav").exists()
