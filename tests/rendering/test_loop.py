"""Loops: whole bars, and nothing is heard where they close."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import midi_bytes as m
from support.midi_bytes import beat, note, song

from midigroove_core.errors import InputError
from midigroove_core.kits.library import load_kit
from midigroove_core.kits.sampler import render as play
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.rendering import files, render
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.loop import make_loop
from midigroove_core.rendering.output import Output

RATE = 44_100


def read(data: bytes, tmp_path: Path) -> DrumPerformance:
    (tmp_path / "a.mid").write_bytes(data)
    return load_midi(tmp_path / "a.mid")


def test_a_loop_goes_on_where_it_ends(tmp_path: Path) -> None:
    """Two rounds of it are two bars of the same beat played on and on: rings, chokes and all."""
    performance = read(song(beat((36, 42, 38, 46, 49, 42, 38, 46))), tmp_path)
    config = RenderConfig(engine="sampler", kit="standard", loop=True)
    audio = render.from_performance(performance, config).audio[0]
    assert len(audio) == 2 * 2 * RATE  # two bars of four beats at 120
    on = np.concatenate([performance.onset_sec + 4.0 * n for n in range(5)])
    for_ever = replace(
        performance, onset_sec=on, duration_sec=np.zeros(len(on)),
        pitch=np.tile(performance.pitch, 5), velocity=np.tile(performance.velocity, 5),
        end_sec=20.0,
    )  # fmt: skip
    expected = play(for_ever, load_kit("standard"), num_samples=20 * RATE)[2 * 4 * RATE :]
    assert np.abs(np.tile(audio, 2) - expected[: 2 * len(audio)]).max() < 1e-6


def test_bars_are_counted_by_the_last_hit(tmp_path: Path) -> None:
    def bars(*onsets: float) -> int:
        n = len(onsets)
        return make_loop(
            DrumPerformance(np.array(onsets), np.zeros(n), np.full(n, 36), np.full(n, 99),
                            end_sec=max(onsets) + 3.0), RATE
        ).bars  # fmt: skip

    assert bars(0.0) == 1 and bars(0.0, 1.9) == 1 and bars(0.0, 2.3) == 2
    assert bars(0.0, 1.0, 2.0) == 1  # the last one is the next round's first
    assert bars(0.0, 1.0, 2.02) == 1 and bars(0.0, 1.0, 1.99) == 1
    seven_eighths = read(song(m.meta(0x58, b"\7\3\x18\x08") + beat(bars=2)), tmp_path)
    loop = make_loop(seven_eighths, 48_000)
    assert (loop.bars, loop.length) == (1, 48_000 * 7 // 4)
    assert loop.left_out == 1 and "1.750 s" in loop.line(48_000)
    for count in (0, -1, 10**6):
        with pytest.raises(InputError, match="bars must be"):
            make_loop(seven_eighths, RATE, count)


def test_tempo_changes_go_round(tmp_path: Path) -> None:
    faster = m.meta(0x51, (250_000).to_bytes(3, "big"), 960)
    performance = read(song(faster, note(36) + note(38, 1860)), tmp_path)
    loop = make_loop(performance, RATE)
    assert loop.length == round(1.5 * RATE)  # two beats at 120, two at 240
    assert np.allclose(np.diff(loop.performance.bpm_at(np.array([0.5, 1.2, 2.0, 2.7]))),
                       [120, -120, 120])  # fmt: skip


def test_files_and_stems_loop_too(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(song(beat((36, 46, 38, 49))))
    config = RenderConfig(engine="sampler", kit="standard", bars=1)
    output = Output(bit_depth="float", stems=True)
    (result,) = files.from_files_to_files(
        [(tmp_path / "a.mid", tmp_path / "a.wav")], config, output
    )
    assert result.duration_sec == 2.0 and len(result.stems) == 4
    from midigroove_core.audio import load_audio

    whole = render.from_file(tmp_path / "a.mid", config).audio[0]
    assert np.allclose(load_audio(tmp_path / "a.wav")[0][0], whole, atol=1e-6)
    total = sum(load_audio(stem)[0][0] for stem in result.stems)
    assert np.allclose(total, whole, atol=1e-6)
