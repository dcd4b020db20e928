"""The example of each kind of plugin, installed and used through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from support.example_plugins import EXAMPLES, example_installed
from support.toy_systems import make_toy_dataset, performance

from midigroove_core import open_dataset, save_midi
from midigroove_core.audio import load_audio
from midigroove_core.cache.build import build_cache
from midigroove_core.checkpoint import read_metadata
from midigroove_core.cli import run
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.testing import ToyCodec

KINDS = ("codec", "featurizer", "model", "reader", "metric", "command")
pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="only in a checkout, not in the sdist"
)


@pytest.fixture
def example(
    request: pytest.FixtureRequest, tmp_path: Path, only_builtins: None, toy_plugin_name: str
) -> Iterator[Path]:
    """The example of the kind that the test names, beside the toy codec."""
    with example_installed(request.param, tmp_path / "site", toy_plugin_name) as folder:
        yield folder


@pytest.mark.parametrize("example", KINDS, indirect=True)
def test_every_example_is_sound(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plugins", "--check", "--json"]) == 0
    states = {state["distribution"]: state for state in json.loads(capsys.readouterr().out)}
    state = states[example.name.replace("_", "-")]
    assert state["hooks"] and not state["errors"] and not state["warnings"]


@pytest.mark.parametrize("example", KINDS, indirect=True)
def test_every_example_is_small(example: Path) -> None:
    files = (example / "src").rglob("*.py")
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) <= 105


@pytest.mark.parametrize("example", ["codec"], indirect=True)
def test_the_codec_fills_a_cache(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, cache = make_toy_dataset(tmp_path / "data", train=1, test=1), tmp_path / "cache"
    arguments = ["--codec", "band", "--dataset", str(dataset), "--out", str(cache)]
    assert run(["cache", *arguments, "--device", "cpu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cached"] == 4
    assert run(["inspect", str(cache), "--verify"]) == 0


@pytest.mark.parametrize("example", ["featurizer"], indirect=True)
def test_the_featurizer_is_trained_with_and_rendered_with(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(1)
    assert run(["featurizers"]) == 0
    assert "three_drums" in capsys.readouterr().out
    dataset = open_dataset(make_toy_dataset(tmp_path / "data", train=2, test=1))
    build_cache(dataset, ToyCodec(), tmp_path / "cache", device="cpu")
    arguments = [
        "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "run"), "--featurizer",
        "three_drums", "--preset", "tiny", "--max-steps", "2", "--valid-split", "test",
    ]  # fmt: skip
    assert run(["train", *arguments]) == 0
    assert read_metadata(tmp_path / "run").featurizer.id == "three_drums"
    save_midi(performance(8, 2.0), tmp_path / "beat.mid")
    arguments = [
        str(tmp_path / "beat.mid"), "--checkpoint", str(tmp_path / "run"), "-o",
        str(tmp_path / "beat.wav"),
    ]  # fmt: skip
    assert run(["render", *arguments]) == 0
    assert load_audio(tmp_path / "beat.wav")[1] == 16000


@pytest.mark.parametrize("example", ["reader"], indirect=True)
def test_what_the_reader_reads_is_rendered(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["readers"]) == 0
    assert ".drumtab" in capsys.readouterr().out
    tab, audio = example / "tests" / "beat.drumtab", tmp_path / "beat.wav"
    assert run(["render", str(tab), "--engine", "sampler", "--tail", "0", "-o", str(audio)]) == 0
    samples, rate = load_audio(audio)
    assert samples.shape[-1] / rate == pytest.approx(2.5) and abs(samples).max() > 0.05


@pytest.mark.parametrize("example", ["metric"], indirect=True)
def test_the_metric_is_a_column_and_a_row_of_the_table(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, out = make_toy_dataset(tmp_path / "data", train=0, test=1), tmp_path / "eval"
    assert run(["metrics"]) == 0
    assert "spectral_flatness" in capsys.readouterr().out
    arguments = [
        "--metric", "spectral", "--audio", f"copy:{dataset}", "--dataset", str(dataset),
        "--embedding", "none", "--max-items", "2", "--save-preds", "0", "--no-add-sampler",
    ]  # fmt: skip
    assert run(["eval", *arguments, "--out", str(out)]) == 0
    assert "Spectral flatness, dB" in capsys.readouterr().out
    found = Evaluation.open(out).columns("clips.csv")
    flatness = dict(zip(found["row"].tolist(), found["spectral_flatness"].tolist(), strict=True))
    assert flatness["recording"] == flatness["copy"] == 0 and flatness["silence"] > 1


@pytest.mark.parametrize("example", ["command"], indirect=True)
def test_the_command_runs_and_its_errors_are_one_line(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_midi(performance(8, 2.0), tmp_path / "beat.mid")
    assert run(["hits", str(tmp_path / "beat.mid")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(int(line.split()[-1]) for line in lines) == 8
    assert run(["hits", str(tmp_path / "missing.mid")]) == 2
    assert "missing.mid" in capsys.readouterr().err
