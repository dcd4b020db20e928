"""Audio in and out: exact lengths, no aliases, damaged files named."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midigroove_core import audio as audio_module
from midigroove_core.audio import (
    audio_info,
    downmix,
    load_audio,
    load_mono,
    resample,
    resampled_length,
    save_audio,
    save_blocks,
)
from midigroove_core.errors import InputError


def noise(*shape: int, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, shape).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_sixteen_bit_files_come_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    audio = noise(2, 300_001)
    save_audio(tmp_path / f"a{suffix}", audio, 44100)
    once, rate = load_audio(tmp_path / f"a{suffix}")
    assert (once.shape, once.dtype, rate) == ((2, 300_001), np.float32, 44100)
    assert np.abs(once - audio).max() <= 0.5 / 32768 + 1e-9
    save_audio(tmp_path / f"b{suffix}", once, 44100)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_ogg_keeps_the_length_and_mono_is_one_dimension_or_two(tmp_path: Path) -> None:
    save_audio(tmp_path / "a.ogg", noise(300_001), 32000)
    info = audio_info(tmp_path / "a.ogg")
    assert (info.num_samples, info.channels, info.sample_rate) == (300_001, 1, 32000)
    assert load_audio(tmp_path / "a.ogg")[0].shape == (1, 300_001)


def test_beyond_full_scale_is_clipped_not_wrapped(tmp_path: Path) -> None:
    save_audio(tmp_path / "a.wav", np.array([1.5, -1.5, 0.0], dtype=np.float32), 8000)
    assert load_audio(tmp_path / "a.wav")[0].tolist() == [[32767 / 32768, -1.0, 0.0]]


def test_bad_audio_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a.wav.*NaN or infinite"):
        save_audio(tmp_path / "a.wav", np.array([np.nan]), 8000)
    with pytest.raises(InputError, match=r"a.mp3: audio is written as"):
        save_audio(tmp_path / "a.mp3", np.zeros(4), 8000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("source", "target"), [(44100, 16000), (44100, 32000), (48000, 44100)])
def test_lengths_are_exact_and_reading_equals_resampling(
    tmp_path: Path, source: int, target: int
) -> None:
    for n in (1, 17, 44099, 600_011):
        audio = noise(2, n)
        save_audio(tmp_path / "a.wav", audio, source)
        mono = load_mono(tmp_path / "a.wav", target)
        assert len(mono) == resampled_length(n, source, target) == int(n * target / source + 0.5)
        whole = resample(downmix(load_audio(tmp_path / "a.wav")[0]), source, target)
        np.testing.assert_array_equal(mono, whole)


def test_resampling_does_not_alias_and_does_not_delay() -> None:
    """Linear interpolation, the old way, leaves a 12 kHz tone at -2 dB in 16 kHz audio."""
    t = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 12000 * t).astype(np.float32)
    inner = slice(1000, -1000)
    assert np.abs(resample(tone, 44100, 16000)[inner]).max() < 1e-5
    linear = np.interp(np.arange(16000) / 16000, t, tone)
    assert np.sqrt(np.mean(linear**2)) > 0.3
    low = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
    expected = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    np.testing.assert_allclose(resample(low, 44100, 16000)[inner], expected[inner], atol=1e-3)


def test_resample_keeps_leading_axes_and_passes_equal_rates() -> None:
    audio = noise(2, 3, 4410)
    assert resample(audio, 44100, 22050).shape == (2, 3, 2205)
    assert resample(audio, 44100, 44100) is audio
    assert downmix(np.array([[1.0, 0.0], [0.0, 0.5]], dtype=np.float32)).tolist() == [0.5, 0.25]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    for suffix in (".wav", ".flac"):
        save_audio(tmp_path / f"good{suffix}", noise(100_000), 44100)
        data = (tmp_path / f"good{suffix}").read_bytes()
        (tmp_path / f"cut{suffix}").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("not audio")
    save_audio(tmp_path / "none.wav", np.zeros(0), 44100)
    reasons = {
        "cut.wav": "truncated", "cut.flac": "truncated|damaged", "empty.wav": "0 bytes",
        "text.wav": "not readable as audio", "none.wav": "no samples", "missing.wav": "No such",
    }  # fmt: skip
    for name, reason in reasons.items():
        with pytest.raises(InputError, match=f"{name}: .*({reason})"):
            load_audio(tmp_path / name)
        with pytest.raises(InputError, match=f"{name}: .*({reason})"):
            load_mono(tmp_path / name, 16000)


def test_a_streamed_wav_without_a_length_is_read(tmp_path: Path) -> None:
    save_audio(tmp_path / "a.wav", noise(1000), 44100)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    (tmp_path / "a.wav").write_bytes(data)
    assert audio_info(tmp_path / "a.wav").num_samples == 1000


def test_ten_stereo_minutes_are_read_block_by_block(tmp_path: Path) -> None:
    block = (noise(44100, 2) * 32768).astype(np.int16)
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 44100, 2, "PCM_16") as file:
        for _ in range(600):
            file.write(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mono = load_mono(tmp_path / "long.wav", 16000)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(mono) == 600 * 16000
    assert grown_mb < 37 + 60  # the result is 37 MB; the file as float32 would be 212


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize(
    "length",
    [0, 0x7FFFF000, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFF - 36],
)
def test_wav_lengths_of_programs_that_stream(tmp_path: Path, length: int, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1000, 2), 44100, subtype)
    whole = load_audio(path)[0]
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = struct.pack("<I", length)
    path.write_bytes(data)
    assert audio_info(path).num_samples == 1000
    np.testing.assert_array_equal(load_audio(path)[0], whole)
    path.write_bytes(data[: at + 4])
    with pytest.raises(InputError, match="no samples"):
        load_audio(path)


@pytest.mark.parametrize("length", [0, 2**64 - 1])
def test_rf64_of_a_stream_is_read(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1000, 2), 44100, "PCM_16", format="RF64")
    data = bytearray(path.read_bytes())
    data[20:44] = struct.pack("<QQQ", length, length, 0)
    path.write_bytes(data)
    assert load_audio(path)[0].shape == (2, 1000)


def test_an_empty_wav_with_a_chunk_behind_has_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    save_audio(path, np.zeros(0), 44100)
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO")
    with pytest.raises(InputError, match="no samples"):
        load_audio(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("container", ["RF64", "WAV", "OGG", "FLAC", "AIFF", "W64", "AU"])
def test_a_file_that_was_cut_is_found_as_cut(tmp_path: Path, container: str, share: float) -> None:
    path = tmp_path / "a.audio"
    subtype = "VORBIS" if container == "OGG" else "PCM_16"
    soundfile.write(path, noise(200_000, 2), 44100, subtype, format=container)
    assert load_audio(path)[0].shape == (2, 200_000)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"a\.audio: (truncated|damaged)"):
        load_audio(path)


def test_an_ogg_cut_between_two_pages_is_found_as_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    save_audio(path, noise(200_000), 44100)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"OggS")])
    with pytest.raises(InputError, match="truncated: .* not marked as the end"):
        audio_info(path)


@pytest.mark.parametrize("rate", [1, 8, 999, 1_000_001, 2**31 - 1])
def test_sample_rates_that_no_audio_has_are_refused(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    save_audio(path, noise(8000), 8000)
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.wav: .*(sample rate|not readable)"):
        load_mono(path, 44100)


def test_more_samples_than_bytes_can_hold_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    save_audio(path, noise(44100), 44100)
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # the upper four bits of STREAMINFO's number of samples
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.flac: its header says [\d,]+ samples"):
        load_audio(path)
    silence = np.zeros(4_000_000, dtype=np.float32)  # the most that honest files claim
    save_audio(tmp_path / "silence.flac", silence, 44100)
    assert audio_info(tmp_path / "silence.flac").num_samples == len(silence)


@pytest.mark.parametrize("name", [b"caf\xe9.wav", "\u2028\x85.flac".encode(), b"a\nb.ogg"])
def test_any_name_of_a_file_is_written_and_read(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    save_audio(path, noise(2, 1000), 44100)
    assert audio_info(path).num_samples == len(load_mono(path, 44100)) == 1000


def test_channels_that_cancel_give_the_louder_one(tmp_path: Path) -> None:
    left = noise(300_000)
    for right in (-left, -0.7 * left):
        save_audio(tmp_path / "a.wav", np.stack([left, right]), 44100)
        both = load_audio(tmp_path / "a.wav")[0]
        notes: list[str] = []
        mono = load_mono(tmp_path / "a.wav", 44100, notes=notes)
        np.testing.assert_array_equal(mono, both[0])
        np.testing.assert_array_equal(downmix(both), both[0])
        assert len(notes) == 1
        assert "channels cancel each other" in notes[0]


def test_channels_that_differ_do_not_cancel(tmp_path: Path) -> None:
    """Nothing in common, one silent, six of which five are silent: the mean, as ever."""
    rng = np.random.default_rng(1)
    for audio in (rng.normal(0, 0.1, (2, 9000)), np.eye(2, 1) @ noise(1, 9000), np.eye(6, 1) * 0.1):
        audio = audio.astype(np.float32)
        save_audio(tmp_path / "a.wav", audio, 44100)
        notes: list[str] = []
        read = load_audio(tmp_path / "a.wav")[0]
        mono = load_mono(tmp_path / "a.wav", 44100, notes=notes)
        np.testing.assert_array_equal(mono, read.mean(axis=0, dtype=np.float32))
        assert notes == []


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_what_does_not_fit_on_the_disk_is_not_renamed_into_place(
    tmp_path: Path, suffix: str
) -> None:
    """With every limit on a file's size below what it needs: one line, and nothing is left."""
    save_audio(tmp_path / f"a{suffix}", noise(30_000), 44100)
    size = (tmp_path / f"a{suffix}").stat().st_size
    source = f"""
import resource, signal
import numpy as np
from midigroove_core.audio import audio_info, save_audio
from midigroove_core.errors import MidigrooveError
audio = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
for limit in range(1, {size}, max(1, {size} // 12)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        save_audio("b{suffix}", audio, 44100)
    except MidigrooveError as error:
        assert "b{suffix}" in str(error)
    else:
        raise SystemExit(f"limit {{limit}}: written, {{audio_info('b{suffix}').num_samples}}")
"""
    done = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize(("depth", "step"), [("16", 2.0**-15), ("24", 2.0**-23), ("float", 0.0)])
def test_bit_depths_round_to_the_nearest_step(depth: str, step: float, tmp_path: Path) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1 - step, (2, 5000)).astype(np.float32)
    blocks = [audio[:, :3000], audio[:, 3000:]]
    save_blocks(tmp_path / "a.wav", blocks, 48_000, channels=2, num_samples=5000, bit_depth=depth)
    read, rate = load_audio(tmp_path / "a.wav")
    assert rate == 48_000 and read.shape == audio.shape
    assert np.abs(read.astype(np.float64) - audio).max() <= step / 2 + 1e-12


def test_bit_depths_that_a_format_lacks_are_refused(tmp_path: Path) -> None:
    for name, depth in (("a.ogg", "24"), ("a.flac", "float"), ("a.wav", "12")):
        with pytest.raises(InputError, match="bit_depth"):
            save_blocks(tmp_path / name, [], 8000, channels=1, num_samples=0, bit_depth=depth)
        assert not (tmp_path / name).exists()


def test_a_wav_beyond_4_gib_is_an_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_module, "_LARGEST_WAV", 1000)
    audio = np.linspace(-1, 1, 2000, dtype=np.float32)
    save_audio(tmp_path / "a.wav", audio, 8000)
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RF64"
    assert np.abs(load_audio(tmp_path / "a.wav")[0][0] - audio).max() < 4e-5
