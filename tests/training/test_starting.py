"""How a model begins: weights taken over, code vectors, crops around rare drums."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.trainable_cache import make_cache

from midigroove_core.builtin.groove_codec import GrooveCodec
from midigroove_core.cache import Cache
from midigroove_core.checkpoint import load_checkpoint
from midigroove_core.errors import InputError
from midigroove_core.progress import Silent
from midigroove_core.registry import Registry
from midigroove_core.training import TrainConfig, train
from midigroove_core.training.starting import code_vectors
from midigroove_core.training.windows import Windows, make_windows

SMALL = {"dim": 16, "layers": 1, "heads": 2, "head_dim": 8, "conv_kernel": 3}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cache(tmp_path_factory.mktemp("starting") / "cache").path


def config(on: Path, out: Path, **more: Any) -> TrainConfig:
    short = {"max_steps": 2, "eval_every": 2, "eval_clips": 2, "batch_size": 2, "threads": 1}
    settings = {"model_args": SMALL, "ema": 0.0, "device": "cpu", **short, **more}
    return TrainConfig(cache=str(on), out=str(out), **settings)


class Notes(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_goes_on_from_the_weights_that_fit(cache: Path, tmp_path: Path) -> None:
    first = train(config(cache, tmp_path / "first"))
    notes = Notes()
    settings = {"model": "autoregressive", "start_from": str(first.last), "learning_rate": 1e-12}
    second = train(config(cache, tmp_path / "second", **settings), notes)
    registry = Registry()
    before = load_checkpoint(first.last, registry=registry).model
    after = load_checkpoint(second.last, registry=registry).model
    for name, weight in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], weight, msg=name)
    assert second.valid_nll == pytest.approx(
        load_checkpoint(first.last, registry=registry).training["valid_nll"], abs=1e-4
    )
    said = next(line for line in notes.lines if "taken over" in line)
    assert "past (1 tensor)" in said and "input" not in said
    assert "start_from" not in str(load_checkpoint(second.last, registry=registry).metadata)


@pytest.mark.parametrize("model", ["autoregressive", "masked"])
def test_a_run_that_draws_luck_goes_on_to_the_same_bytes(
    model: str, cache: Path, tmp_path: Path
) -> None:
    settings = {"model": model, "balance_drums": 0.5, "clips": "crops", "max_steps": 4}
    whole = train(config(cache, tmp_path / "whole", **settings))

    class Killer(Notes):
        def message(self, text: str) -> None:
            if text.startswith("step 2"):
                raise KeyboardInterrupt

    broken = config(cache, tmp_path / "broken", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(broken, Killer())
    assert train(broken).last.read_bytes() == whole.last.read_bytes()


def test_a_checkpoint_to_start_from_that_is_not_there(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors"):
        train(config(cache, tmp_path / "run", start_from=str(tmp_path / "none.safetensors")))
    assert not (tmp_path / "run").exists()


def test_code_vectors_add_up_to_what_the_decoder_reads() -> None:
    codec = GrooveCodec(num_codebooks=3)
    vectors = code_vectors(codec)
    assert [tuple(rows.shape) for rows in vectors] == [(1024, codec.latent_dim)] * 3
    codes = torch.randint(0, 1024, (1, 3, 50), generator=torch.Generator().manual_seed(0))
    summed = sum(rows[codes[0, k]] for k, rows in enumerate(vectors))
    offset = codec.embed(codes)[0].T - summed
    torch.testing.assert_close(offset, offset[:1].expand_as(offset), atol=1e-4, rtol=1e-3)


def rare_tom(cache: Path) -> Windows:
    """Crops where the snare (38) of one take in all is what is rare."""
    opened = Cache.open(cache)
    settings = TrainConfig(cache=str(cache), out="", clips="crops", crop_sec=0.5, balance_drums=1.0)
    return make_windows(opened, settings)


def test_balanced_crops_have_the_hit_they_were_drawn_for(cache: Path) -> None:
    windows = rare_tom(cache)
    assert set(windows.hits) == {"kick", "snare"}
    # Were the snare struck once, it would still have its turns.
    hits = {"kick": windows.hits["kick"], "snare": windows.hits["snare"][:1]}
    drawn = Windows(**{**vars(windows), "hits": hits, "_epoch": {}})
    place, frame = hits["snare"][0]
    seen: Counter[bool] = Counter()
    for step in range(40):
        for clip in drawn.clips(step):
            around = clip.start_frame <= frame < clip.start_frame + clip.num_frames
            seen[bool(clip.entry_index == drawn.train[place].entry_index and around)] += 1
    once, often = 1.0, len(hits["kick"]) ** 0.25
    assert seen[True] / seen.total() > 0.8 * once / (once + often)
    assert drawn.clips(7) == Windows(**{**vars(drawn), "_epoch": {}}).clips(7)


def test_no_balance_draws_as_before(cache: Path) -> None:
    opened = Cache.open(cache)
    plain = TrainConfig(cache=str(cache), out="", clips="crops", crop_sec=0.5)
    windows = make_windows(opened, plain)
    assert windows.hits == {} and windows.balance == 0
    rng = np.random.default_rng([windows.seed, 1, 3])
    frames = np.array([clip.num_frames for clip in windows.train], dtype=np.float64)
    first = rng.choice(len(windows.train), windows.batch_size, p=frames / frames.sum())[0]
    assert windows.clips(3)[0].entry_index == windows.train[first].entry_index
