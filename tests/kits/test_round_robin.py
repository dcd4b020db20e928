"""Hits take turns: by seed, never the same twice, and not at all where a kit has one recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midigroove_core.kits import sampler
from midigroove_core.kits.filenames import read_name
from midigroove_core.kits.library import Kit, Layer, load_kit
from midigroove_core.kits.round_robin import choose_turns, varied
from midigroove_core.performance import DrumPerformance
from midigroove_core.rendering.render import render

STEP = 0.125


def snares(count: int = 16, pitch: int = 38) -> DrumPerformance:
    return DrumPerformance(
        np.arange(count) * STEP, np.full(count, 0.1), np.full(count, pitch), np.full(count, 100),
        end_sec=count * STEP,
    )  # fmt: skip


def levels_kit(count: int) -> Kit:
    """A snare of that many recordings, told apart by level."""
    shots = [np.full(40, 0.1 * (n + 1), dtype=np.float32) for n in range(count)]
    return Kit("levels", {"snare": [Layer(127, shots[0], tuple(shots[1:]))]})


def turns(kit: Kit, count: int = 16, **settings: int) -> list[int]:
    return choose_turns(snares(count), ["snare"] * count, kit, **settings)


def test_sixteen_equal_snares_are_not_sixteen_equal_sounds() -> None:
    taken = turns(levels_kit(3), 300)
    assert set(taken) == {0, 1, 2} and all(np.diff(taken) != 0)
    assert np.bincount(taken) == pytest.approx(100, abs=25)
    assert taken == turns(levels_kit(3), 300) and taken != turns(levels_kit(3), 300, seed=1)
    assert turns(levels_kit(1)) == [0] * 16
    assert turns(levels_kit(2), 20) in ([0, 1] * 10, [1, 0] * 10)


def test_rounds_of_a_loop_take_equal_turns() -> None:
    taken = turns(levels_kit(4), 48, rounds=3)
    assert taken[:16] == taken[16:32] == taken[32:]


def test_the_sampler_plays_the_turns_with_their_own_levels() -> None:
    kit, played = levels_kit(3), snares()
    audio = sampler.render(played, kit, num_samples=round(2.0 * 44_100))
    heard = audio[np.round(played.onset_sec * 44_100).astype(int)]
    own = np.array([0.1, 0.2, 0.3])[turns(kit)]
    assert heard / own == pytest.approx(np.full(16, heard[0] / own[0]), rel=1e-5)
    stems = np.concatenate(list(sampler.render_blocks(played, kit, len(audio), stems=True)), axis=1)
    assert np.array_equal(stems.sum(axis=0), audio)


def test_a_folder_names_them_rr(tmp_path: Path) -> None:
    for name, level in (("snare_127_rr2", 0.4), ("snare_127_rr1", 0.5), ("snare_060_rr1", 0.1),
                        ("kick", 0.5), ("kick_rr7", 0.3), ("Hat closed RR2", 0.2),
                        ("Hat closed RR3", 0.2)):  # fmt: skip
        soundfile.write(tmp_path / f"{name}.wav", np.full(400, level), 44_100)
    kit = load_kit(tmp_path)
    soft, loud = kit.articulations["snare"]
    assert (len(soft.alternates), len(loud.alternates)) == (0, 1)
    assert loud.alternates[0][0] / loud.audio[0] == pytest.approx(0.8, rel=1e-3)
    assert len(kit.articulations["kick"][0].alternates) == 1 and kit.unread == ()
    assert len(kit.articulations["hat_closed"][0].alternates) == 1 and kit.has_alternates
    assert len(kit.at_rate(32_000).articulations["kick"][0].alternates[0]) == 290
    assert str(read_name("Snare soft RR2")) == "snare, up to velocity 64, round robin 2"
    assert read_name("snare_p38_064_rr3").turn == 3 and read_name("Terry 1 snare").turn == 0


def test_versions_are_made_a_little_apart_at_the_same_energy() -> None:
    kit = load_kit("tr808")
    assert not kit.has_alternates
    changed = varied(kit)
    for name in ("snare", "ride"):
        layer = changed.articulations[name][0]
        assert len(layer.alternates) == 3 and layer.audio is kit.articulations[name][0].audio
        for other in layer.alternates:
            assert abs(len(other) / len(layer.audio) - 1) < 0.005
            assert np.square(other).sum() == pytest.approx(np.square(layer.audio).sum(), rel=1e-3)
    one = levels_kit(2)
    assert (
        varied(one).articulations["snare"][0].alternates is one.articulations["snare"][0].alternates
    )


def test_render_varies_when_asked_to() -> None:
    kick = replace(snares(8), pitch=np.full(8, 36))
    plain = render(kick, kit="tr808", engine="sampler")
    made = render(kick, kit="tr808", engine="sampler", vary=True)
    assert not np.array_equal(plain.audio, made.audio)
    assert np.array_equal(made.audio, render(kick, kit="tr808", engine="sampler", vary=True).audio)
    other = render(kick, kit="tr808", engine="sampler", vary=True, seed=1)
    assert not np.array_equal(other.audio, made.audio)
