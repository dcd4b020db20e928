"""A model's mix taken apart: the parts add up to it, and each goes to whose it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.toy_systems import TOY_PLUGIN, performance, save_toy_checkpoint

from midigroove_core.kits import sampler
from midigroove_core.kits.library import load_kit
from midigroove_core.midi import save_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.rendering import files
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.output import Output
from midigroove_core.rendering.parting import Guide, part
from midigroove_core.rendering.render import from_file

RATE = 32_000


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32) * 0.1


def parted(mix: np.ndarray, guide: np.ndarray, present: list[bool], size: int = 7000) -> np.ndarray:
    channels = len(guide) // len(present)
    blocks = [guide[:, i : i + size] for i in range(0, guide.shape[1], size)]
    return np.concatenate([*part(mix, Guide(blocks, present, channels), RATE)], axis=1)


@pytest.mark.parametrize("length", [100, 3000, 50_000])
@pytest.mark.parametrize(("channels", "panned"), [(1, 1), (2, 1), (2, 2)])
def test_the_parts_add_up_to_the_mix(length: int, channels: int, panned: int) -> None:
    mix, guide = noise(channels, length), noise(3 * panned, length)
    guide[:, length // 2 :] = 0.0  # the guide is silent, the mix is not
    parts = parted(mix, guide, [True, True, False])
    parts = parts.reshape(3, channels, length)
    assert np.abs(parts.sum(axis=0) - mix).max() < 1e-6
    assert not parts[2].any()


def test_each_drum_goes_where_the_guide_has_it() -> None:
    hits = DrumPerformance(
        np.array([0.1, 0.1, 0.6, 0.9]), np.full(4, 0.1), np.array([36, 42, 38, 42]),
        np.array([100, 90, 110, 80]), end_sec=1.4,
    )  # fmt: skip
    stems = np.concatenate(
        [*sampler.render_blocks(hits, load_kit("jazz"), 45_000, sample_rate=RATE, stems=True)], 1
    )
    mix = stems.sum(axis=0, keepdims=True)
    parts = parted(mix, stems, [row.any() for row in stems])
    for own, found in zip(stems, parts, strict=True):
        if own.any():
            error = np.square(found - own).sum() / np.square(own).sum()
            assert error < 0.25  # a soft hat under a kick
    panned = np.repeat(stems, 2, axis=0)
    panned[::2] *= 0.6
    panned[1::2] *= 0.8
    sides = parted(mix, panned, [row.any() for row in stems]).reshape(-1, 2, 45_000).sum(axis=0)
    assert np.abs(sides - np.array([[0.6], [0.8]]) * mix).max() < 1e-4


@pytest.mark.parametrize("stereo", [None, "drummer"])
def test_a_model_has_stems_and_stereo(
    tmp_path: Path, install_plugin: Callable[..., None], stereo: str | None
) -> None:
    from midigroove_core.audio import load_audio

    install_plugin("toy-plugin", TOY_PLUGIN)
    checkpoint = save_toy_checkpoint(tmp_path / "toy.safetensors")
    config = RenderConfig(checkpoint=checkpoint, stereo=stereo, tail_sec=0.5)
    save_midi(performance(end_sec=2.0), tmp_path / "a.mid")
    (result,) = files.from_files_to_files(
        [(tmp_path / "a.mid", tmp_path / "a.wav")], config, Output(stems=True, bit_depth="float")
    )
    assert result.error is None and len(result.stems) >= 2
    mix = load_audio(tmp_path / "a.wav")[0]
    assert len(mix) == (1 if stereo is None else 2)
    total = np.sum([load_audio(stem)[0] for stem in result.stems], axis=0)
    assert np.abs(total - mix).max() < 1e-5
    whole = from_file(tmp_path / "a.mid", config)
    assert np.abs(whole.audio * result.gain / whole.gain - mix).max() < 1e-5
