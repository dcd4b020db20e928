"""One import away: the story in five lines, names that complete, nothing heavy before use."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.toy_systems import make_toy_dataset, performance

import midigroove
import midigroove_core
from midigroove_core.cache.build import build_cache
from midigroove_core.errors import InputError
from midigroove_core.testing import ToyCodec

STORY = (
    "render", "train", "evaluate", "open_codec", "open_dataset", "load_performance", "save_midi",
    "load_checkpoint", "Cache",
)  # fmt: skip


@pytest.mark.parametrize("package", [midigroove, midigroove_core])
def test_names_are_there_complete_and_documented(package) -> None:
    assert set(STORY) <= set(package.__all__) <= set(dir(package))
    assert not {"Any", "annotations"} & set(dir(midigroove))
    for name in package.__all__:
        value = getattr(package, name)
        assert name.startswith("__") or name == "hookimpl" or value.__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


def test_both_packages_have_the_same_things() -> None:
    assert midigroove.__all__ == midigroove_core.__all__
    assert midigroove.render is midigroove_core.render


def test_type_checkers_are_told_the_same() -> None:
    stub = Path(midigroove_core.__file__).with_suffix(".pyi").read_text("utf-8")
    told = {
        alias.name: str(node.module)
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is not None
    }
    assert sorted(told) == sorted(set(midigroove_core.__all__) - {"__version__", "hookimpl"})
    for name, module in told.items():
        there = getattr(importlib.import_module(module), name)
        assert there is getattr(midigroove_core, name), name


@pytest.mark.parametrize("package", ["midigroove", "midigroove_core"])
def test_importing_and_completing_takes_nothing_heavy(package: str) -> None:
    code = (
        f"import {package}, sys; dir({package}); "
        "assert not {'torch', 'numpy', 'scipy', 'matplotlib', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["midigroove", "midigroove_core"])
def test_a_package_runs_as_a_program(package: str) -> None:
    command = [sys.executable, "-m", package, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"midigroove {midigroove_core.__version__}"


@pytest.mark.usefixtures("toy_plugin")
def test_the_story_in_five_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    midigroove_core.save_midi(performance(8, 2.0), "groove.mid")
    dataset = midigroove_core.open_dataset(make_toy_dataset(Path("data"), train=2, test=1))
    build_cache(dataset, ToyCodec(), "cache/toy", device="cpu")
    monkeypatch.setenv("EGMD_ROOT", "data")

    played = midigroove_core.load_performance("groove.mid")
    audio = midigroove_core.render(played, kit="jazz")
    codes = midigroove_core.open_codec("toy").encode(torch.from_numpy(audio.audio)[None])
    run = midigroove_core.train(
        cache="cache/toy", out="runs/toy", preset="tiny", max_steps=2, valid_split="test"
    )
    scorecard = midigroove_core.evaluate(
        ["toy:runs/toy/best.safetensors:cache/toy"], out="eval/first", max_items=1, long_items=0,
        knee_items=0, save_preds=0, rows=("silence", "oracle"),
    )  # fmt: skip

    assert played.num_hits == 8
    assert audio.duration_sec == pytest.approx(played.end_sec + 2.0, abs=1e-3)
    assert codes.shape[:2] == (1, 4) and codes.max() > 0
    assert run.best == Path("runs/toy/best.safetensors") and run.best.is_file()
    assert [row.row for row in scorecard.table()] == ["silence", "toy", "oracle", "recording"]
    assert len(midigroove_core.Cache.open("cache/toy").entries) == 6
    assert midigroove_core.load_checkpoint("runs/toy").path == run.best


def test_renders_like_a_recording_and_saves(tmp_path: Path) -> None:
    played = performance(12, 3.0)
    recording = midigroove_core.render(played, engine="sampler", kit="jazz", tail_sec=0)
    recording.save(tmp_path / "recording.wav")
    midigroove_core.save_midi(played, tmp_path / "recording.mid")
    like = midigroove_core.render(
        tmp_path / "recording.mid",
        like=tmp_path / "recording.wav",
        like_midi=str(tmp_path / "recording.mid"),
    )
    assert like.codes is None and abs(like.audio).max() > 0.05


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(InputError, match="temperatur.*did you mean temperature"):
        midigroove_core.render(performance(), temperatur=1.0)
    with pytest.raises(InputError, match="unknown training setting 'max_step'"):
        midigroove_core.train(cache="a", out="b", max_step=3)
    with pytest.raises(InputError, match="training needs `cache`"):
        midigroove_core.train(out="b")


def test_a_folder_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder without best.safetensors"):
        midigroove_core.load_checkpoint(tmp_path)
