"""Hits of a model get the levels of the kit, and what rings beside them keeps its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.toy_systems import performance, save_toy_checkpoint

from midigroove_core.audio import Audio
from midigroove_core.rendering import render
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.levels import MOST_DB, Windows, leveled

RATE = 16_000
KICKS = np.array([0.2, 0.6, 1.0, 1.4])
HATS = np.array([0.3])


def tone(onsets: np.ndarray, hertz: float, levels_db: list[float], decay_sec: float) -> Audio:
    """[2 s] a decaying tone at each onset."""
    out = np.zeros(2 * RATE, dtype=np.float32)
    for onset, level in zip(onsets, levels_db, strict=True):
        at = round(onset * RATE)
        time = np.arange(len(out) - at) / RATE
        out[at:] += (
            10 ** (level / 20) * np.sin(2 * np.pi * hertz * time) * np.exp(-time / decay_sec)
        )
    return out


def kick(levels_db: list[float]) -> Audio:
    return tone(KICKS, 100, levels_db, 0.03)


def hat() -> Audio:
    return tone(HATS, 5000, [-20.0], 0.8)


def blocks(guide: Audio, size: int) -> Iterator[Audio]:
    return (guide[:, at : at + size] for at in range(0, guide.shape[1], size))


def level_db(audio: Audio, onset: float) -> float:
    heard = audio[round(onset * RATE) :][: RATE // 20]
    return float(10 * np.log10(np.square(heard).mean()))


WINDOWS = [Windows.of(KICKS, RATE), Windows.of(HATS, RATE), Windows.of(np.zeros(0), RATE)]


@pytest.mark.parametrize("size", [1000, 2 * RATE])
@pytest.mark.parametrize("channels", [1, 2])
def test_each_hit_is_as_loud_as_in_the_guide(size: int, channels: int) -> None:
    wanted = kick([0.0, -30.0, -10.0, -20.0])
    guide = np.stack([wanted, hat(), np.zeros_like(wanted)])
    mix = np.stack([kick([-6.0, -20.0, -18.0, -19.0]) + hat()] * channels)
    made = leveled(mix, blocks(guide, size), WINDOWS, RATE)
    assert made.shape == mix.shape and made.dtype == np.float32
    low = made[0] - hat()  # of the ring of the hat nothing is gone
    for onset in KICKS:
        assert level_db(low, onset) == pytest.approx(level_db(wanted, onset), abs=1.0)
    assert level_db(made[0], 1.8) == pytest.approx(level_db(hat(), 1.8), abs=0.2)


def test_what_is_right_stays_as_it_is() -> None:
    guide = np.stack([kick([-3.0] * 4), hat(), np.zeros(2 * RATE, dtype=np.float32)])
    mix = guide.sum(axis=0)[None]
    assert np.allclose(leveled(mix, [guide], WINDOWS, RATE), mix, atol=1e-4)


def test_what_was_not_drawn_is_not_made_of_noise_nor_a_kit_without_a_drum_obeyed() -> None:
    none = np.zeros(2 * RATE, dtype=np.float32)
    guide = np.stack([kick([0.0, -60.0, -200.0, 0.0]), none, none])
    noise = 1e-4 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    mix = (noise + kick([-200.0, 0.0, -6.0, 0.0]))[None]
    made = leveled(mix, [guide], [WINDOWS[0], WINDOWS[2], WINDOWS[2]], RATE)[0]
    assert level_db(made, KICKS[0]) - level_db(mix[0], KICKS[0]) < MOST_DB + 0.5
    assert level_db(made, KICKS[1]) - level_db(mix[0], KICKS[1]) == pytest.approx(-MOST_DB, abs=0.5)
    assert level_db(made, KICKS[2]) == pytest.approx(level_db(mix[0], KICKS[2]), abs=0.5)
    silence = leveled(np.zeros_like(mix), [guide], [WINDOWS[0], WINDOWS[2], WINDOWS[2]], RATE)
    assert not silence.any()


def test_hits_close_together_are_one_or_are_trusted_less() -> None:
    windows = Windows.of(np.array([0.0, 0.01, 0.5, 0.54, 0.6]), RATE)
    assert windows.start.tolist() == [0, 7936, 8576, 9536]
    assert windows.trust == pytest.approx([1.0, 0.5, 0.75, 1.0])
    assert (windows.stop[:-1] <= windows.start[1:]).all()


def test_only_a_model_of_kits_that_ship_is_leveled(
    tmp_path: Path, toy_plugin: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midigroove_core.rendering.render.polished", lambda audio, *_: audio)
    ours = save_toy_checkpoint(tmp_path / "ours.safetensors", kits=("jazz", "room"))
    other = save_toy_checkpoint(tmp_path / "other.safetensors", kits=("jazz", "Rock"))
    config = RenderConfig(checkpoint=ours, kit="jazz")
    engine = render.open_engine(config)
    assert engine.level_kit == "jazz"
    for no_kit in (replace(config, checkpoint=other), replace(config, kit="unknown")):
        assert render.open_engine(no_kit).level_kit is None
    groove = performance(end_sec=1.0)
    made, raw = (
        render.from_performance(groove, replace(config, raw=raw), engine=engine).audio
        for raw in (False, True)
    )
    assert np.abs(made - raw).max() > 0.1
    engine.level_kit = None
    assert np.array_equal(render.from_performance(groove, config, engine=engine).audio, raw)
