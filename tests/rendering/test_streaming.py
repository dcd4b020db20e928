"""Audio comes while it is made, and is in all what a render gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.toy_systems import performance, save_going_on_checkpoint, save_toy_checkpoint

import midigroove
from midigroove_core.coding.decode import decode_whole, decoded
from midigroove_core.progress import Silent
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.model_engine import ModelEngine
from midigroove_core.rendering.polish import START_SEC
from midigroove_core.testing import ToyCodec


@pytest.fixture
def checkpoint(tmp_path: Path, toy_plugin: None) -> Path:
    return save_going_on_checkpoint(tmp_path / "model.safetensors")


def test_the_whole_is_what_a_render_gives(checkpoint: Path) -> None:
    """But for levels, silences and echoes, which are mended looking ahead."""
    groove = performance(end_sec=6.0)
    rendered = midigroove.render(groove, checkpoint=checkpoint, raw=True)
    blocks = list(midigroove.stream(groove, checkpoint=checkpoint))
    assert len(blocks) > 5
    streamed = np.concatenate(blocks, axis=1)
    assert streamed.shape == rendered.audio.shape
    assert streamed[0, 0] == 0.0, "it begins at zero"
    rise = round(START_SEC * 16000)
    assert np.allclose(streamed[:, rise:], rendered.audio[:, rise:] / rendered.gain, atol=1e-4)


def test_the_first_sound_comes_before_the_last_is_drawn(checkpoint: Path) -> None:
    config = RenderConfig(engine="model", checkpoint=checkpoint)
    engine = ModelEngine.load(config, Silent())
    drawn: list[int] = []
    generate = engine._generate
    engine._generate = lambda batch, index: (drawn.append(index), generate(batch, index))[1]  # type: ignore[method-assign]
    groove = performance(end_sec=6.0)
    blocks = midigroove.stream(groove, opened=engine, checkpoint=checkpoint)
    next(blocks)
    assert len(drawn) <= 2 < len(engine.windows(groove.end_sec))


def test_engines_that_cannot_go_on_give_the_same_too(tmp_path: Path, toy_plugin: None) -> None:
    apart = save_toy_checkpoint(tmp_path / "apart.safetensors")
    groove = performance(end_sec=2.0)
    for settings in ({"checkpoint": apart}, {"engine": "sampler"}):
        rendered = midigroove.render(groove, **settings)
        streamed = np.concatenate(list(midigroove.stream(groove, **settings)), axis=1)
        assert np.allclose(np.clip(streamed, -1, 1) * rendered.gain, rendered.audio, atol=2e-4)


@pytest.mark.parametrize("reach", [(0, 0), (3, 5), None])
def test_codes_decoded_as_they_come(reach: tuple[int, int] | None) -> None:
    class Reaching(ToyCodec):
        decode_reach = reach

    codec, rng = Reaching(), np.random.default_rng(0)
    sizes = [book.size for book in codec.codebooks]
    codes = np.stack([rng.integers(0, size, 90) for size in sizes])
    parts = np.split(codes, [1, 2, 9, 40, 41, 80], axis=1)
    streamed = np.concatenate(list(decoded(codec, parts)), axis=1)
    assert np.allclose(streamed, decode_whole(codec, codes), atol=1e-5)


def test_what_is_known_at_the_end_only_is_refused() -> None:
    with pytest.raises(midigroove.MidigrooveError, match="loop"):
        next(midigroove.stream(performance(), engine="sampler", loop=True))
