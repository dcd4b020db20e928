"""Kits that ship, kits of users, and the grooves."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midigroove_core.drums import ARTICULATIONS, load_drum_map
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits import library as kits
from midigroove_core.kits import soundfont, user_kits
from midigroove_core.kits.library import builtin_grooves, list_kits, load_kit
from midigroove_core.midi import load_midi

SPLIT_DRUMMERS = {"train": {1, 2, 3, 5, 6, 7}, "validation": {4, 9, 10}, "test": {8}}


def test_six_kits_or_more_in_eight_megabytes_with_a_licence() -> None:
    infos = list_kits()
    assert len({info.id for info in infos}) == len(infos) >= 6
    assert all(info.license == "MIT" and "FluidR3" in info.source for info in infos)
    size = sum(path.stat().st_size for path in (kits.ASSETS / "kits").rglob("*.*"))
    assert size <= 8_000_000
    text = (kits.ASSETS / "ATTRIBUTION.md").read_text()
    assert "Frank Wen" in text and "Permission is hereby granted" in text


def test_every_kit_plays_every_articulation_by_itself() -> None:
    for info in list_kits():
        kit = load_kit(info.id)
        assert set(kit.articulations) == set(ARTICULATIONS)
        assert {39, 54, 56} <= set(kit.variants["other"])
        assert kit.silent == []


def test_samples_are_stored_once_and_none_is_left_over() -> None:
    manifest = json.loads((kits.ASSETS / "kits" / "kits.json").read_text())
    used = [
        layer["file"]
        for kit in manifest["kits"]
        for voice in kit["voices"].values()
        for layers in (voice["layers"], *voice["pitches"].values())
        for layer in layers
    ]
    files = {path.name for path in (kits.ASSETS / "kits" / "samples").iterdir()}
    assert set(used) == files
    contents = {(kits.ASSETS / "kits" / "samples" / name).read_bytes() for name in files}
    assert len(contents) == len(files) < len(used)


def test_one_shots_start_at_once_and_end_in_silence() -> None:
    for path in (kits.ASSETS / "kits" / "samples").iterdir():
        audio, rate = soundfile.read(path, dtype="float32")
        assert (rate, audio.ndim) == (44_100, 1)
        peak = np.abs(audio).max()
        attack = int(np.argmax(np.abs(audio) > 0.02 * peak))
        assert attack <= 0.0015 * rate, path.name
        assert abs(audio[0]) <= 0.02 * peak and abs(audio[-1]) <= 0.002 * peak, path.name


def test_kick_and_snare_keep_their_layers() -> None:
    for name in ("standard", "room", "power", "jazz", "brush"):
        kit = load_kit(name)
        assert len(kit.articulations["kick"]) >= 6 and len(kit.articulations["snare"]) >= 6


def spectrum_db(audio: np.ndarray) -> np.ndarray:
    """Power in 24 bands of equal ratio from 40 Hz to 16 kHz, in dB relative to the whole."""
    power = np.abs(np.fft.rfft(audio, 65_536)) ** 2
    edges = np.searchsorted(np.fft.rfftfreq(65_536, 1 / 44_100), np.geomspace(40, 16_000, 25))
    bands = np.array([power[a:b].sum() for a, b in zip(edges[:-1], edges[1:], strict=True)])
    return np.maximum(10 * np.log10(bands / bands.sum() + 1e-9), -50)


def test_kits_differ_from_each_other_in_every_main_drum() -> None:
    loaded = [load_kit(info.id) for info in list_kits()]
    for articulation in ("kick", "snare", "hat_closed", "ride", "crash_1", "tom_mid"):
        for one, other in combinations(loaded, 2):
            shots = [kit.articulations[articulation][-1].audio for kit in (one, other)]
            gap = np.abs(spectrum_db(shots[0]) - spectrum_db(shots[1])).mean()
            lengths = abs(np.log2(len(shots[0]) / len(shots[1])))
            assert gap > 1.0 or lengths > 0.5, (articulation, one.name, other.name, gap)


def test_names_match_in_any_case_and_unknown_ones_list_the_kits() -> None:
    assert load_kit("Jazz").name == load_kit("jazz").name == "jazz"
    with pytest.raises(InputError, match=r"no kit 'jaz' .did you mean jazz..; use one of stand"):
        load_kit("jaz")


def write_shot(path: Path, level: float = 0.5, rate: int = 44_100) -> None:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.full((rate // 100, 2), level), rate)


def test_a_folder_of_one_shots_is_a_kit(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name, level in (("snare_060", 0.1), ("snare_127", 0.8), ("Kick", 0.9), ("hat_open", 0.3),
                        ("crash_1_100", 0.6), ("other_p56", 0.2)):  # fmt: skip
        write_shot(folder / f"{name}.wav", level, 22_050 if name == "Kick" else 44_100)
    (folder / "notes.txt").write_text("not a sample")
    kit = load_kit(folder)
    assert kit.name == "mine" and kit.unread == ("notes.txt",)
    assert [layer.max_velocity for layer in kit.articulations["snare"]] == [60, 127]
    assert len(kit.articulations["kick"][0].audio) == 440  # brought to 44.1 kHz
    loudest = sum(np.abs(kit.articulations[name][-1].audio).max() for name in ("kick", "snare"))
    assert loudest < 1.0
    ratio = kit.articulations["snare"][1].audio[0] / kit.articulations["snare"][0].audio[0]
    assert ratio == pytest.approx(8, rel=1e-3)  # the recordings' own dynamics
    xstick, snare = kit.voice("xstick", 37), kit.voice("snare", 38)
    assert xstick and snare and xstick.at(90)[0] is snare.at(90)[0]
    assert kit.voice("other", 56) and kit.voice("other", 39) is None
    assert kit.silent == ["tom_high", "tom_mid", "tom_low", "other"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("snair.wav", r"no wav or flac one-shots .*\(not read: snair.wav\)"),
     ("snare_200.wav", "snare_200.wav: velocities go from 1 to 127"),
     ("snare_0.wav", "snare_0.wav: velocities go from 1"), ("", "no wav or flac one-shots")],
)  # fmt: skip
def test_a_folder_that_is_no_kit_names_the_file(tmp_path: Path, name: str, message: str) -> None:
    if name:
        write_shot(tmp_path / name)
    with pytest.raises(InputError, match=message):
        load_kit(tmp_path)


def test_names_of_sample_libraries_are_read_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name in ("Kick-Hard", "Kick-Soft", "Snare 1", "Snare 2", "OpenHat", "snair", "Cowbell"):
        write_shot(folder / f"{name}.wav")
    kit = load_kit(folder)
    assert [layer.max_velocity for layer in kit.articulations["kick"]] == [64, 120]
    assert set(kit.articulations) == {"kick", "snare", "hat_open"} and kit.voice("other", 56)
    assert kit.unread == ("Snare 2.wav", "snair.wav")
    assert "Kick-Soft.wav: kick, up to velocity 64" in kit.read_as
    assert "OpenHat.wav: hat_open" in kit.read_as


def test_unreadable_and_silent_one_shots_are_refused(tmp_path: Path) -> None:
    (tmp_path / "snare.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError, match=r"snare.wav: not readable"):
        load_kit(tmp_path)
    write_shot(tmp_path / "snare.wav", 0.0)
    with pytest.raises(InputError, match=r"snare.wav: the one-shot is silent"):
        load_kit(tmp_path)


def fake_notes(font: str | Path, notes: list[tuple[int, int, float]], program: int = 0) -> list:
    """Decaying tones: pitch 38 changes with velocity, others only in level, 53 is missing."""
    shots = []
    for pitch, velocity, seconds in notes:
        time = np.arange(round(seconds * 44_100)) / 44_100
        tone = np.sin(2 * np.pi * 5 * pitch * (1 + (pitch == 38) * velocity / 50) * time)
        level = 0.3 * (velocity / 127) ** 2 * (pitch != 53)
        shots.append((level * tone * np.exp(-time * 20)).astype(np.float32))
    return shots


def test_a_soundfont_is_cut_once_and_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDIGROOVE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(user_kits, "render_notes", fake_notes)
    font = tmp_path / "small.sf2"
    font.write_bytes(b"sfbk")
    kit = load_kit(f"{font}:16")
    assert kit.name == "small:16"
    assert len(kit.articulations["kick"]) == 1
    assert len(kit.articulations["snare"]) == len(user_kits.FONT_VELOCITIES)
    assert "ride_bell" not in kit.articulations and 39 in kit.variants["other"]

    def fail(*_: object, **__: object) -> list:
        raise AssertionError("cut again")

    monkeypatch.setattr(user_kits, "render_notes", fail)
    assert load_kit(f"{font}:16").silent == []
    with pytest.raises(AssertionError, match="cut again"):
        load_kit(f"{font}:8")


def test_a_missing_font_or_program_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"none.sf2: no such SoundFont"):
        load_kit(tmp_path / "none.sf2")
    font = tmp_path / "a.sf2"
    font.write_bytes(b"sfbk")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MidigrooveError, match="program fluidsynth"):
        soundfont.render_notes(font, [(38, 100, 1.0)])


def test_layers_that_are_scaled_copies_are_left_out() -> None:
    time = np.arange(4000) / 44_100
    tone, other = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (200, 300))
    shots = {32: tone / 16, 64: tone / 4, 127: tone * (127 / 128) ** 2}
    assert list(soundfont.cut_layers(shots)) == [127]
    assert list(soundfont.cut_layers({**shots, 64: other / 4})) == [32, 64, 127]
    assert list(soundfont.cut_layers({**shots, 64: tone / 2})) == [32, 64, 127]  # another level


def test_grooves_are_split_by_drummer_and_varied() -> None:
    grooves = builtin_grooves()
    assert 55 <= len(grooves) <= 65
    assert len({groove.name for groove in grooves}) == len(grooves)
    for groove in grooves:
        assert int(groove.drummer.removeprefix("drummer")) in SPLIT_DRUMMERS[groove.split]
    assert {"3-4", "6-8", "5-4"} <= {groove.time_signature for groove in grooves}
    assert len({groove.style for groove in grooves}) >= 30
    size = sum(path.stat().st_size for path in (kits.ASSETS / "grooves").iterdir())
    assert size < 500_000
    assert "CC BY 4.0" in (kits.ASSETS / "ATTRIBUTION.md").read_text().replace(
        "Creative Commons Attribution 4.0 International", "CC BY 4.0"
    )


def test_groove_files_are_what_the_list_says() -> None:
    drum_map = load_drum_map("roland_td")
    for groove in builtin_grooves()[::25]:
        performance = load_midi(groove.path)
        assert performance.num_hits == groove.num_hits
        assert performance.mean_bpm == pytest.approx(groove.bpm, rel=1e-3)
        meter = f"{performance.meter_numerator[0]}-{performance.meter_denominator[0]}"
        assert meter == groove.time_signature
        assert 0 <= groove.duration_sec - performance.onset_sec[-1] < 8
        assert groove.duration_sec <= 60.5
        assert {drum_map.articulation(pitch) for pitch in performance.pitch} >= {"kick"}
