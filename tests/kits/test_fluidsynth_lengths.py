"""What FluidSynth wrote is counted, with a program of that name that writes as much as it likes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits import fluidsynth
from midigroove_core.kits.fluidsynth import SoundFontPreset
from midigroove_core.kits.library import load_kit
from midigroove_core.performance import DrumPerformance

PROGRAM = """#!{python}
import os, sys, time
import numpy as np, soundfile
arguments = sys.argv[1:]
assert arguments[-3] == "--", arguments
time.sleep(float(os.environ.get("FAKE_SLEEP", "0")))
out = arguments[arguments.index("-F") + 1]
samples = int(os.environ["FAKE_SAMPLES"])
audio = 0.1 * np.ones((samples, 2), dtype=np.float32)
soundfile.write(out, audio, 44100, "FLOAT")
"""


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoundFontPreset:
    program = tmp_path / "bin" / "fluidsynth"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    font = tmp_path / "font.sf2"
    font.write_bytes(b"sfbk")
    return SoundFontPreset(font)


PERFORMANCE = DrumPerformance(
    onset_sec=np.array([0.1]), duration_sec=np.array([0.1]), pitch=np.array([38]),
    velocity=np.array([100]), end_sec=0.2,
)  # fmt: skip


def test_as_much_as_was_asked_for(preset: SoundFontPreset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SAMPLES", "90000")
    assert fluidsynth.play(PERFORMANCE, preset, 44100).shape == (44100,)


@pytest.mark.parametrize("samples", ["0", "11025", "44100"])
def test_less_than_was_asked_for_is_an_error_not_silence(
    preset: SoundFontPreset, monkeypatch: pytest.MonkeyPatch, samples: str
) -> None:
    monkeypatch.setenv("FAKE_SAMPLES", samples)
    with pytest.raises(MidigrooveError, match=r"fluidsynth wrote .* of 44,\d+ samples .*full"):
        fluidsynth.play(PERFORMANCE, preset, 44100)


def test_a_short_cut_of_a_font_is_not_kept(
    preset: SoundFontPreset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("MIDIGROOVE_CACHE_DIR", str(cache))
    monkeypatch.setenv("FAKE_SAMPLES", "50000")
    with pytest.raises(MidigrooveError, match="fluidsynth wrote 50,000 of"):
        load_kit(preset.font)
    assert list((cache / "kits").iterdir()) == []


def test_a_program_that_hangs_is_stopped(
    preset: SoundFontPreset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SAMPLES", "90000")
    monkeypatch.setenv("FAKE_SLEEP", "600")
    monkeypatch.setattr(fluidsynth, "_LIMIT_SEC", 0.1)
    with pytest.raises(InputError, match=r"font\.sf2: fluidsynth did not end within 1 s"):
        fluidsynth.play(PERFORMANCE, preset, 44100)
