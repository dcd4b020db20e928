"""`verify` finds each kind of fault, `align` measures delays, `stats` counts."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midigroove_core.atomic import write_json
from midigroove_core.audio import save_audio
from midigroove_core.datasets.stats import stats
from midigroove_core.datasets.verify import verify
from midigroove_core.metrics.alignment import align
from midigroove_core.midi import load_midi
from midigroove_core.takes import Dataset, open_dataset
from midigroove_core.takes.egmd import COLUMNS
from midigroove_core.takes.reading import Skip, TakeReader

GROOVE = Path(__file__).parents[1] / "data" / "groove"
RATE = 16_000
SAMPLES = ("drummer1", "drummer4", "drummer9")


def clicks(
    onset_sec: np.ndarray, length_sec: float, velocity: np.ndarray | None = None
) -> np.ndarray:
    """Decaying noise bursts at the given times."""
    rng = np.random.default_rng(0)
    out = np.zeros(round(length_sec * RATE) + RATE, dtype=np.float32)
    burst = rng.normal(size=800) * np.exp(-np.arange(800) / 120)
    levels = np.full(len(onset_sec), 0.1) if velocity is None else 0.002 * velocity
    for onset, level in zip(onset_sec, levels, strict=True):
        start = round(onset * RATE)
        out[start : start + 800] += (level * burst).astype(np.float32)
    return np.clip(out[: round(length_sec * RATE)], -0.9, 0.9)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Three takes of bursts, one a performance, without a fault."""
    rows = []
    for n, drummer in enumerate(SAMPLES):
        source = sorted((GROOVE / drummer).rglob("*.mid"))[0]
        performance = load_midi(source)
        length = float(performance.onset_sec[-1]) + 1.0
        (tmp_path / f"{n}.midi").write_bytes(source.read_bytes())
        save_audio(tmp_path / f"{n}.wav", clicks(performance.onset_sec, length), RATE)
        row = dict.fromkeys(COLUMNS, "x") | {
            "id": str(n), "bpm": "100", "duration": str(length), "split": "train",
            "midi_filename": f"{n}.midi", "audio_filename": f"{n}.wav", "kit_name": "Bursts",
            "drummer": drummer,
        }  # fmt: skip
        rows.append(row)
    with open(tmp_path / "e-gmd-v1.0.0.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return open_dataset(tmp_path)


def kinds(dataset: Dataset) -> dict[str, int]:
    return verify(dataset, workers=1).counts


def test_a_good_dataset_has_no_finding(dataset: Dataset) -> None:
    report = verify(dataset, workers=1)
    assert report.findings == []
    assert len(report.alignments) == 3
    assert abs(report.alignment_summary()["offset_ms_median"]) < 2
    assert report.alignment_summary()["match_median"] > 0.9


def rewrite(dataset: Dataset, audio: np.ndarray, subtype: str = "PCM_16") -> None:
    soundfile.write(dataset.root / "0.wav", audio, RATE, subtype)


def good(dataset: Dataset) -> np.ndarray:
    return soundfile.read(dataset.root / "0.wav", dtype="float32")[0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lambda d: (d.root / "0.wav").unlink(), "missing_audio"),
        (lambda d: (d.root / "0.midi").unlink(), "missing_midi"),
        (lambda d: (d.root / "0.wav").write_bytes(b""), "empty_audio"),
        (lambda d: (d.root / "0.wav").write_bytes(b"not audio at all"), "unreadable_audio"),
        (
            lambda d: (d.root / "0.wav").write_bytes((d.root / "0.wav").read_bytes()[:9000]),
            "unreadable_audio",
        ),
        (lambda d: (d.root / "0.midi").write_bytes(b"kick"), "unreadable_midi"),
        (lambda d: rewrite(d, 0 * good(d)), "silent"),
        (lambda d: rewrite(d, np.append(good(d), np.nan), "FLOAT"), "non_finite"),
        (lambda d: rewrite(d, np.clip(30 * good(d), -1, 1)), "clipped"),
        (lambda d: rewrite(d, good(d)[: RATE // 2]), "too_short"),
        (lambda d: rewrite(d, np.append(good(d), np.zeros(RATE // 4))), "length_mismatch"),
        (lambda d: rewrite(d, np.roll(good(d), RATE // 25)), "misaligned"),
    ],
)  # fmt: skip
def test_each_fault_in_a_file_is_found(dataset: Dataset, fault: object, kind: str) -> None:
    fault(dataset)  # type: ignore[operator]
    report = verify(dataset, workers=1)
    assert kind in report.counts
    assert {finding.take for finding in report.findings} == {"0.wav"}


def test_a_clip_of_another_performance_is_wrong_midi(dataset: Dataset) -> None:
    (dataset.root / "1.midi").write_bytes((dataset.root / "2.midi").read_bytes())
    report = verify(dataset, workers=1)
    assert "wrong_midi" in {f.kind for f in report.findings if f.take == "1.wav"}


def test_faults_in_the_rows_are_found(dataset: Dataset) -> None:
    a, b, c = dataset.takes
    twice = replace(dataset, takes=[a, a, b, replace(c, performance_key="1", split="test")])
    assert kinds(twice) == {"duplicate_key": 1, "performance_in_two_splits": 1}
    finding = verify(replace(dataset, unpaired=["lonely.wav"]), workers=1, listen=False).findings[0]
    assert (finding.kind, finding.take) == ("missing_midi", "lonely.wav")


def test_unknown_pitches_are_counted(dataset: Dataset) -> None:
    data = (dataset.root / "0.midi").read_bytes()
    (dataset.root / "0.midi").write_bytes(data.replace(b"\x99\x26", b"\x99\x10"))
    report = verify(dataset, workers=1, listen=False)
    assert [f.kind for f in report.findings] == ["unknown_pitch"]
    assert "pitch 16 (" in report.findings[0].detail


def test_align_measures_delay_drift_and_spread() -> None:
    onsets = load_midi(sorted((GROOVE / "drummer8").rglob("*.mid"))[0]).onset_sec
    length = float(onsets[-1]) + 1
    for delay in (-0.03, 0.0, 0.123):
        late = onsets + delay
        found = align(onsets, clicks(np.maximum(late, 0), length), RATE)
        assert found is not None
        assert found.offset_ms == pytest.approx(1000 * delay, abs=2)
        assert found.residual_ms < 6
    long = np.concatenate([onsets, onsets + 40])
    drifting = align(long, clicks(long * 1.0005, long[-1] * 1.0005 + 1), RATE)
    assert drifting is not None
    assert drifting.drift_ms == pytest.approx(30, abs=8)
    rng = np.random.default_rng(1)
    shaky = align(onsets, clicks(np.abs(onsets + rng.normal(0, 0.012, len(onsets))), length), RATE)
    assert shaky is not None
    assert shaky.residual_ms > 8
    assert align(onsets[:3], clicks(onsets[:3], 2.0), RATE) is None


def test_reports_are_json_with_everything(dataset: Dataset) -> None:
    facts = verify(dataset, workers=1).to_json()
    assert facts["takes"] == 3
    assert set(facts["alignment"]) == {"0.wav", "1.wav", "2.wav"}
    assert facts["counts"] == {} and facts["findings"] == []


def test_stats_count_hours_takes_and_hits(dataset: Dataset) -> None:
    dataset.takes.append(replace(dataset.takes[0], key="0b.wav", kit="Other", split="test"))
    counted = stats(dataset, workers=1).to_json()
    hits = [load_midi(dataset.root / f"{n}.midi").num_hits for n in (0, 1, 2)]
    total = counted["total"]
    assert total["hits"] == sum(hits) + hits[0] == sum(total["hits_by_class"].values())
    assert (total["takes"], total["performances"]) == (4, 3)
    assert set(counted["by"]) == {"split", "kit", "style", "drummer"}
    assert counted["by"]["kit"]["Other"]["hits"] == hits[0]
    assert counted["by"]["split"]["test"]["takes"] == 1
    seconds = sum(take.duration_sec for take in dataset.takes)
    assert total["hours"] == pytest.approx(seconds / 3600, abs=1e-4)
    (dataset.root / "1.midi").write_bytes(b"")
    assert stats(dataset, workers=1).unreadable == ["1.midi"]


def test_a_recording_of_hum_is_a_finding_and_the_report_is_json(
    dataset: Dataset, tmp_path: Path
) -> None:
    """No onset heard matches one that was played: the spread was infinite, and no JSON."""
    t = np.arange(len(good(dataset))) / RATE
    rewrite(dataset, (0.01 * np.sin(2 * np.pi * 50 * t)).astype(np.float32))
    report = verify(dataset, workers=1)
    assert report.counts == {"wrong_midi": 1}
    assert len(report.alignments) == 3
    write_json(tmp_path / "v.json", report.to_json())


@pytest.mark.parametrize("units", [128.0, 32768.0, 8388608.0])
def test_float_files_in_other_units_are_named(dataset: Dataset, units: float) -> None:
    rewrite(dataset, good(dataset) * units, "FLOAT")
    found = [f for f in verify(dataset, workers=1, listen=False).findings]
    assert [f.kind for f in found] == ["wrong_scale"]
    assert "times full scale" in found[0].detail
    take = dataset.takes[0]
    skip = TakeReader(dataset, RATE, 1).read(take)
    assert isinstance(skip, Skip) and skip.reason == "audio in other units"
    loaded = TakeReader(dataset, RATE, 1, normalize=True).read(take)
    assert not isinstance(loaded, Skip) and np.abs(loaded.audio).max() < 1


def test_channels_that_cancel_are_a_finding_and_are_heard(dataset: Dataset) -> None:
    audio = good(dataset)
    rewrite(dataset, np.stack([audio, -audio], axis=1))
    report = verify(dataset, workers=1)
    assert report.counts == {"channels_cancel": 1}
    assert report.alignments["0.wav"].match > 0.9
