"""Broken input in an evaluation: named in one line, and of no cost to the other clips and rows."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.toy_systems import (
    StepsModel,
    make_toy_dataset,
    save_steps_checkpoint,
)

from midigroove_core.cache.build import build_cache
from midigroove_core.cli import run
from midigroove_core.errors import InputError
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.evaluation.rows import plan
from midigroove_core.report import write_report
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

pytestmark = pytest.mark.usefixtures("toy_plugin")


@pytest.fixture(scope="module")
def workbench(toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache, a system that works and three that do not."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("broken")
    dataset = open_dataset(make_toy_dataset(root / "data", train=0, test=2))
    build_cache(dataset, ToyCodec(), root / "cache", device="cpu")
    save_steps_checkpoint(root / "fine.safetensors")
    for fault in ("raises", "nan", "raises for many", "one code too high"):
        save_steps_checkpoint(root / f"{fault}.safetensors", fault=fault)
    return root


def config(workbench: Path, out: Path, **systems: str) -> EvalConfig:
    specs = tuple(
        SystemSpec(name, workbench / f"{checkpoint}.safetensors", workbench / "cache")
        for name, checkpoint in systems.items()
    )
    return EvalConfig(
        specs, out, dataset=workbench / "data", max_items=4, rows=("recording", "silence"),
        knee_items=0, save_preds=1, embedding="", device="cpu", long_items=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clean(workbench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation in which nothing is broken."""
    out = tmp_path_factory.mktemp("clean") / "eval"
    evaluate(config(workbench, out, fine="fine"))
    return out


def scores(out: Path) -> dict[tuple[str, str], dict[str, str]]:
    with open(out / "clips.csv", newline="") as handle:
        return {(line["clip"], line["row"]): line for line in csv.DictReader(handle)}


def skipped(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / "skipped.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("fault", "reason", "clips"),
    [
        ("raises", "no prediction: RuntimeError: out of memory", 4),
        ("nan", "prediction not finite: NaN likelihood", 4),
        (
            "one code too high",
            "no prediction: model toy_steps: generate",
            4,
        ),
    ],
)
def test_a_system_without_predictions(
    workbench: Path, clean: Path, tmp_path: Path, fault: str, reason: str, clips: int
) -> None:
    out = tmp_path / "eval"
    result = evaluate(config(workbench, out, fine="fine", broken=fault))
    lines = skipped(out)
    assert {line["row"] for line in lines} == {"broken"} and len(lines) == clips
    assert all(line["reason"].startswith(reason) for line in lines)
    assert all("\n" not in line["reason"] for line in lines)
    (row,) = [line for line in result.summary.to_json()["rows"] if line["row"] == "broken"]
    assert row["skipped"] == clips and ("rmse" in row["metrics"]) == (clips < 4)
    found = scores(out)
    assert all(found[key] == line for key, line in scores(clean).items())
    page = write_report([out], tmp_path / "report.html").read_text()
    assert f"Left out: {clips} x {reason.split(':')[0]}." in page
    comparison = compare_evaluations([clean, out])
    assert len(comparison.differences) > 0
    assert list(comparison.notes) == ["broken: has no scored clips, left out"] * (clips == 4)


def test_a_model_that_takes_one_clip_at_a_time(
    workbench: Path, clean: Path, tmp_path: Path
) -> None:
    """A batch that fails is tried again clip by clip."""
    evaluate(config(workbench, tmp_path / "eval", fine="raises for many"))
    assert skipped(tmp_path / "eval") == []
    assert scores(tmp_path / "eval").keys() == scores(clean).keys()


def test_a_clip_of_ten_samples(
    workbench: Path, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = plan.eval_clips

    def shortened(*args: object, **options: object) -> list:
        clips = real(*args, **options)
        clips[1] = replace(clips[1], end_sec=clips[1].start_sec + 10 / 16000)
        return clips

    monkeypatch.setattr(plan, "eval_clips", shortened)
    evaluate(config(workbench, tmp_path / "eval", fine="fine"))
    (line,) = skipped(tmp_path / "eval")
    assert line["row"] == "" and line["reason"] == "reference too short: 10 samples of 2048"
    before, after = scores(clean), scores(tmp_path / "eval")
    others = [key for key in before if key[0] != line["clip"] and key[1] != "fine"]
    assert others and all(after[key] == before[key] for key in others)
    audio = [key for key, values in after.items() if values["rmse"]]
    assert line["clip"] not in {clip for clip, _ in audio} and len(audio) == 3 * 3


def test_a_recording_with_nan_is_named(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from midigroove_core.evaluation.rows.recordings import Recordings

    real = Recordings.audio

    def spoilt(self: Recordings, clip: object) -> np.ndarray:
        audio = real(self, clip)
        return np.full_like(audio, np.nan) if clip.index == 0 else audio

    monkeypatch.setattr(Recordings, "audio", spoilt)
    evaluate(config(workbench, tmp_path / "eval", fine="fine"))
    (line,) = skipped(tmp_path / "eval")
    assert line["row"] == "" and line["reason"].startswith("reference not finite")


@pytest.mark.parametrize("command", ["compare", "report"])
def test_a_directory_of_another_version_is_named_in_one_line(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "manifest.json").write_text('{"format": "midigroove-evaluation", "schema": 99}')
    options = ["-o", str(tmp_path / "report.html")] if command == "report" else []
    assert run([command, str(clean), str(old), *options]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "written with schema 99, this version reads 1" in line
    assert f"{old}/manifest.json" in line
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("likelihood", ["bound", "none"])
def test_a_bound_is_marked_and_a_model_without_a_likelihood_is_judged_by_its_sound(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, likelihood: str
) -> None:
    exact = evaluate(config(workbench, tmp_path / "exact", fine="fine"))
    monkeypatch.setattr(StepsModel, "likelihood", likelihood)
    save_steps_checkpoint(tmp_path / "less.safetensors")
    system = SystemSpec("fine", tmp_path / "less.safetensors", workbench / "cache")
    wanted = replace(config(workbench, tmp_path / "eval", fine="fine"), systems=(system,))
    result = evaluate(wanted)
    row, whole = result.summary.row("fine"), exact.summary.row("fine")
    assert row.clips == 4 and row.metrics["rmse"] == whole.metrics["rmse"]
    shown = next(line for line in scores(tmp_path / "eval").values() if line["row"] == "fine")
    page = write_report([tmp_path / "eval"], tmp_path / "report.html").read_text()
    if likelihood == "bound":
        assert row.is_bound and row.metrics["nll_nats"] == whole.metrics["nll_nats"]
        assert "≤ 4.16" in str(result) and "≤ 4.16" in page and "≤" not in str(exact)
    else:
        assert "nll_nats" not in row.metrics and not shown.get("nll_nats")
        assert result.summary.codes == () and not row.is_bound
        with pytest.raises(InputError, match="system fine: its model has no likelihood"):
            evaluate(replace(wanted, audio_metrics=False, overwrite=True))
