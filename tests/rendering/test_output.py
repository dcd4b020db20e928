"""What is written: level, bit depth, dither, stems, and nothing over what is there."""

from __future__ import annotations

import base64
import io
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.midi_bytes import beat, note, song

from midigroove_core.audio import load_audio
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.loudness import LoudnessMeter
from midigroove_core.rendering import aside, files, listen, output, render
from midigroove_core.rendering.aside import Played
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.output import Output, level_gain, write

CONFIG = RenderConfig(engine="sampler", kit="standard", tail_sec=1.0)
WHOLE_KIT = (36, 42, 38, 46, 49, 45, 37, 56, 51, 44)


@pytest.fixture
def midi(tmp_path: Path) -> Path:
    path = tmp_path / "groove.mid"
    path.write_bytes(song(beat(WHOLE_KIT)))
    return path


def rendered(midi: Path, **settings: object) -> tuple[np.ndarray, files.FileResult]:
    audio = midi.with_name("out.wav")
    chosen = Output(overwrite=True, **settings)  # type: ignore[arg-type]
    (result,) = files.from_files_to_files([(midi, audio)], CONFIG, chosen)
    assert result.error is None
    return load_audio(audio)[0], result


def played(audio: np.ndarray, size: int = 700) -> Played:
    rows = np.atleast_2d(audio).astype(np.float32)
    return Played(aside.in_blocks(rows, size), (), len(rows), rows.shape[1], 8000)


def test_a_file_is_what_the_python_call_gives(midi: Path) -> None:
    audio, _ = rendered(midi, bit_depth="float")
    assert np.array_equal(audio, render.from_file(midi, CONFIG).audio)
    short, _ = rendered(midi)
    assert np.abs(short - audio).max() <= 0.5 / 32768 + 1e-9


def test_stems_add_up_to_the_mix(midi: Path) -> None:
    mix, result = rendered(midi, bit_depth="float", stems=True)
    names = [Path(stem).name for stem in result.stems]
    assert names == [f"out-{name}.wav" for name in
                     ("kick", "snare", "toms", "hats", "cymbals", "percussion")]  # fmt: skip
    total = sum(load_audio(stem)[0].astype(np.float64) for stem in result.stems)
    assert np.abs(total - mix).max() < 1e-6
    assert np.allclose(mix, render.from_file(midi, CONFIG).audio, atol=1e-6)
    sixteen, result = rendered(midi, stems=True)
    total = sum(load_audio(stem)[0].astype(np.float64) for stem in result.stems)
    assert np.abs(total - sixteen).max() <= (len(result.stems) + 1) * 0.5 / 32768 + 1e-6


def test_chokes_work_across_stems_and_silent_stems_have_no_file(tmp_path: Path) -> None:
    midi = tmp_path / "a.mid"
    midi.write_bytes(song(note(46) + note(42, 420)))
    _, result = rendered(midi, stems=True, bit_depth="float")
    assert [Path(stem).name for stem in result.stems] == ["out-hats.wav"]


def test_loudness_and_peak_are_brought_to_what_is_asked(midi: Path) -> None:
    audio, result = rendered(midi, lufs=-30.0, bit_depth="float")
    meter = LoudnessMeter(44_100)
    meter.add(audio)
    assert meter.lufs == pytest.approx(-30.0, abs=0.01)
    audio, _ = rendered(midi, normalize=True, bit_depth="float")
    assert 20 * math.log10(np.abs(audio).max()) == pytest.approx(-1.0, abs=1e-4)


def test_gains_and_what_gives_way() -> None:
    assert level_gain(0.5, -20.0, Output()) == (1.0, None)
    gain, line = level_gain(2.5, -20.0, Output())
    assert gain == pytest.approx(output.PEAK_LIMIT / 2.5)
    assert line == "peak would clip: turned down by 8.0 dB to stay below 1"
    gain, line = level_gain(0.5, -20.0, Output(lufs=-6.0))
    assert gain == pytest.approx(output.PEAK_LIMIT / 0.5)
    assert line == "-6 LUFS would clip: -14.0 LUFS is as loud as it gets"
    assert level_gain(0.0, -math.inf, Output(lufs=-16.0)) == (1.0, None)
    assert level_gain(0.0, -math.inf, Output(normalize=True)) == (1.0, None)


def test_nan_is_an_error_not_a_file(tmp_path: Path) -> None:
    for bad in (math.nan, math.inf):
        audio = np.zeros(2000)
        audio[900] = bad
        with pytest.raises(MidigrooveError, match="NaN or infinite"):
            write(played(audio), tmp_path / "a.wav", Output())
    assert list(tmp_path.iterdir()) == []


def test_what_contradicts_itself_is_refused() -> None:
    for settings in ({"bit_depth": "8"}, {"lufs": 3.0}, {"lufs": math.nan},
                     {"lufs": -14.0, "normalize": True},
                     {"bit_depth": "24", "dither": True}):  # fmt: skip
        with pytest.raises(InputError):
            Output(**settings)  # type: ignore[arg-type]


def test_dither_decorrelates_the_error_and_leaves_silence(tmp_path: Path) -> None:
    n = np.arange(40_000)
    tone = 1.3 / 32768 * np.sin(2 * np.pi * 100 * n / 8000)
    tone[20_000:] = 0.0
    for dither in (False, True):
        write(played(tone), tmp_path / "a.wav", Output(dither=dither, overwrite=True))
        read = load_audio(tmp_path / "a.wav")[0][0]
        assert not np.any(read[20_000:])
        error = (read - tone)[:20_000]
        spectrum = np.abs(np.fft.rfft(error)) ** 2
        third = spectrum[750 - 2 : 750 + 3].max() / np.median(spectrum)  # 300 Hz
        assert (third < 100) == dither
    first = (tmp_path / "a.wav").read_bytes()
    write(played(tone, 123), tmp_path / "b.wav", Output(dither=True))
    assert (tmp_path / "b.wav").read_bytes() == first


def test_long_audio_is_put_aside_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "MEMORY_BYTES", 1000)
    audio = np.random.default_rng(0).uniform(-2, 2, (2, 5000))
    gain = write(played(audio), tmp_path / "a.wav", Output(bit_depth="float")).gain
    read, _ = load_audio(tmp_path / "a.wav")
    assert np.allclose(read, audio * gain, atol=1e-6) and np.abs(read).max() <= 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_what_is_there_is_not_replaced_unasked(midi: Path, tmp_path: Path) -> None:
    audio = tmp_path / "out.wav"
    audio.write_bytes(b"mine")
    with pytest.raises(InputError, match="out.wav is there already; `overwrite` replaces"):
        files.from_files_to_files([(midi, audio)], CONFIG)
    assert audio.read_bytes() == b"mine"
    (tmp_path / "other-hats.wav").write_bytes(b"mine")
    pairs = [(midi, tmp_path / "other.wav")]
    (result,) = files.from_files_to_files(pairs, CONFIG, Output(stems=True))
    assert "other-hats.wav is there already" in str(result.error)
    with pytest.raises(InputError, match="over what is read"):
        files.from_files_to_files([(audio, audio)], CONFIG, Output(overwrite=True))


def test_one_gain_keeps_takes_comparable(midi: Path, tmp_path: Path) -> None:
    soft = tmp_path / "soft.mid"
    soft.write_bytes(song(beat((42, 44))))
    pairs = [(path, tmp_path / f"out-{path.stem}.wav") for path in (midi, soft)]
    chosen = Output(overwrite=True, bit_depth="float", normalize=True, one_gain=True, stems=True)
    loud, quiet = files.from_files_to_files([*pairs], CONFIG, chosen)
    assert loud.gain == quiet.gain and len(loud.stems) > len(quiet.stems) == 1
    for (path, audio), result in zip(pairs, (loud, quiet), strict=True):
        own = render.from_file(path, CONFIG)
        assert np.allclose(load_audio(audio)[0], own.audio / own.gain * result.gain, atol=1e-6)
    assert np.abs(load_audio(pairs[0][1])[0]).max() == pytest.approx(10 ** (-1 / 20), abs=1e-5)
    results = files.from_files_to_files(
        [pairs[1], (tmp_path / "missing.mid", tmp_path / "no.wav"), pairs[0]],
        CONFIG, Output(overwrite=True, lufs=-30.0, one_gain=True),
    )  # fmt: skip
    assert [result.error is None for result in results] == [True, False, True]
    meter = LoudnessMeter(44_100)
    meter.add(load_audio(pairs[0][1])[0])
    assert meter.lufs == pytest.approx(-30.0, abs=0.01) and results[0].gain == results[2].gain


def test_a_render_is_saved_as_asked_and_heard_where_it_is_made(
    midi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = render.from_file(midi, CONFIG)
    heard.save(tmp_path / "a.wav", bit_depth="float", normalize=True)
    read, _ = load_audio(tmp_path / "a.wav")
    assert np.abs(read).max() == pytest.approx(10 ** (-1 / 20), abs=1e-5)
    with pytest.raises(InputError, match="flac has no bit_depth float"):
        heard.save(tmp_path / "a.flac", bit_depth="float")
    page = heard._repr_html_()
    data = base64.b64decode(page.partition("base64,")[2].partition('"')[0])
    inside, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == 44_100 and np.abs(inside - heard.audio[0]).max() <= 0.5 / 32768 + 1e-9
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        return subprocess.CompletedProcess(command, len(ran) - 1, b"", b"no card\n")

    monkeypatch.setattr(listen.subprocess, "run", run)
    monkeypatch.setattr(listen.sys, "platform", "linux")
    monkeypatch.setattr(listen.shutil, "which", lambda name: name if name == "aplay" else None)
    heard.play()
    assert ran[0][:2] == ["aplay", "-q"] and ran[0][2].endswith("groove.wav")
    with pytest.raises(MidigrooveError, match="aplay did not play: no card"):
        heard.play()
    monkeypatch.setattr(listen.shutil, "which", lambda name: None)
    with pytest.raises(MidigrooveError, match="nothing here plays sound"):
        heard.play()
