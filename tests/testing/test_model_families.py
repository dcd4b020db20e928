"""Models of other families go through the command line: trained, evaluated, rendered with."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support.example_plugins import EXAMPLES, example_installed
from support.toy_systems import make_toy_dataset, performance

from midigroove_core import GridBatch, Model, load_checkpoint, open_dataset, save_midi
from midigroove_core.audio import load_audio
from midigroove_core.cache.build import build_cache
from midigroove_core.cli import run
from midigroove_core.testing import ToyCodec

pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="only in a checkout, not in the sdist"
)
MODELS = ("example_masked", "toy_flow", "parallel")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, toy_plugin_name: str) -> Iterator[Path]:
    """A cache, and a run of each model."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("families")
    with example_installed("model", root / "site", toy_plugin_name):
        make_toy_dataset(root / "data", train=2, test=1)
        build_cache(open_dataset(root / "data"), ToyCodec(), root / "cache", device="cpu")
        for model in MODELS:
            size = {"example_masked": "dim=16", "toy_flow": "dim=16", "parallel": "dim=16"}[model]
            arguments = [
                "--cache", str(root / "cache"), "--out", str(root / model), "--model", model,
                "--set", f"model_args.{size}", "--valid-split", "test", "--max-steps", "3",
                "--eval-every", "2", "--set", "eval_clips=2", "--batch-size", "2",
                "--device", "cpu",
            ]  # fmt: skip
            assert run(["train", *arguments]) == 0
        save_midi(performance(24, 6.0), root / "beat.mid")
        yield root


@pytest.fixture(autouse=True)
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, toy_plugin_name: str) -> None:
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", f"example_model,{toy_plugin_name}")


def rows_of(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))


def test_what_a_loss_says_is_kept_whatever_its_name(folder: Path) -> None:
    masked, flow = rows_of(folder / "example_masked"), rows_of(folder / "toy_flow")
    assert masked[-1]["train/nll_coarsest"] and not masked[0]["train/nll_coarsest"]
    assert masked[-1]["valid_nll"] and not masked[-1]["valid_loss"]
    assert flow[-1]["valid_loss"] and flow[-1]["valid/mse"] and not flow[-1]["valid_nll"]
    assert (folder / "toy_flow" / "loss.png").stat().st_size > 1000


def test_a_model_without_a_likelihood_is_chosen_by_its_loss(folder: Path) -> None:
    rows = rows_of(folder / "toy_flow")
    best = min(rows, key=lambda row: float(row["valid_loss"]))
    loaded = load_checkpoint(folder / "toy_flow")
    assert loaded.training["step"] == int(best["step"])
    assert loaded.training["valid_nll"] is None and loaded.metadata.model.likelihood == "none"


def test_they_are_evaluated_beside_the_built_in_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    systems = [f"--system={name}:{folder / name}:{folder / 'cache'}" for name in MODELS]
    arguments = [
        *systems, "--dataset", str(folder / "data"), "--out", str(tmp_path / "eval"),
        "--sample", "passes=3", "--sample", "steps=2", "--max-items", "2", "--knee-items", "0",
        "--long-items", "0", "--embedding", "none", "--save-preds", "0", "--device", "cpu",
        "--no-add-nearest", "--no-add-random", "--no-add-sampler",
    ]  # fmt: skip
    assert run(["eval", *arguments]) == 0
    summary = json.loads((tmp_path / "eval" / "summary.json").read_text())
    metrics = {row["row"]: row["metrics"] for row in summary["rows"]}
    assert "nll_nats" in metrics["example_masked"] and "nll_nats" in metrics["parallel"]
    assert "nll_nats" not in metrics["toy_flow"] and "onset_f1_50ms" in metrics["toy_flow"]
    bounds = {row["row"]: row["is_bound"] for row in summary["rows"]}
    assert bounds["example_masked"] and not bounds["parallel"]
    assert "≤" in capsys.readouterr().out
    assert (tmp_path / "eval" / "training" / "toy_flow.csv").is_file()
    manifest = json.loads((tmp_path / "eval" / "manifest.json").read_text())
    facts = {system["name"]: system for system in manifest["systems"]}
    assert [facts[name]["likelihood"] for name in MODELS] == ["bound", "none", "exact"]
    assert facts["example_masked"]["sampling"]["passes"] == 3
    assert facts["toy_flow"]["sampling"]["steps"] == 2
    assert facts["parallel"]["sampling"] == {"temperature": 0.5, "top_k": 0, "top_p": 1.0}


def test_likelihood_and_drawing_see_the_same_context(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from midigroove_example_model.model import MaskedModel

    seen: dict[str, list[GridBatch]] = {"score": [], "generate": []}
    for name, batches in seen.items():
        real = getattr(MaskedModel, name)

        def watched(
            self: Model, batch: GridBatch, *rest: Any, real: Any = real, kept: Any = batches
        ) -> Any:
            kept.append(batch)
            return real(self, batch, *rest)

        monkeypatch.setattr(MaskedModel, name, watched)
    arguments = [
        f"--system=a:{folder / 'example_masked'}:{folder / 'cache'}", "--out",
        str(tmp_path / "eval"), "--dataset", str(folder / "data"), "--long-items", "0",
        "--knee-items", "0", "--save-preds", "0", "--embedding", "none", "--max-items", "3",
    ]  # fmt: skip
    assert run(["eval", *arguments]) == 0
    assert len(seen["score"]) == len(seen["generate"]) > 0
    for one, two in zip(seen["score"], seen["generate"], strict=True):
        assert one is two
    assert any(batch.known.any() for batch in seen["score"])


def test_inspect_looks_at_the_best_of_a_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", str(folder / "toy_flow"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["id"] == "toy_flow"


def test_they_render(folder: Path, tmp_path: Path) -> None:
    for model, option in (("example_masked", "passes=2"), ("toy_flow", "steps=3")):
        out = tmp_path / f"{model}.wav"
        arguments = ["--checkpoint", str(folder / model), "--sample", option, "-o", str(out)]
        assert run(["render", str(folder / "beat.mid"), *arguments]) == 0
        samples, rate = load_audio(out)
        assert samples.shape[-1] == 8 * rate == 8 * 16000


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("pases=3", "model example_masked: no sampling setting 'pases' (did you mean passes?)"),
        ("passes=many", "passes is 'many', expected int"),
        ("passes=1000", "passes must lie in [1, 256], got 1000"),
        ("passes", "not of the form NAME=VALUE"),
    ],
)
def test_sampling_options_that_do_not_fit_are_one_line(
    folder: Path, tmp_path: Path, option: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--checkpoint", str(folder / "example_masked"), "-o", str(tmp_path / "x.wav")]
    assert run(["render", str(folder / "beat.mid"), *arguments, "--sample", option]) == 2
    error = capsys.readouterr().err
    assert says in error.splitlines()[-1] and not (tmp_path / "x.wav").exists()


def test_a_setting_that_no_system_has(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        f"--system=a:{folder / 'parallel'}:{folder / 'cache'}", "--dataset",
        str(folder / "data"), "--out", str(tmp_path / "eval"), "--sample", "passes=3",
    ]  # fmt: skip
    assert run(["eval", *arguments]) == 2
    assert "sampling setting 'passes': no system has it" in capsys.readouterr().err


def test_a_preset_is_one_of_the_models(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for model, says in (
        ("example_masked", "no preset 'tiny'; use one of small, base"),
        ("toy_flow", "no preset 'tiny'; it has none"),
    ):
        arguments = ["--cache", "c", "--out", str(tmp_path), "--model", model, "--preset", "tiny"]
        assert run(["train", *arguments]) == 2
        assert f"model {model}: {says}" in capsys.readouterr().err


def test_goes_on_from_a_run_with_kits_that_it_did_not_know(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_toy_dataset(tmp_path / "data", train=1, test=1)
    table = (data / "takes.csv").read_text()
    (data / "takes.csv").write_text(table.replace(",power,", ",mine,"))
    build_cache(open_dataset(data), ToyCodec(), tmp_path / "cache", device="cpu")
    arguments = [
        "--from", str(folder / "parallel"), "--cache", str(tmp_path / "cache"), "--out",
        str(tmp_path / "run"), "--max-steps", "1", "--valid-split", "test", "--device", "cpu",
    ]  # fmt: skip
    assert run(["train", *arguments]) == 0
    assert "new: kit mine" in capsys.readouterr().err
    found = load_checkpoint(tmp_path / "run")
    assert found.vocabularies["kit"] == ("jazz", "power", "mine")
    assert found.model.get_config()["dim"] == 16
