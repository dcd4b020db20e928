"""Long renders in an evaluation: joins counted, bad ones heard, exact lengths, nothing lost."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.toy_systems import (
    make_toy_dataset,
    save_steps_checkpoint,
    save_toy_checkpoint,
)

from midigroove_core.audio import load_mono, save_audio
from midigroove_core.cache import Cache
from midigroove_core.cache.build import build_cache
from midigroove_core.cli import run
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.progress import Silent
from midigroove_core.rendering import model_engine
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.tables import long_table
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

pytestmark = pytest.mark.usefixtures("toy_plugin")


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def workbench(toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes of 5.5 s with their cache, and systems with good, bad and broken joins."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("long")
    dataset = open_dataset(make_toy_dataset(root / "data", train=1, test=3))
    build_cache(dataset, ToyCodec(), root / "cache", device="cpu")
    save_steps_checkpoint(root / "good.safetensors")
    save_steps_checkpoint(root / "bad.safetensors", step=20)
    save_steps_checkpoint(root / "broken.safetensors", fault="raises for many")
    save_toy_checkpoint(root / "wide.safetensors")  # windows of 4 s: one join at most
    return root


def config(workbench: Path, out: Path, names: tuple[str, ...], **options: object) -> EvalConfig:
    systems = tuple(
        SystemSpec(name, workbench / f"{name}.safetensors", workbench / "cache") for name in names
    )
    plain = EvalConfig(
        systems, out, dataset=workbench / "data", max_items=1, rows=("recording",), knee_items=0,
        save_preds=0, embedding="", device="cpu", long_items=2,
    )  # fmt: skip
    return replace(plain, **options)


@pytest.fixture(scope="module")
def evaluated(workbench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One evaluation that several tests look at."""
    out = tmp_path_factory.mktemp("result") / "eval"
    evaluate(config(workbench, out, ("good", "bad", "broken")))
    return out


def read(out: Path) -> tuple[dict[tuple[str, str], dict], list[dict[str, str]]]:
    """(row, joins of) -> its line of the summary; and the lines of long.csv."""
    summary = json.loads((out / "summary.json").read_text())
    rows = {(line["row"], line["joins_of"]): line for line in summary["audio"]["long"]["rows"]}
    with open(out / "long.csv", newline="") as handle:
        return rows, list(csv.DictReader(handle))


def test_joins_are_counted_and_lengths_exact(evaluated: Path, workbench: Path) -> None:
    rows, lines = read(evaluated)
    assert list(rows) == [
        ("good", "good"), ("recording", "good"), ("bad", "bad"), ("recording", "bad"),
    ]  # fmt: skip
    cache = Cache.open(workbench / "cache")
    takes = {line["take"] for line in lines}
    assert len(takes) == 2 and len({line["performance"] for line in lines}) == 2
    for line in lines:
        frames = cache.entry(line["take"]).num_frames
        # Windows of 62 frames that overlap by 15: one every 47, the last moved back to the end.
        assert int(line["joins"]) == math.ceil((frames - 62) / 47)
        assert 0 < float(line["seams_compared"]) <= int(line["joins"])
        assert line["samples_off"] == ("" if line["row"] == "recording" else "0")
    assert rows["good", "good"]["samples_off"] == 0
    assert rows["good", "good"]["joins"] == sum(int(x["joins"]) for x in lines) / 4


def test_bad_joins_are_heard_and_good_ones_are_not(evaluated: Path) -> None:
    rows, _ = read(evaluated)
    good, bad = (rows[name, name]["metrics"] for name in ("good", "bad"))
    assert good["seam_flux_ratio"]["mean"] == pytest.approx(1.0, abs=0.25)
    assert 25.0 < good["seam_percentile_mean"]["mean"] < 75.0
    assert bad["seam_flux_ratio"]["least"] > 2.0
    # Every second join gets louder and has a flux of its own; getting softer has none.
    assert bad["seam_percentile_mean"]["least"] > 70.0
    same = rows["recording", "good"]["metrics"], rows["recording", "bad"]["metrics"]
    assert same[0] == same[1]  # the same windows, so the same moments of the same recordings
    assert same[0]["onset_f1_50ms"]["mean"] > good["onset_f1_50ms"]["mean"]


def test_what_fails_is_named_and_costs_the_others_nothing(evaluated: Path) -> None:
    skipped = [json.loads(x) for x in (evaluated / "skipped.jsonl").read_text().splitlines()]
    assert {line["row"] for line in skipped} == {"long broken"}
    assert {line["reason"] for line in skipped} == {"render failed: RuntimeError: out of memory"}
    rows, _ = read(evaluated)
    assert all(line["takes"] == 2 for line in rows.values())
    summary = json.loads((evaluated / "summary.json").read_text())
    assert [line["skipped"] for line in summary["rows"]] == [0, 0, 0, 0]


def test_the_time_it_took_is_apart(evaluated: Path) -> None:
    cost = json.loads((evaluated / "cost.json").read_text())
    assert [line["row"] for line in cost["long"]] == ["good", "bad"]
    assert all(line["real_time_factor"] > 0 for line in cost["long"])
    found = Evaluation.open(evaluated)
    table = long_table(found.summary, found.cost)
    rows = table.rows
    assert "up to 30 s" in table.title and table.columns[-1] == "real-time factor"
    assert [row[0] for row in rows] == ["good", "recording", "bad", "recording"]
    assert rows[1][-1] == "-" and float(rows[0][-1]) > 0


def test_same_bytes_twice_and_other_takes_with_another_seed(
    workbench: Path, evaluated: Path, tmp_path: Path
) -> None:
    evaluate(config(workbench, tmp_path / "again", ("good", "bad", "broken")))
    for path in evaluated.iterdir():
        if path.name not in ("cost.json", "times.csv"):
            assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    evaluate(config(workbench, tmp_path / "other", ("good",), seed=3, long_items=1))
    assert read(tmp_path / "other")[1][0] not in read(evaluated)[1]


def test_nothing_is_loaded_again(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_engine, "load_checkpoint", None)
    evaluate(config(workbench, tmp_path / "out", ("good",), long_items=1))
    assert len(read(tmp_path / "out")[1]) == 2


def test_short_takes_give_an_empty_block_and_a_message(workbench: Path, tmp_path: Path) -> None:
    notes = Notes()
    evaluate(config(workbench, tmp_path / "out", ("wide",)), progress=notes)
    assert "no long renders: no take of split test is long enough for 2 joins of windows" in (
        notes.lines
    )
    rows, lines = read(tmp_path / "out")
    assert rows == {} and lines == []
    found = Evaluation.open(tmp_path / "out")
    assert long_table(found.summary, found.cost) is None


@pytest.mark.parametrize("options", [{"long_items": 0}, {"audio_metrics": False}])
def test_not_asked_for(workbench: Path, tmp_path: Path, options: dict[str, object]) -> None:
    summary = evaluate(config(workbench, tmp_path / "out", ("good",), **options)).summary
    assert summary.audio is None or summary.audio.long is None
    assert not (tmp_path / "out" / "long.csv").exists()


def test_without_a_dataset_the_oracle_is_the_reference(workbench: Path, tmp_path: Path) -> None:
    options = {"dataset": None, "reference": "oracle", "long_items": 1, "rows": ("oracle",)}
    evaluate(config(workbench, tmp_path / "out", ("good",), **options))
    rows, _ = read(tmp_path / "out")
    oracle, own = (rows[row, "good"]["metrics"] for row in ("oracle", "good"))
    assert oracle["onset_f1_50ms"]["mean"] > own["onset_f1_50ms"]["mean"]


def test_a_silent_system_has_no_seams_and_no_hits(workbench: Path, tmp_path: Path) -> None:
    save_steps_checkpoint(workbench / "silent.safetensors", fault="silent")
    evaluate(config(workbench, tmp_path / "out", ("silent",), long_items=1))
    assert (tmp_path / "out" / "skipped.jsonl").read_text() == ""
    metrics = read(tmp_path / "out")[0]["silent", "silent"]["metrics"]
    assert metrics["seam_flux_ratio"]["mean"] == 1.0
    assert metrics["onset_f1_50ms"]["mean"] == 0.0


def test_the_command(workbench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = f"bad:{workbench}/bad.safetensors:{workbench}/cache"
    options = ["--dataset", str(workbench / "data"), "--max-items", "1", "--device", "cpu"]
    command = ["eval", "--system", system, *options, "--no-add-nearest", "--out"]
    assert run([*command, str(tmp_path / "out"), "--long-items", "1"]) == 0
    assert "Can the joins of long renders be heard?" in capsys.readouterr().out
    assert run([*command, str(tmp_path / "no"), "--long-items", "-1"]) == 2
    assert "--long-items must be a whole number from 0" in capsys.readouterr().err


def test_a_recording_that_is_cut_short_costs_only_its_own_line(
    workbench: Path, tmp_path: Path
) -> None:
    data = make_toy_dataset(tmp_path / "data", train=1, test=3)
    for path in data.rglob("*.wav"):
        save_audio(path, load_mono(path, 44100)[: 4 * 44100], 44100)
    evaluate(config(workbench, tmp_path / "out", ("good",), dataset=data, long_items=1))
    rows, _ = read(tmp_path / "out")
    assert list(rows) == [("good", "good")]
    lines = (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()
    (found,) = [line for line in map(json.loads, lines) if line["row"] == "long recording"]
    assert "recording too short" in found["reason"]
