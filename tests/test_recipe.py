"""Recipes: the shipped ones are valid, and one runs from audio to a checkpoint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from support.cache_fixtures import make_dataset
from support.trainable_cache import make_cache

import midigroove_core.evaluation as evaluation
from midigroove_core.cli import run as midigroove
from midigroove_core.coding import open as codecs
from midigroove_core.errors import InputError
from midigroove_core.evaluation.rows import recordings
from midigroove_core.recipe import read_recipe, run_recipe
from midigroove_core.testing import ToyCodec
from midigroove_core.training.config import make_config, read_settings

RECIPES = Path(__file__).parent.parent / "recipes"
SMALL = """
[dataset]
kind = "egmd"
kits = ["a"]

[cache]
codec = "groove_32khz"

[train]
preset = "tiny"
max_steps = 2
batch_size = 2
threads = 1
valid_split = "test"

[train.model_args]
dim = 16
layers = 1
heads = 2
head_dim = 8

[eval]
max_items = 3
rows = ["silence"]
"""


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_valid(path: Path) -> None:
    recipe = read_recipe(path)
    config = make_config(settings={**recipe["train"], "cache": "c", "out": "o"})
    evaluation.make_config([], "o", {**recipe.get("eval", {}), "caches": ["c"]})
    if path.stem.startswith("paper"):
        assert config.model_args["norm"] == "post" and recipe["eval"]["sampling"] == {
            "temperature": 0
        }
        assert (config.max_steps, config.weight_decay, config.eval_every) == (200_000, 0.0, 300)
        assert config.model_args["conditions"] == ["bpm", "drummer", "kit"]
    if path.stem.startswith("paper") and "cache" in recipe:
        assert config.model_args["layers"] == (10 if "large" in path.stem else 6)
        assert ("kits" in recipe["dataset"]) == ("one_kit" in path.stem)
        assert ("kits_exclude" in recipe["dataset"]) == ("all_kits" in path.stem)
    for place in recipe.get("systems", {}).values():
        assert (path.parent / f"{Path(place).name}.toml").is_file()


def test_a_recipe_of_several_systems_evaluates_what_others_have_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "together.toml"
    recipe.write_text('[systems]\na = "../one"\nb = "../two"\n[eval]\nsave_preds = "all"\n')
    with pytest.raises(InputError, match="system a: no .*best.safetensors; run its recipe"):
        run_recipe(recipe, tmp_path / "both", dataset=tmp_path / "data")
    for name in ("one", "two"):
        (tmp_path / name / "run").mkdir(parents=True)
        (tmp_path / name / "run" / "best.safetensors").touch()
    seen: list[Any] = []
    monkeypatch.setattr(evaluation, "evaluate", lambda config, progress: seen.append(config))
    made = run_recipe(recipe, tmp_path / "both", dataset=tmp_path / "data")
    assert list(made) == ["eval"]
    assert [spec.name for spec in seen[0].systems] == ["a", "b"]
    assert seen[0].systems[1].cache.resolve() == tmp_path / "two" / "cache"
    assert seen[0].save_preds == "all"
    with pytest.raises(InputError, match="it has no other step"):
        run_recipe(recipe, tmp_path / "both", only=["train"])


def test_a_recipe_s_own_dataset_is_what_it_is_evaluated_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "two_files.toml"
    recipe.write_text(
        '[dataset]\nkind = "egmd"\nroot = "R"\ntrain_csv = "T"\nval_csv = "V"\nkits = ["a"]\n'
        '[cache]\ncodec = "groove"\n'
    )
    (tmp_path / "out" / "run").mkdir(parents=True)
    (tmp_path / "out" / "run" / "best.safetensors").touch()
    seen: list[Any] = []
    monkeypatch.setattr(evaluation, "evaluate", lambda config, progress: seen.append(config))
    run_recipe(recipe, tmp_path / "out", only=["eval"])
    options = {"kind": "egmd", "root": "R", "train_csv": "T", "val_csv": "V"}
    assert seen[0].dataset is None and seen[0].dataset_options == options
    opened: list[Any] = []
    monkeypatch.setattr(
        recordings, "open_dataset",
        lambda path, **options: opened.append((path, options)) or make_dataset(tmp_path, count=1),
    )  # fmt: skip
    recordings.Recordings(seen[0].dataset, 32000, options=seen[0].dataset_options)
    assert opened == [(None, options)]


def test_a_recipe_runs_from_audio_to_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path / "data", count=3)
    recipe = tmp_path / "small.toml"
    recipe.write_text(SMALL)
    monkeypatch.setattr("midigroove_core.takes.open_dataset", lambda path, kind: dataset)
    monkeypatch.setattr(codecs, "open_codec", lambda name, options, path: ToyCodec())
    seen: list[Any] = []
    monkeypatch.setattr(evaluation, "evaluate", lambda config, progress: seen.append(config))
    made = run_recipe(recipe, tmp_path / "out", dataset=tmp_path / "data", device="cpu")
    assert list(made) == ["cache", "train", "eval"]
    assert Path(made["train"]).is_file() and (Path(made["cache"]) / "cache.json").is_file()
    assert seen[0].systems[0].checkpoint == Path(made["train"])
    assert (seen[0].max_items, seen[0].rows) == (3, ("silence",))
    again = run_recipe(recipe, tmp_path / "out", dataset=tmp_path / "data", only=["train"])
    assert again == {"train": made["train"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[trian]\nseed = 1", "object contains unknown field trian"),
        ('base = "missing.toml"', "missing.toml: no such file"),
        ("base = 1", "base: expected str | null, got int"),
        ('base = "recipe.toml"', "base: recipe.toml leads back to itself"),
        ('base = "a.toml"', "base: recipe.toml leads back to itself"),
        ("train = 3", "train: expected object, got int"),
        ('base = "a\\u0000b"', "is no name of a file"),
        ("x = " + "[" * 5000, "nested more than 64 levels"),
        ("[cache]\nbandwidth = 2", "cache: needs 'codec'"),
    ],
)
def test_wrong_recipes_are_one_line(tmp_path: Path, text: str, says: str) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(text)
    (tmp_path / "a.toml").write_text('base = "recipe.toml"')
    with pytest.raises(InputError, match=re.escape(says)):
        run_recipe(recipe, tmp_path / "out")
    with pytest.raises(InputError, match="no step 'bake'"):
        run_recipe(RECIPES / "groove_demo.toml", tmp_path / "out", only=["bake"])


def test_the_train_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = make_cache(tmp_path / "cache", performances=3).path
    arguments = [
        "train", "--cache", str(cache), "--out", str(tmp_path / "run"), "--preset", "tiny",
        "--max-steps", "1", "--threads", "1", "--device", "cpu", "--kit", "jazz",
        "--set", "model_args.dim=16", "--set", "eval_clips=2",
    ]  # fmt: skip
    assert midigroove([*arguments, "--json"]) == 0
    assert '"stopped_by": "steps"' in capsys.readouterr().out
    config = make_config(tmp_path / "run" / "config.toml")
    assert (config.model_args["dim"], config.eval_clips, config.kits) == (16, 2, ["jazz"])
    assert midigroove([*arguments, "--seed", "3"]) == 2
    assert "seed = 0, now it is 3" in capsys.readouterr().err.replace("\n", " ")
    assert midigroove([*arguments, "--seed", "3", "--overwrite"]) == 0
    assert "codebook" in capsys.readouterr().out
    (tmp_path / "half.toml").write_text("seed = 1")
    assert midigroove(["train", "--config", str(tmp_path / "half.toml")]) == 2
    assert "training needs --cache" in capsys.readouterr().err


def test_settings_from_the_command_line() -> None:
    made = read_settings(["model_args.layers=6", "ema=0.5", 'clips="crops"', "preset=tiny"])
    assert made == {"model_args": {"layers": 6}, "ema": 0.5, "clips": "crops", "preset": "tiny"}
    for text in ("ema", "=3", "a..b=1"):
        with pytest.raises(InputError, match="not of the form"):
            read_settings([text])
