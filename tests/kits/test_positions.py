"""Stereo: drums where they stand, as loud as in mono, and one-shots that are stereo left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from midigroove_core.drums import ARTICULATIONS
from midigroove_core.errors import InputError
from midigroove_core.kits import sampler
from midigroove_core.kits.library import load_kit
from midigroove_core.kits.positions import POSITIONS, pan_gains
from midigroove_core.performance import DrumPerformance
from midigroove_core.rendering import files
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.output import Output
from midigroove_core.rendering.render import from_performance


def hits(*pitches: int) -> DrumPerformance:
    n = len(pitches)
    return DrumPerformance(
        np.arange(n) * 0.5, np.full(n, 0.1), np.array(pitches), np.full(n, 100), end_sec=n * 0.5
    )


def sides_db(audio: np.ndarray, index: int, rate: int = 44_100) -> float:
    """Right over left of a hit."""
    part = audio[:, round(index * 0.5 * rate) : round((index * 0.5 + 0.05) * rate)]
    left, right = np.square(part, dtype=np.float64).sum(axis=1)
    return 10 * float(np.log10(right / left))


def test_every_articulation_has_a_place_and_the_power_is_one() -> None:
    assert set(POSITIONS) == set(ARTICULATIONS)
    for view in ("audience", "drummer"):
        for left, right in pan_gains(view).values():
            assert left**2 + right**2 == pytest.approx(1.0)
    assert pan_gains("audience")["ride"] == pytest.approx(pan_gains("drummer")["ride"][::-1])
    with pytest.raises(InputError, match="audience or drummer, got 'roof'"):
        RenderConfig(stereo="roof")
    with pytest.raises(InputError, match="exclude each other"):
        RenderConfig(stereo="drummer", mono=True)


def test_hats_are_left_of_the_drummer_and_right_for_the_audience() -> None:
    played = hits(36, 42, 43)
    config = {"engine": "sampler", "kit": "jazz"}
    drummer = from_performance(played, RenderConfig(**config, stereo="drummer")).audio
    audience = from_performance(played, RenderConfig(**config, stereo="audience")).audio
    assert drummer.shape[0] == 2 and np.allclose(drummer, audience[::-1], atol=1e-7)
    assert sides_db(drummer, 0) == pytest.approx(0, abs=0.1)
    assert sides_db(drummer, 1) < -6 and sides_db(drummer, 2) > 6
    mono = from_performance(played, RenderConfig(**config)).audio
    energy = np.square(drummer, dtype=np.float64).sum() / np.square(mono, dtype=np.float64).sum()
    assert energy == pytest.approx(1.0, abs=0.02)  # as loud as in mono


def test_one_shots_that_are_stereo_stay_so(tmp_path: Path) -> None:
    shot = np.linspace(0.5, 0.1, 4000)
    soundfile.write(tmp_path / "hat_closed.wav", np.stack([shot, 0.5 * shot], axis=1), 44_100)
    soundfile.write(tmp_path / "ride.wav", np.stack([shot, shot], axis=1), 44_100)  # two of one
    kit = load_kit(tmp_path, stereo=True)
    assert kit.articulations["hat_closed"][0].audio.shape == (2, 4000)
    assert kit.articulations["ride"][0].audio.shape == (4000,)
    assert kit.at_rate(22_050).articulations["hat_closed"][0].audio.shape == (2, 2000)
    pan = pan_gains("drummer")
    audio = np.concatenate(list(sampler.render_blocks(hits(42, 51), kit, 44_100, pan=pan)), axis=1)
    assert sides_db(audio, 0) == pytest.approx(-6.02, abs=0.01) and sides_db(audio, 1) > 5
    assert load_kit(tmp_path).articulations["hat_closed"][0].audio.shape == (4000,)


def test_stereo_stems_add_up(tmp_path: Path) -> None:
    from midigroove_core.audio import load_audio
    from midigroove_core.midi import save_midi

    save_midi(hits(36, 42, 38, 49), tmp_path / "a.mid")
    config = RenderConfig(engine="sampler", kit="power", stereo="audience", tail_sec=0.5)
    chosen = Output(stems=True, bit_depth="float")
    (result,) = files.from_files_to_files(
        [(tmp_path / "a.mid", tmp_path / "a.wav")], config, chosen
    )
    stems = [load_audio(stem)[0] for stem in result.stems]
    assert all(stem.shape[0] == 2 for stem in stems) and len(stems) == 4
    assert np.abs(np.sum(stems, axis=0) - load_audio(tmp_path / "a.wav")[0]).max() < 1e-6
