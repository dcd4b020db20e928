"""Commands as people type them first: nothing named but a codec."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.toy_systems import make_toy_dataset

from midigroove_core.audio import save_audio
from midigroove_core.cli import run
from midigroove_core.cli.defaults import dataset_to_cache, dataset_to_judge
from midigroove_core.datasets import synth
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.progress import Silent

TINY = (
    "--preset", "tiny", "--max-steps", "1", "--batch-size", "2", "--device", "cpu", "--valid-split",
    "test", "--set", "model_args.dim=16", "--set", "model_args.layers=1",
    "--set", "model_args.heads=2", "--set", "model_args.head_dim=8",
)  # fmt: skip
SHORT = (
    "--max-items", "1", "--embedding", "none", "--long-items", "0", "--knee-items", "0",
    "--no-add-nearest", "--no-add-sampler", "--no-add-oracle", "--no-add-random",
    "--no-add-unigram", "--device", "cpu", "--save-preds", "0",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("EGMD_CSV", "EGMD_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_cache_train_and_eval_follow_each_other(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EGMD_ROOT", str(make_toy_dataset(here / "dataset", train=2, test=2)))
    assert run(["cache", "--codec", "groove", "--device", "cpu"]) == 0
    assert "chosen: out cache/groove" in capsys.readouterr().err
    assert run(["train", *TINY]) == 0
    told = capsys.readouterr().err
    assert "chosen: cache cache/groove" in told and "chosen: out runs/groove" in told
    assert run(["eval", "--system", "groove", *SHORT]) == 0
    told = capsys.readouterr().err
    assert "chosen: system groove:runs/groove/best.safetensors:cache/groove" in told
    assert "chosen: out eval/groove" in told and (here / "eval/groove/summary.json").is_file()
    assert run(["eval", "--system", "gone", *SHORT]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "no run runs/gone with best.safetensors (there are: groove)" in told


def test_the_newest_cache_is_trained_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train"]) == 2
    assert "no cache in cache/: name one with --cache" in capsys.readouterr().err
    for age, name in enumerate(("new", "old")):
        (here / "cache" / name).mkdir(parents=True)
        (here / "cache" / name / "cache.json").write_text("{}")
        os.utime(here / "cache" / name / "cache.json", (10_000 - age, 10_000 - age))
    assert run(["train"]) == 2  # these are no caches
    assert "chosen: cache cache/new" in capsys.readouterr().err


def test_without_a_dataset_the_built_in_grooves_are_played(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple] = []
    monkeypatch.setattr(synth, "synthesize", lambda *args, **options: asked.append(args))
    assert dataset_to_judge() is None
    assert dataset_to_cache(Silent()) == Path("data/grooves")
    assert asked == [("builtin", "jazz", Path("data/grooves"))]
    assert "the built-in grooves on the kit jazz" in capsys.readouterr().err
    (here / "data/grooves").mkdir(parents=True)
    assert dataset_to_judge() == Path("data/grooves")
    monkeypatch.setenv("EGMD_ROOT", str(here))
    assert dataset_to_cache(Silent()) is None and dataset_to_judge() is None


def test_a_codec_that_is_not_there_makes_no_dataset(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cache", "--codec", "nope"]) == 2
    assert "no codec 'nope'" in capsys.readouterr().err
    assert not (here / "data").exists()


def test_one_shots_of_ones_own_are_played_as_they_are(here: Path) -> None:
    """Without an engine named: by the sampler, which needs no likeness of them."""
    save_audio(here / "mine" / "kick.wav", np.hanning(4410).astype(np.float32), 44_100)
    groove = next(info.path for info in builtin_grooves() if info.split == "test")
    short = ["--bars", "1", "--seed", "1"]
    assert run(["render", str(groove), "--kit", "mine", *short, "-o", "default.wav"]) == 0
    sampler = ["--engine", "sampler", "--kit", "mine", *short]
    assert run(["render", str(groove), *sampler, "-o", "sampler.wav"]) == 0
    assert (here / "default.wav").read_bytes() == (here / "sampler.wav").read_bytes()
