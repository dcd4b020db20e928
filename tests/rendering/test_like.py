"""Rendering on the kit of a recording."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

from midigroove_core.audio import save_audio
from midigroove_core.cli import run
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits import sampler
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi
from midigroove_core.rendering.like import kit_like
from midigroove_core.rendering.render import RenderConfig, from_performance

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
    found = kit_like(recording, PLAYED)
    assert found.offset_sec == pytest.approx(6.0, abs=0.005)
    assert not found.transcribed


def test_without_midi_kick_snare_and_hat_are_heard(recording: Path) -> None:
    found = kit_like(recording)
    assert found.transcribed and found.doubt is None
    assert {"kick", "snare", "hat_closed"} <= set(found.cut.kit.articulations)


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
