"""`data synth --stems`: a file for each drum, which add up to the take."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import load_audio
from midigroove_core.cli import run
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import load_midi, save_midi
from midigroove_core.takes import open_dataset
from midigroove_core.takes.sound import load_stems

RATE = 44_100


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    groove = next(i.path for i in builtin_grooves() if i.name.startswith("drummer8_s1_14"))
    (tmp_path / "midi").mkdir()
    save_midi(load_midi(groove).slice(0.0, 5.0), tmp_path / "midi" / "a.mid")
    return ["data", "synth", "--midi", str(tmp_path / "midi"), "--kits", "jazz", "--workers", "1"]


def test_stems_add_up_to_the_take_which_is_what_it_is_without(
    arguments: list[str], tmp_path: Path
) -> None:
    assert run([*arguments, "--out", str(tmp_path / "stems"), "--stems"]) == 0
    made = open_dataset(tmp_path / "stems")
    take = made.takes[0]
    assert {"kick", "snare", "hats"} <= {name for name, _ in take.stems}
    stems = load_stems(made, take, RATE, 1)
    assert all(np.any(audio) for audio in stems.values())
    whole = load_audio(made.audio_path(take))[0]
    assert np.abs(np.sum(list(stems.values()), axis=0) - whole).max() < 1e-6
    assert run([*arguments, "--out", str(tmp_path / "plain")]) == 0
    alone = load_audio(tmp_path / "plain" / take.audio_path)[0]
    assert np.abs(alone - whole).max() < 1e-4
    assert "stems" not in (tmp_path / "plain" / "e-gmd-v1.0.0.csv").read_text().split("\n")[0]


def test_finished_stems_are_kept_and_others_are_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run([*arguments, "--out", str(out), "--stems"]) == 0
    before = {path: os.stat(path).st_mtime_ns for path in out.rglob("*.wav")}
    assert len(before) >= 4
    assert run([*arguments, "--out", str(out), "--stems"]) == 0
    assert before == {path: os.stat(path).st_mtime_ns for path in out.rglob("*.wav")}
    assert run([*arguments, "--out", str(out)]) == 2
    assert "stems was True and is now False" in capsys.readouterr().err


def test_a_changed_performance_leaves_no_stem_of_the_old_one(
    arguments: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run([*arguments, "--out", str(out), "--stems"]) == 0
    performance = load_midi(tmp_path / "midi" / "a.mid")
    pitch = np.full(performance.num_hits, 36)
    kicks = type(performance)(
        performance.onset_sec, performance.duration_sec, pitch, performance.velocity,
        end_sec=performance.end_sec,
    )  # fmt: skip
    save_midi(kicks, tmp_path / "midi" / "a.mid")
    assert run([*arguments, "--out", str(out), "--stems"]) == 0
    assert [path.name for path in (out / "a_1_stems").iterdir()] == ["kick.wav"]
    assert [name for name, _ in open_dataset(out).takes[0].stems] == ["kick"]
