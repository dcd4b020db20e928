"""`synthesize` with altered versions of kits: by seed, in time with MIDI, said in the csv."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import load_audio
from midigroove_core.datasets.alteration import Alteration, alter, at_speed, draw_alteration
from midigroove_core.datasets.synth import synthesize
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.kits.shaping import Room
from midigroove_core.midi import load_midi
from midigroove_core.midi_write import save_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.takes import open_dataset

PLAIN = Alteration(1.0, (), 0.0, None, None, 4000.0, 0.0)
SEED = 37
"""One by which the first version of jazz plays at another speed, in a room and with noise."""


@pytest.fixture
def midi_dir(tmp_path: Path) -> Path:
    """Two short performances to train on and one to test, as a csv has them."""
    folder = tmp_path / "midi"
    folder.mkdir()
    columns = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,split"
    lines = [columns]
    for n, split in enumerate(("train", "train", "test"), start=1):
        hits = np.array([0.25, 0.5, 1.0, 1.5])
        played = DrumPerformance(
            hits, np.full(4, 0.1), np.array([36, 42, 38, 36 + n]), np.full(4, 100), end_sec=2.0
        )
        save_midi(played, folder / f"{n}.mid")
        lines.append(f"d,s,p{n},rock,120,beat,4-4,{n}.mid,{split}")
    (folder / "info.csv").write_text("\n".join(lines) + "\n")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def test_training_takes_are_played_again_on_altered_kits(midi_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    summary = synthesize(midi_dir, "jazz", out, augment=2, seed=SEED, headroom_db=3, workers=1)
    assert (summary.written, summary.skipped) == (3 + 2 * 2, [])
    with open(summary.csv_path, newline="") as handle:
        rows = list(csv.DictReader(handle))
    altered = [row for row in rows if row["altered"]]
    assert {row["split"] for row in altered} == {"train"} and len(altered) == 4
    assert {row["kit_name"] for row in altered} == {"jazz altered 1", "jazz altered 2"}
    assert {row["kit_name"] for row in rows if not row["altered"]} == {"jazz"}
    drawn = draw_alteration(SEED, "jazz", 1)
    assert drawn.room is not None and drawn.snr_db is not None and drawn.speed != 1.0
    first = next(row for row in altered if row["kit_name"] == "jazz altered 1")
    assert first["altered"] == drawn.describe() and f"speed={drawn.speed} " in first["altered"]
    assert float(first["bpm"]) == pytest.approx(120 * drawn.speed, rel=1e-3)
    header = json.loads((out / "synth.json").read_text())["altered"]
    assert [(entry["kit"], entry["version"]) for entry in header] == [("jazz", 1), ("jazz", 2)]
    dataset = open_dataset(out)
    for take in dataset.takes:  # a version is a kit of its own, and heard in itself
        heard = next((t for t in dataset.takes if t.key == take.reference), take)
        assert heard.kit == take.kit


def test_midi_follows_the_speed(midi_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesize(midi_dir, "jazz", out, augment=1, seed=SEED, headroom_db=3, workers=1)
    speed = draw_alteration(SEED, "jazz", 1).speed
    whole, faster = load_midi(out / "1_1.midi"), load_midi(out / "1_1a1.midi")
    np.testing.assert_allclose(faster.onset_sec, whole.onset_sec / speed, atol=1e-3)
    assert faster.tempo_bpm[0] == pytest.approx(whole.tempo_bpm[0] * speed, rel=1e-5)
    audio, rate = load_audio(out / "1_1a1.wav")
    assert audio.shape[1] / rate == pytest.approx(faster.onset_sec[-1] + 0.1 + 1.0, abs=0.02)
    for onset in faster.onset_sec[[0, 2]]:  # kick and snare begin there, to 2 ms
        place = round(onset * rate)
        before = np.abs(audio[0, place - 441 : place - 88]).max()
        assert np.abs(audio[0, place : place + 441]).max() > 4 * before


def test_equal_seeds_give_equal_bytes_and_runs_go_on(midi_dir: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    synthesize(midi_dir, "jazz", one, augment=1, seed=SEED, headroom_db=3, workers=1)
    synthesize(midi_dir, "jazz", two, seed=SEED, headroom_db=3, workers=1)
    synthesize(midi_dir, "jazz", two, augment=1, seed=SEED, headroom_db=3, workers=1)
    (two / "2_1a1.wav").unlink()
    summary = synthesize(midi_dir, "jazz", two, augment=1, seed=SEED, headroom_db=3, workers=1)
    assert (summary.written, summary.kept) == (1, 4)
    assert files(one) == files(two)
    with pytest.raises(MismatchError, match="version 1 of kit 'jazz' was altered in another way"):
        synthesize(midi_dir, "jazz", two, augment=1, seed=2, headroom_db=3, workers=1)


def test_what_cannot_be_altered(midi_dir: Path, tmp_path: Path) -> None:
    csv_path = midi_dir / "info.csv"
    csv_path.write_text(csv_path.read_text().replace("train", "validation"))
    with pytest.raises(InputError, match="nothing to `augment`: no performance is for training"):
        synthesize(midi_dir, "jazz", tmp_path / "out", augment=1, workers=1)
    with pytest.raises(InputError, match="`augment` must be a whole number from 0"):
        synthesize(midi_dir, "jazz", tmp_path / "out", augment=-1, workers=1)


def test_altered_takes_have_no_stems(midi_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesize(midi_dir, "jazz", out, augment=1, stems=True, headroom_db=3, workers=1)
    dataset = open_dataset(out)
    assert {bool(take.stems) for take in dataset.takes if "altered" in take.kit} == {False}
    assert all(take.stems for take in dataset.takes if take.kit == "jazz")


def test_each_part_of_an_alteration_does_what_it_says() -> None:
    rng = np.random.default_rng(0)
    click = np.zeros(44100, dtype=np.float32)
    click[22050] = 0.5
    np.testing.assert_array_equal(alter(click, PLAIN), click)
    faster = alter(click, replace(PLAIN, speed=1.05))
    assert abs(int(np.abs(faster).argmax()) - 22050 / 1.05) <= 1
    room = Room(rt60_sec=0.4, wet_db=-6.0, delay_sec=0.01, bright_hz=4000.0, seed=1)
    wet = alter(click, replace(PLAIN, room=room))
    np.testing.assert_allclose(wet[:22490], click[:22490], atol=1e-6)  # until it answers
    energy = np.square(wet[22490:], dtype=np.float64).sum() / 0.25
    assert 10 * np.log10(energy) == pytest.approx(-6.0, abs=0.1)
    music = (0.1 * rng.standard_normal(44100)).astype(np.float32)
    noisy = alter(music, replace(PLAIN, snr_db=20.0), noise_of="take")
    noise_db = 10 * np.log10(np.square(noisy - music).mean() / np.square(music).mean())
    assert noise_db == pytest.approx(-20.0, abs=0.01)
    np.testing.assert_array_equal(alter(music, replace(PLAIN, snr_db=20.0)), music)
    loud = (9 * music).clip(-0.9, 0.9)
    driven = alter(loud, replace(PLAIN, drive_db=12.0))
    assert np.abs(driven).max() < 0.5 * np.abs(loud).max()


def test_a_performance_at_a_speed_keeps_its_beats() -> None:
    played = DrumPerformance(
        np.array([0.5, 3.0]), np.full(2, 0.1), np.array([36, 38]), np.full(2, 90),
        cc4_sec=np.array([0.4]), cc4_value=np.array([64]), tempo_sec=np.array([0.0, 2.0]),
        tempo_beats=np.array([0.0, 4.0]), tempo_bpm=np.array([120.0, 60.0]), end_sec=4.0,
    )  # fmt: skip
    faster = at_speed(played, 1.25)
    np.testing.assert_allclose(
        faster.seconds_to_beats(faster.onset_sec), played.seconds_to_beats(played.onset_sec)
    )
    assert faster.end_sec == pytest.approx(3.2) and faster.cc4_sec[0] == pytest.approx(0.32)
