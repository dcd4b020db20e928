"""Audio in and out: exact lengths, no aliases, damaged files named."""

from __future__ import annotations

import resource
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midigroove_core.audio import (
    audio_info,
    downmix,
    load_audio,
    load_mono,
    resample,
    resampled_length,
    save_audio,
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
