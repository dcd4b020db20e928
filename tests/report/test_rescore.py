"""Evaluations at two rates: kept audio is scored again at the lower one, and it is said."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.evaluation_files import write_evaluation
from support.synthetic_drums import SAMPLE_RATE, Hit, play

from midigroove_core.audio import resample, save_audio
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.metrics.info import METRICS
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.scorecard.kept import Kept, KeptAudio, KeptClip

HITS = ((0.1, "kick", 100), (0.6, "snare", 90), (1.1, "kick", 80), (1.6, "snare", 100))


def evaluation(
    path: Path, system: str, rate: int, delay_sec: float = 0.0, gain: float = 1.0
) -> Path:
    """Three kept clips; the system plays the reference, late."""
    write_evaluation(path, {system: 0.5}, clips=12, sample_rate=rate)
    summary = json.loads((path / "summary.json").read_text())
    summary["metrics"] |= {n: asdict(METRICS[n]) for n in ("mel_l1", "onset_f1_25ms")}
    (path / "summary.json").write_text(json.dumps(summary))
    clips = []
    for number in range(3):
        rows = {}
        for name, late in (("recording", 0.0), (system, delay_sec)):
            audio = play([Hit(sec + late, drum, level) for sec, drum, level in HITS], 2.0)
            file = f"{number:05d}/{name}.wav"
            at_rate = resample(audio, SAMPLE_RATE, rate) * np.float32(gain)
            save_audio(path / "preds" / file, at_rate, rate)
            rows[name] = KeptAudio(file, gain)
        name = f"take{number}@{number * 8000}"
        clips.append(KeptClip(number, name, "k", "d", "s", 120.0, 0.0, 2.0, (), HITS, rows))
    (path / "preds" / "preds.json").write_text(json.dumps(asdict(Kept(rate, tuple(clips)))))
    return path


def test_kept_audio_is_scored_again_at_the_lower_rate(tmp_path: Path) -> None:
    paths = [
        evaluation(tmp_path / "a", "same", 32000),
        evaluation(tmp_path / "b", "late", 16000, 0.035, gain=0.5),
    ]
    found = compare_evaluations(paths)
    (note,) = found.notes
    assert note.startswith("sample_rate differs (32000 in")
    assert "the 3 clips" in note and "scored again at 16000 Hz" in note
    same, late = found.means["onset_f1_25ms"]
    assert same == 1.0 and late == 0.0
    same, late = found.means["mel_l1"]
    assert same == 0.0 and late > 1.0
    # Both were kept at their own gain: the level is that of the reference again.
    assert found.means["level_difference_db"] == pytest.approx((0.0, 0.0), abs=0.05)


def test_without_kept_audio_of_the_same_clips_it_is_refused(tmp_path: Path) -> None:
    first = evaluation(tmp_path / "a", "one", 32000)
    second = write_evaluation(tmp_path / "b", {"two": 0.5}, clips=12, sample_rate=16000)
    with pytest.raises(MismatchError, match=r"what a higher rate holds.*one `sample_rate`"):
        compare_evaluations([first, second])


def test_another_field_still_forbids_it(tmp_path: Path) -> None:
    first = evaluation(tmp_path / "a", "one", 32000)
    second = evaluation(tmp_path / "b", "two", 16000)
    manifest = json.loads((second / "manifest.json").read_text())
    manifest["clips"]["split"] = "validation"
    (second / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(MismatchError, match="another split"):
        compare_evaluations([first, second])


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    paths = [evaluation(tmp_path / "a", "one", 32000), evaluation(tmp_path / "b", "two", 16000)]
    (paths[1] / "preds" / "00001" / "two.wav").unlink()
    with pytest.raises(InputError, match=r"00001/two\.wav"):
        compare_evaluations(paths)


def test_a_judge_of_ones_own_as_the_docs_have_it(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "evaluation_files.md"
    if not page.is_file():
        pytest.skip("only in a checkout, not in the sdist")
    text = page.read_text().split("## A figure of your own")[1]
    scope: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], scope)
    path = evaluation(tmp_path / "a", "late", 32000, delay_sec=0.035, gain=0.5)
    found = scope["judge"](path, lambda ours, theirs, rate: float(np.abs(ours - theirs).mean()))
    assert found["recording"].mean == 0.0
    assert found["late"].mean > 0.01 and found["late"].num_clips == 3
