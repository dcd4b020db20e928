"""Rendering on the kit of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import lfilter
from support.toy_systems import codec_header, performance, toy_spec

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.checkpoint import CodecPart, TrainedWindow, save_checkpoint
from midigroove_core.cli import run
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits import sampler
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.recordings.hearing import listen
from midigroove_core.recordings.like import kit_like
from midigroove_core.rendering.render import RenderConfig, from_performance
from midigroove_core.testing import ToyCodec

RATE = 44_100
GROOVES = {info.name: info.path for info in builtin_grooves()}
PLAYED = GROOVES["drummer4_s1_1_rock_87_beat_4-4"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seconds 6 to 26 of a performance on the tr808."""
    audio = sampler.render(load_midi(PLAYED).slice(0.0, 30.0), load_kit("tr808"))
    path = tmp_path_factory.mktemp("like") / "loop.wav"
    save_audio(path, audio[6 * RATE : 26 * RATE], RATE)
    return path


def test_with_its_midi_the_recordings_kit_is_the_nearest(recording: Path) -> None:
    performance = load_midi(GROOVES["drummer8_s1_14_hiphop_94_beat_4-4"]).slice(0.0, 8.0)
    config = RenderConfig(engine="sampler", like=recording, like_midi=PLAYED)
    played = np.atleast_2d(from_performance(performance, config).audio)[0]
    true = sampler.render(performance, load_kit("tr808"))
    near = mel_l1(true, played[: len(true)], RATE)
    for name in ("electronic", "standard"):
        assert near < mel_l1(true, sampler.render(performance, load_kit(name)), RATE)


def test_the_place_in_the_midi_is_found(recording: Path) -> None:
    cut, found = kit_like(recording, PLAYED)
    assert found.offset_sec == pytest.approx(6.0, abs=0.005)
    assert not found.transcribed


def test_without_midi_kick_snare_and_hat_are_heard(recording: Path) -> None:
    cut, found = kit_like(recording)
    assert found.transcribed and not found.doubts
    assert {"kick", "snare", "hat_closed"} <= set(cut.kit.articulations)


def test_what_is_heard_is_not_read_with_the_drum_map_of_the_midi(recording: Path) -> None:
    """Addictive Drums has a cross stick where the Roland map has the closed hat."""
    cut, _ = kit_like(recording, drum_map=load_drum_map("addictive_drums_2"))
    assert {drum.articulation for drum in cut.drums} >= {"kick", "snare", "hat_closed"}
    assert "xstick" not in {drum.articulation for drum in cut.drums}


def test_samples_that_are_no_numbers_are_refused(recording: Path, tmp_path: Path) -> None:
    audio = load_audio(recording)[0][0].copy()
    audio[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", audio, RATE, "FLOAT")
    for midi in (None, PLAYED):
        with pytest.raises(InputError, match=r"nan\.wav: has samples that are no numbers"):
            kit_like(tmp_path / "nan.wav", midi)


def test_bad_references_get_one_line_each(recording: Path, tmp_path: Path) -> None:
    silence, short = tmp_path / "silence.wav", tmp_path / "short.wav"
    save_audio(silence, np.zeros(3 * RATE, np.float32), RATE)
    save_audio(short, np.full(RATE // 5, 0.1, np.float32), RATE)
    with pytest.raises(InputError, match="is silent"):
        kit_like(silence)
    with pytest.raises(InputError, match=r"0\.20 s are too short"):
        kit_like(short)
    with pytest.raises(InputError, match="does not fit .* anywhere"):
        kit_like(recording, GROOVES["drummer1_s1_78_jazz-fast_290_beat_4-4"])


def test_a_hum_is_no_drums(tmp_path: Path) -> None:
    swell = np.sin(np.arange(4 * RATE) * 2 * np.pi * 220 / RATE) * np.hanning(4 * RATE)
    save_audio(tmp_path / "hum.wav", (0.3 * swell).astype(np.float32), RATE)
    with pytest.raises(InputError, match="no drums are heard"):
        kit_like(tmp_path / "hum.wav")


def speech(seconds: float) -> np.ndarray:
    """A voice of pulses at 110 to 160 Hz through two formants, in syllables of 0.2 s, with hiss."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * RATE)) / RATE
    pitch = 135 + 25 * np.sin(2 * np.pi * 0.7 * t)
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0.0)
    voice = np.zeros(len(t))
    for hz, width in ((700, 90), (1200, 110)):
        pole = np.exp(-np.pi * width / RATE) * np.exp(2j * np.pi * hz / RATE)
        voice += lfilter([1.0], np.poly([pole, pole.conj()]).real, pulses)
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * t), 0, None) ** 0.5
    voice = voice / np.abs(voice).max() * syllables + 0.003 * rng.standard_normal(len(t))
    return (0.5 * voice).astype(np.float32)


def test_speech_is_refused_or_doubted_in_one_line(tmp_path: Path) -> None:
    save_audio(tmp_path / "speech.wav", speech(6.0), RATE)
    try:
        lines = listen(tmp_path / "speech.wav").doubts
    except InputError as error:
        lines = (str(error),)
    assert len(lines) == 1 and "\n" not in lines[0]
    assert "drums alone" in lines[0]


def test_channels_out_of_phase_are_heard_alone_and_said(recording: Path, tmp_path: Path) -> None:
    mono = load_audio(recording)[0][0]
    save_audio(tmp_path / "out.wav", np.stack([mono, -mono]), RATE)
    cut, found = kit_like(tmp_path / "out.wav", PLAYED)
    assert found.offset_sec == pytest.approx(6.0, abs=0.005)
    assert "kick" in cut.kit.articulations
    assert len(found.doubts) == 1 and "taken alone" in found.doubts[0]


@pytest.mark.parametrize("option", [["--like"], ["kits", "cut"]])
def test_bad_references_on_the_command_line_get_one_line(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_audio(tmp_path / "silence.wav", np.zeros(3 * RATE, np.float32), RATE)
    (tmp_path / "text.wav").write_text("no audio")
    out = ["--out", str(tmp_path / "out.wav")]
    midi = str(GROOVES["drummer9_s1_12_rock_100_beat_4-4"])
    for name, expected in (("silence", "is silent"), ("text", "text.wav"), ("none", "none.wav")):
        recording = str(tmp_path / f"{name}.wav")
        before = ["render", midi, "--like"] if option == ["--like"] else option
        assert run([*before, recording, *out]) == 2
        error = capsys.readouterr().err.strip()
        assert expected in error and error.count("\n") == 0
        assert not (tmp_path / "out.wav").exists()


def test_a_midi_file_without_hits_is_refused(recording: Path, tmp_path: Path) -> None:
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(tmp_path / "empty.mid")
    with pytest.raises(InputError, match="no hit"):
        kit_like(recording, tmp_path / "empty.mid")


def test_like_takes_the_place_of_a_kit() -> None:
    with pytest.raises(MidigrooveError, match="takes the place of a kit"):
        RenderConfig(engine="sampler", like=Path("a.wav"), kit="jazz")
    with pytest.raises(MidigrooveError, match="like_midi"):
        RenderConfig(engine="sampler", like_midi=Path("a.mid"))


def test_cut_and_like_on_the_command_line(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = tmp_path / "kit"
    assert run(["kits", "cut", str(recording), "--midi", str(PLAYED), "--out", str(kit)]) == 0
    assert "kick" in capsys.readouterr().out
    assert any(kit.glob("kick_*.wav"))
    assert run(["kits", "cut", str(recording), "--out", str(kit)]) == 2
    assert "not empty" in capsys.readouterr().err
    out = tmp_path / "like.wav"
    midi = str(GROOVES["drummer9_s1_12_rock_100_beat_4-4"])
    arguments = ["render", midi, "--like", str(recording), "--like-midi", str(PLAYED)]
    assert run([*arguments, "-o", str(out)]) == 0
    assert out.is_file()


def save_hearing(path: Path, sketch: bool) -> Path:
    """An untrained model that hears kits, or not, over the toy codec."""
    codec = ToyCodec()
    torch.manual_seed(0)
    model = AutoregressiveModel.build(
        toy_spec(codec, {"kit": ["jazz"], "drummer": [], "style": []}),
        dim=16, layers=1, heads=2, head_dim=8, span=16, sketch=sketch,
    )  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    save_checkpoint(
        path, model, featurizer=ExpressiveGrid(), codec=CodecPart.of_cache(codec_header(codec)),
        window=TrainedWindow(62, 0), training={},
    )  # fmt: skip
    return path


def test_a_model_that_hears_kits_hears_the_recording(
    recording: Path, toy_plugin: None, tmp_path: Path
) -> None:
    path, other = save_hearing(tmp_path / "model.safetensors", True), tmp_path / "other.wav"
    save_audio(other, sampler.render(load_midi(PLAYED).slice(0.0, 8.0), load_kit("jazz")), RATE)
    groove = performance(end_sec=1.0)

    def codes(**settings: Any) -> np.ndarray:
        config = RenderConfig(engine="model", checkpoint=path, tail_sec=0.5, **settings)
        found = from_performance(groove, config)
        assert found.codes is not None
        return found.codes

    assert not np.array_equal(codes(kit="tr808"), codes(kit="unknown"))
    heard = codes(like=recording, like_midi=PLAYED)
    assert np.array_equal(heard, codes(like=recording, like_midi=PLAYED))
    assert not np.array_equal(heard, codes(like=other, like_midi=PLAYED))
    assert not np.array_equal(heard, codes())


def test_a_model_that_hears_none_says_so(recording: Path, toy_plugin: None, tmp_path: Path) -> None:
    path = save_hearing(tmp_path / "deaf.safetensors", False)
    config = RenderConfig(engine="model", checkpoint=path, like=recording, like_midi=PLAYED)
    with pytest.raises(InputError, match="hears no kits"):
        from_performance(performance(end_sec=1.0), config)


def test_what_is_played_is_as_loud_as_the_recording(
    recording: Path, toy_plugin: None, tmp_path: Path
) -> None:
    path, soft = save_hearing(tmp_path / "model.safetensors", True), tmp_path / "soft.wav"
    save_audio(soft, 0.25 * load_audio(recording)[0], RATE)
    groove = performance(end_sec=1.0)
    peaks = [
        float(np.abs(from_performance(groove, RenderConfig(
            engine="model", checkpoint=path, like=like, like_midi=PLAYED)).audio).max())
        for like in (recording, soft)
    ]  # fmt: skip
    assert peaks[1] == pytest.approx(0.25 * peaks[0], rel=0.2)


def test_a_dense_loop_whose_hits_rise_in_one_band_alone_is_heard(tmp_path: Path) -> None:
    """Hats in eighths over a bass drum that never stops ringing."""
    kick = 0.5 * np.sin(2 * np.pi * 60 * np.arange(4 * RATE) / RATE)
    loop = kick.astype(np.float32)
    voice = load_kit("tr808").voice("hat_closed", -1)
    assert voice is not None
    shot, gain = voice.at(80)
    for n in range(16):
        at = n * RATE // 4
        loop[at : at + len(shot)] += (gain * shot)[: len(loop) - at]
    save_audio(tmp_path / "loop.wav", loop, RATE)
    assert "hat_closed" in kit_like(tmp_path / "loop.wav")[0].kit.articulations


def test_velocities_are_heard_within_each_drum(tmp_path: Path) -> None:
    """A kick that gets softer under hats of one velocity."""
    hats = [(0.25 * n, 42, 90) for n in range(48)]
    kicks = [(0.5 * n, 36, 120 - 4 * n) for n in range(24)]
    onsets, pitches, velocities = (np.array(row) for row in zip(*sorted(hats + kicks), strict=True))
    played = DrumPerformance(
        onset_sec=onsets, duration_sec=np.full(len(onsets), 0.1), pitch=pitches,
        velocity=velocities, end_sec=13.0,
    )  # fmt: skip
    save_audio(tmp_path / "loop.wav", sampler.render(played, load_kit("power")), RATE)
    found = listen(tmp_path / "loop.wav").performance
    kick = found.velocity[found.pitch == 36].tolist()
    assert 20 <= len(kick) <= 28
    assert np.mean(kick[:6]) > np.mean(kick[-6:]) + 30
    hat = found.velocity[found.pitch == 42]
    assert np.std(hat) < 15
