"""Loudness, so that listeners judge sound and not level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import save_audio
from midigroove_core.loudness import clip_lufs, matching_gain
from midigroove_core.report.media import load_clips
from midigroove_core.scorecard.kept import Kept, KeptAudio, KeptClip

RATES = (16000, 32000, 44100, 48000)


def gain(audio: np.ndarray, reference: np.ndarray) -> float:
    return matching_gain(clip_lufs(audio, 32000), clip_lufs(reference, 32000))


def sine(hertz: float, rate: int, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(2 * rate) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_a_full_scale_sine_of_997_hz_is_3_lufs_below_zero(rate: int) -> None:
    assert clip_lufs(sine(997.0, rate), rate) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("rate", RATES)
def test_treble_counts_more_and_rumble_less(rate: int) -> None:
    middle = clip_lufs(sine(997.0, rate), rate)
    assert clip_lufs(sine(6000.0, rate), rate) - middle == pytest.approx(3.3, abs=0.25)
    assert clip_lufs(sine(25.0, rate), rate) < middle - 10.0


def test_gain_brings_noise_to_the_loudness_of_a_drum() -> None:
    generator = np.random.default_rng(0)
    decay = np.exp(-np.arange(32000) / 3000.0)
    drum = (0.7 * decay * generator.standard_normal(32000)).astype(np.float32)
    noise = (0.02 * generator.standard_normal(32000)).astype(np.float32)
    louder = noise * gain(noise, drum)
    assert clip_lufs(louder, 32000) == pytest.approx(clip_lufs(drum, 32000), abs=0.01)
    assert gain(drum, drum) == pytest.approx(1.0)


def test_silence_is_left_silent() -> None:
    silence, tone = np.zeros(32000, np.float32), sine(997.0, 32000)
    assert clip_lufs(silence, 32000) == -np.inf
    assert gain(silence, tone) == gain(tone, silence) == 1.0
    assert gain(tone * np.float32(1e-5), tone) == pytest.approx(10.0)


def test_kept_clips_keep_their_levels_unless_asked(tmp_path: Path) -> None:
    tone = sine(500.0, 16000, 0.5)
    save_audio(tmp_path / "0" / "recording.wav", tone, 16000)
    save_audio(tmp_path / "0" / "late.wav", tone / 4, 16000)
    # What would have clipped was stored turned down, with its gain.
    save_audio(tmp_path / "0" / "random.wav", tone, 16000)
    rows = {
        name: KeptAudio(f"0/{name}.wav", gain)
        for name, gain in (("recording", 1.0), ("late", 1.0), ("random", 0.25))
    }
    kept = Kept(16000, (KeptClip(0, "a@0", "kit", "", "", 120.0, 0.0, 0.5, (), (), rows),))

    def highest(same_loudness: bool) -> dict[str, int]:
        (clip,) = load_clips(tmp_path, kept, "recording", same_loudness=same_loudness)
        return {name: max(row["peaks"]) for name, row in clip["rows"].items()}

    levels = highest(same_loudness=False)
    assert levels["random"] == 98  # peak 2.0, so every row is turned down by the same factor
    assert levels["recording"] == pytest.approx(levels["random"] / 4, abs=1)
    assert levels["late"] == pytest.approx(levels["recording"] / 4, abs=1)
    matched = highest(same_loudness=True)
    assert matched["late"] == pytest.approx(matched["recording"], abs=1)
    assert matched["random"] == pytest.approx(matched["recording"], abs=1)
