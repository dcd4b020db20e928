"""Figures of plugins stand beside core's, and break nothing but themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.toy_systems import make_toy_dataset

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.errors import InputError, PluginError
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.evaluation.scoring.added_metrics import AddedMetrics
from midigroove_core.progress import Silent
from midigroove_core.report import write_report
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.tables import main_tables

PLUGIN = """
from midigroove_core import hookimpl

@hookimpl
def register_metrics(register):
    for id, name in NAMES.items():
        register(id, f"support.peak_metric:{name}", default=True)

NAMES = {"peak_ratio": "PeakRatio", "broken": "Broken", "undefined": "Undefined",
         "mel_l1": "PeakRatio", "missing": "Missing"}
"""


@pytest.fixture
def plugin(install_plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin("acme-metrics", PLUGIN)
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", "acme_metrics")


class Told(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_a_column_a_row_a_test_and_a_line_for_what_is_broken(plugin: None, tmp_path: Path) -> None:
    data, out = make_toy_dataset(tmp_path / "data", train=0, test=2, end_sec=2.0), tmp_path / "eval"
    for name, gain in {"half": 0.5, "quarter": 0.25}.items():
        for path in data.rglob("*.wav"):
            place = tmp_path / name / path.relative_to(data)
            place.parent.mkdir(parents=True, exist_ok=True)
            samples, rate = load_audio(path)
            save_audio(place, gain * samples, rate)
    told = Told()
    found = evaluate(
        [], out, audio=[f"{name}:{tmp_path / name}" for name in ("half", "quarter")],
        dataset=data, metrics=["peak_ratio", "broken", "undefined"], embedding="", save_preds=0,
        rows=["silence"], max_items=4, progress=told,
    )  # fmt: skip
    columns = Evaluation.open(out).columns("clips.csv")
    peaks = columns["peak_ratio"]
    assert peaks[columns["row"] == "half"] == pytest.approx(-6.02, abs=0.01)
    assert (peaks[columns["row"] == "recording"] == 0).all()
    assert np.isnan(columns["broken"]).all() and np.isnan(columns["undefined"]).all()
    clips = len(peaks)
    assert [line for line in told.lines if line.startswith("caution")] == [
        f"caution: metric broken has no figure for {clips} clips of rows (the first: SystemExit: "
        f"no licence for 44100 Hz)",
        f"caution: metric undefined has no figure for {clips} clips of rows (the first: it says "
        f"nan)",
    ]
    tables = {table.title: table for table in main_tables(found.summary)}
    assert tables["Figures of plugins"].columns == ["row", "clips", "Peak, dB →0"]
    quieter = next(d for d in found.summary.differences if d.metric == "peak_ratio")
    assert (quieter.first, quieter.second) == ("half", "quarter")
    assert quieter.found.mean == pytest.approx(6.02, abs=0.01) and quieter.p is not None
    assert [facts.version for facts in Evaluation.open(out).manifest.metrics] == ["1.0"] * 3
    write_report([out], tmp_path / "report.html")
    assert "Peak: Above 0: too loud at its loudest." in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["loudness_of_acme"], "no metric 'loudness_of_acme' is installed"),
        (["missing"], "acme-metrics 1.0 cannot be loaded"),
        (["mel_l1"], "that name is taken by a column of core's"),
        (["peak", "peak_ratio"], "is named twice"),
    ],
)
def test_a_metric_that_cannot_be_meant_is_an_error_before_anything_runs(
    plugin: None, names: list[str], says: str
) -> None:
    from midigroove_core.registry import Registry

    with pytest.raises((InputError, PluginError), match=says):
        AddedMetrics.open(names, Registry())


def test_without_audio_there_is_nothing_to_measure(tmp_path: Path) -> None:
    system = SystemSpec("one", tmp_path / "one.safetensors", tmp_path / "cache")
    with pytest.raises(InputError, match="a `metric` is of audio"):
        EvalConfig((system,), tmp_path / "out", audio_metrics=False, metrics=("peak_ratio",))


def test_failures_of_several_processes_are_told_together() -> None:
    first, second = AddedMetrics(), AddedMetrics()
    for one in (first, second):
        one.absorb({"acme": (2, "it says nan")})
    first.absorb(second.faults)
    assert first.cautions() == [
        "caution: metric acme has no figure for 4 clips of rows (the first: it says nan)"
    ]
