"""Performances of a dataset as MIDI and JAMS, for other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midigroove_core.audio import save_audio
from midigroove_core.cli import run
from midigroove_core.datasets.export import export
from midigroove_core.datasets.jams import to_jams
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.midi_write import save_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.takes import Dataset, open_dataset

GROOVE = DrumPerformance(
    onset_sec=np.array([0.0, 0.5, 0.5, 1.75]),
    duration_sec=np.array([0.1, 0.1, 0.1, 0.1]),
    pitch=np.array([36, 38, 42, 75]),
    velocity=np.array([100, 90, 30, 64]),
    cc4_sec=np.array([0.25]),
    cc4_value=np.array([90]),
    tempo_sec=np.array([0.0, 1.5]),
    tempo_beats=np.array([0.0, 3.0]),
    tempo_bpm=np.array([120.0, 60.0]),
    meter_beats=np.array([0.0, 3.0]),
    meter_numerator=np.array([3, 6]),
    meter_denominator=np.array([4, 8]),
    end_sec=3.0,
)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two takes in a folder of pairs, one of them in a folder below."""
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 3 * 8000).astype(np.float32)
    for name in ("a", "below/b"):
        save_audio(tmp_path / "data" / f"{name}.wav", noise, 8000)
        save_midi(GROOVE, tmp_path / "data" / f"{name}.mid", ticks_per_beat=960)
    return open_dataset(tmp_path / "data")


def annotation(jams: dict[str, Any], namespace: str) -> dict[str, Any]:
    (found,) = (a for a in jams["annotations"] if a["namespace"] == namespace)
    return dict(found)


def column(jams: dict[str, Any], namespace: str, name: str) -> list[Any]:
    return [row[name] for row in annotation(jams, namespace)["data"]]


def test_midi_comes_back_as_it_was_read(dataset: Dataset, tmp_path: Path) -> None:
    summary = export(dataset, tmp_path / "out")
    assert (summary.midi, summary.jams, summary.skipped) == (2, 0, {})
    for name in ("a", "below/b"):
        before = load_midi(tmp_path / "data" / f"{name}.mid").to_arrays()
        after = load_midi(tmp_path / "out" / f"{name}.midi").to_arrays()
        for field, values in before.items():
            np.testing.assert_array_equal(after[field], values)


def test_jams_tells_notes_beats_and_tempo() -> None:
    jams = to_jams(GROOVE, title="groove", artist="drummer1", facts={"kit": "jazz"})
    assert column(jams, "note_midi", "value") == [36.0, 38.0, 42.0, 75.0]
    assert column(jams, "note_midi", "time") == [0.0, 0.5, 0.5, 1.75]
    assert annotation(jams, "note_midi")["sandbox"] == {
        "velocity": [100, 90, 30, 64],
        "articulation": ["kick", "snare", "hat_closed", "other"],
    }
    assert column(jams, "onset", "value") == [None] * 4
    # three quarters at 120, then quavers of 6/8 at half the speed until the end
    assert column(jams, "beat", "time") == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert column(jams, "beat", "value") == [1, 2, 3, 1, 2, 3]
    places = column(jams, "beat_position", "value")
    assert places[2] == {"position": 3, "measure": 1, "num_beats": 3, "beat_units": 4}
    assert places[3] == {"position": 1, "measure": 2, "num_beats": 6, "beat_units": 8}
    tempi = annotation(jams, "tempo")["data"]
    assert [(t["time"], t["duration"], t["value"]) for t in tempi] == [
        (0.0, 1.5, 120.0), (1.5, 1.5, 60.0),
    ]  # fmt: skip
    assert jams["file_metadata"]["duration"] == 3.0
    assert jams["sandbox"] == {"kit": "jazz"}


def test_beats_end_with_the_audio_and_begin_with_it() -> None:
    assert column(to_jams(GROOVE, duration_sec=1.2), "beat", "time") == [0.0, 0.5, 1.0]
    part = to_jams(GROOVE.slice(0.75, 3.0))
    assert column(part, "beat", "time") == [0.25, 0.75, 1.25, 1.75]
    assert column(part, "beat", "value") == [3, 1, 2, 3]


def test_the_command(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "a.mid").write_bytes(b"MThd")
    data, out = str(tmp_path / "data"), str(tmp_path / "out")
    assert run(["data", "export", data, "--out", out, "--jams", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["midi"], said["jams"]) == (1, 1)
    assert said["skipped"]["a.mid"].startswith("a.mid: not a MIDI file")
    found = sorted(p.relative_to(out).as_posix() for p in Path(out).rglob("*.*"))
    assert found == ["below/b.jams", "below/b.midi"]
    jams = json.loads((Path(out) / "below/b.jams").read_text())
    assert jams["sandbox"]["audio_path"] == "below/b.wav"
    assert run(["data", "export", data, "--out", f"{data}/out"]) == 2
    assert "lies in the dataset's folder" in capsys.readouterr().err


def test_nothing_to_export_is_said(dataset: Dataset, tmp_path: Path) -> None:
    for path in (tmp_path / "data").rglob("*.mid"):
        path.write_bytes(b"MThd")
    with pytest.raises(InputError, match="nothing to export"):
        export(dataset, tmp_path / "out")
