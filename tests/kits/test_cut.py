"""Kits cut from recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.kits import sampler
from midigroove_core.kits.cut import CutKit, cut_kit, save_kit
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance

RATE = 44_100


def groove(name: str, sec: float) -> DrumPerformance:
    path = next(info.path for info in builtin_grooves() if info.name.startswith(name))
    return load_midi(path).slice(0.0, sec)


@pytest.fixture(scope="module")
def tr808() -> CutKit:
    performance = groove("drummer4_s1_1_rock", 30.0)
    return cut_kit(sampler.render(performance, load_kit("tr808")), RATE, performance)


def test_levels_of_clear_hits_are_the_kits_own(tr808: CutKit) -> None:
    kit = load_kit("tr808")
    for articulation in ("kick", "snare", "hat_closed"):
        layer = tr808.kit.articulations[articulation][-1]
        true, gain = kit.voice(articulation, -1).at(layer.max_velocity)
        energy_db = 10 * np.log10(np.sum(layer.audio**2) / np.sum((true * gain) ** 2))
        assert abs(energy_db) < 1.0, articulation


def test_a_cut_kit_plays_another_groove_nearer_than_any_other_kit(tr808: CutKit) -> None:
    performance = groove("drummer8_s1_14_hiphop", 12.0)
    true = sampler.render(performance, load_kit("tr808"))
    cut = mel_l1(true, sampler.render(performance, tr808.kit), RATE)
    others = [
        mel_l1(true, sampler.render(performance, load_kit(name)), RATE)
        for name in ("electronic", "standard", "jazz")
    ]
    assert cut < 0.7 * min(others)


def test_what_was_found_is_told(tr808: CutKit) -> None:
    kick = next(drum for drum in tr808.drums if drum.articulation == "kick")
    assert kick.hits > 20 and 1 <= len(kick.velocities) <= 4
    assert list(kick.velocities) == sorted(kick.velocities)
    assert 0.8 < kick.own <= 1.0


def test_a_saved_kit_loads_again(tr808: CutKit, tmp_path: Path) -> None:
    save_kit(tr808.kit, tmp_path / "kit")
    loaded = load_kit(tmp_path / "kit")
    assert set(loaded.articulations) == set(tr808.kit.articulations)
    with pytest.raises(InputError, match="not empty"):
        save_kit(tr808.kit, tmp_path / "kit")


def test_midi_outside_the_recording_and_silence_are_refused() -> None:
    performance = groove("drummer4_s1_1_rock", 10.0)
    late = replace(performance, onset_sec=performance.onset_sec + 100.0)
    with pytest.raises(InputError, match="no hit of the MIDI"):
        cut_kit(np.ones(RATE, np.float32), RATE, late)
    with pytest.raises(InputError, match="nothing is heard"):
        cut_kit(np.zeros(10 * RATE, np.float32), RATE, performance)


def test_a_hit_that_the_end_cuts_short_is_not_taken() -> None:
    """Though it is the only one that sounds alone: under the others a hat is struck."""
    onsets = np.array([0.2, 0.2, 0.9, 0.9, 1.6, 1.6, 2.45])
    performance = DrumPerformance(
        onset_sec=onsets, duration_sec=np.full(7, 0.1), pitch=np.array([36, 42] * 3 + [36]),
        velocity=np.full(7, 100), end_sec=2.5,
    )  # fmt: skip
    audio = sampler.render(performance, load_kit("tr808"), num_samples=round(2.5 * RATE))
    kick = cut_kit(audio, RATE, performance).kit.articulations["kick"]
    assert all(len(layer.audio) > 0.2 * RATE for layer in kick)


def test_a_long_recording_is_cut_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a later part plays is found, and each drum is as loud as cut in one."""
    performance = groove("drummer4_s1_1_rock", 12.0)
    audio = sampler.render(performance, load_kit("tr808"), num_samples=12 * RATE)
    whole = cut_kit(audio, RATE, performance).kit
    monkeypatch.setattr("midigroove_core.kits.cut.PART_SEC", 4.0)
    parts = cut_kit(audio, RATE, performance).kit
    assert set(parts.articulations) == set(whole.articulations)
    for name in ("kick", "snare", "hat_closed"):
        levels = [
            10 * np.log10(np.square(shot).sum() * gain**2)
            for shot, gain in (kit.voice(name, -1).at(80) for kit in (parts, whole))  # type: ignore[union-attr]
        ]
        assert abs(levels[0] - levels[1]) < 2.0, name
