"""Audio, tables and names that went wrong: taken as they are meant, found, or one clear line."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.midi_bytes import beat, meta, song

from midigroove_core.audio import load_audio
from midigroove_core.cache.build import build_cache
from midigroove_core.cli import run as midigroove
from midigroove_core.datasets.verify import verify
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

GROOVE = song(meta(0x51, b"\x07\xa1\x20") + beat())
RATE = 22050


def clicks(seconds: float = 2.5) -> np.ndarray:
    """A burst at each of the beat's eight hits."""
    rng, audio = np.random.default_rng(0), np.zeros(int(seconds * RATE))
    for hit in range(8):
        start = int(hit * 0.25 * RATE)
        audio[start : start + 1500] += rng.uniform(-0.8, 0.8, 1500) * np.exp(-np.arange(1500) / 200)
    return audio


def take(folder: Path, name: str, audio: np.ndarray, subtype: str = "PCM_16") -> Path:
    """A pair of MIDI and audio."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    soundfile.write(path, audio, RATE, subtype)
    path.with_suffix(".mid").write_bytes(GROOVE)
    return path


def found_in(folder: Path) -> dict[str, list[str]]:
    """Findings by take, kinds alone."""
    kinds: dict[str, list[str]] = {}
    for finding in verify(open_dataset(folder, kind="folder"), workers=1).findings:
        kinds.setdefault(finding.take, []).append(finding.kind)
    return kinds


def test_a_take_of_hum_does_not_end_the_report(tmp_path: Path) -> None:
    take(tmp_path, "good.wav", clicks())
    hum = 0.01 * np.sin(2 * np.pi * 50 * np.arange(4 * RATE) / RATE)
    take(tmp_path, "hum.wav", hum)
    take(tmp_path, "dc.wav", np.full(4 * RATE, 0.25))
    found = found_in(tmp_path)
    assert found["hum.wav"] == ["wrong_midi"] and found["dc.wav"] == ["wrong_midi"]
    assert "good.wav" not in found
    report = tmp_path / "v.json"
    assert midigroove(["data", "verify", str(tmp_path), "--report", str(report)]) == 1
    assert json.loads(report.read_text())["counts"] == {"wrong_midi": 2}


@pytest.mark.parametrize("column", ["bpm", "duration"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e999", "x", "\u0663"])
def test_numbers_in_a_csv(tmp_path: Path, column: str, value: str) -> None:
    cells = {
        "drummer": "d1", "session": "s", "id": "p1", "style": "rock", "bpm": "120",
        "beat_type": "beat", "time_signature": "4-4", "duration": "3.8", "split": "train",
        "midi_filename": "a.mid", "audio_filename": "a.wav", "kit_name": "Jazz", column: value,
    }  # fmt: skip
    path = tmp_path / "e-gmd-v1.0.0.csv"
    path.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n", encoding="utf-8")
    if value == "\u0663":  # a digit three, of Arabic: Python reads it, and so do we or refuse
        value = "3"
        assert open_dataset(path).takes
        return
    with pytest.raises(InputError, match=f"e-gmd-v1.0.0.csv: row 2: {column}: ") as caught:
        open_dataset(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("riff", "data"),
    [
        (0, 0), (0x7FFFFFFF, 0x7FFFFFFF - 36), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF024, 0x7FFFF000),
        (0xFFFFFFFF, 0xFFFFFFFF - 44), (0x80000000, 0x80000000 - 36), (0, 0xFFFFFFFF),
    ],
)  # fmt: skip
def test_wav_lengths_of_streams(tmp_path: Path, riff: int, data: int) -> None:
    path = take(tmp_path, "a.wav", clicks())
    whole = bytearray(path.read_bytes())
    wanted = load_audio(path)[0]
    whole[4:8], whole[40:44] = struct.pack("<I", riff), struct.pack("<I", data)
    path.write_bytes(whole)
    assert np.array_equal(load_audio(path)[0], wanted)
    assert found_in(tmp_path) == {}


@pytest.mark.parametrize(
    ("suffix", "form", "subtype"),
    [(".ogg", "OGG", "VORBIS"), (".wav", "RF64", "PCM_16"), (".w64", "W64", "PCM_16")],
)
@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_what_is_cut_is_found_as_cut(
    tmp_path: Path, suffix: str, form: str, subtype: str, kept: float
) -> None:
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, clicks(6.0), RATE, subtype, format=form)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(InputError, match="truncated"):
        load_audio(path)


def test_suffixes_of_any_case(tmp_path: Path) -> None:
    for number, (audio, midi) in enumerate([(".WAV", ".MID"), (".Wav", ".mid"), (".wav", ".MIDI")]):
        made = take(tmp_path, f"{number}.wav", clicks())
        made.with_suffix(".mid").rename(tmp_path / f"{number}{midi}")
        made.rename(tmp_path / f"{number}{audio}")
    dataset = open_dataset(tmp_path, kind="folder")
    assert len(dataset.takes) == 3 and not dataset.unpaired


def test_a_float_file_in_16_bit_units(tmp_path: Path) -> None:
    take(tmp_path, "a.wav", clicks() * 32768, "FLOAT")
    (finding,) = verify(open_dataset(tmp_path, kind="folder"), workers=1).findings
    assert finding.kind == "wrong_scale" and "times full scale" in finding.detail
    with pytest.raises(InputError, match="audio in other units: 1"):
        build_cache(open_dataset(tmp_path, kind="folder"), ToyCodec(), tmp_path / "c", device="cpu")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("\ufeff[pitches]\n36 = 'kick'".encode(), None),
        ("[pitches]\n36 = 'kick'".encode("utf-16"), "is UTF-16"),
        (b"# caf\xe9\n[pitches]\n36 = 'kick'", "not UTF-8"),
        (b"pitches = 'x'", "pitches: expected object, got str"),
        (b"pitches = 1", "pitches: expected object, got int"),
        (b"base = ['gm']", "base: expected str"),
        (b"base = 'map.toml'", "no drum map 'map.toml'"),
        (b"[pitches]\n'\xc2\xb2' = 'kick'", "is not a MIDI pitch"),
        (b"", "no [pitches] in it"),
        (b"x = " + b"[" * 5000, "nested more than 64"),
    ],
)
def test_drum_map_files(tmp_path: Path, content: bytes, says: str | None) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(content)
    if says is None:
        assert load_drum_map(path).articulation(36) == "kick"
        return
    with pytest.raises(InputError) as caught:
        load_drum_map(path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text")
def test_names_the_terminal_cannot_show(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in (b"caf\xe9.mid", "\u30b0.mid".encode(), "a\u2028b.mid".encode()):
        path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
        Path(path).write_bytes(GROOVE)
        out = tmp_path / f"out{len(name)}"
        arguments = ["render", path, "--engine", "sampler", "--kit", "jazz", "--tail", "0.1"]
        assert midigroove([*arguments, "-o", str(out / "x.wav"), "--json"]) == 0
        told = json.loads(capfd.readouterr().out)
        assert told[0]["midi"] == path and (out / "x.wav").is_file()


def test_headers_that_cannot_be_true(tmp_path: Path) -> None:
    slow = take(tmp_path, "slow.wav", clicks())
    data = bytearray(slow.read_bytes())
    data[24:28] = struct.pack("<I", 1)
    slow.write_bytes(data)
    long = tmp_path / "long.flac"
    soundfile.write(long, clicks(), RATE)
    data = bytearray(long.read_bytes())
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4
    long.write_bytes(data)
    long.with_suffix(".mid").write_bytes(GROOVE)
    assert found_in(tmp_path) == {
        "slow.wav": ["unreadable_audio"],
        "long.flac": ["unreadable_audio"],
    }
