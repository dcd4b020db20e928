"""A model that goes on from known frames renders one take, window by window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.toy_systems import codec_header, performance, toy_spec

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.checkpoint import CodecPart, TrainedWindow, load_checkpoint, save_checkpoint
from midigroove_core.errors import PluginError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import Loss, Model, ModelSpec, SamplingConfig
from midigroove_core.progress import Silent
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.model_engine import ModelEngine
from midigroove_core.testing import ToyCodec


class Counter(Model):
    """Row 0 counts frames from the last known one, from a number that the seed draws."""

    model_id = "toy_steps"  # an id that is registered
    likelihood = "none"
    uses_known = True
    conditions = ()

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.rows = len(spec.codebooks)
        self.seen: list[GridBatch] = []

    def loss(self, batch: GridBatch, step: int) -> Loss:
        raise NotImplementedError

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> torch.Tensor:
        self.seen.append(batch)
        codes = torch.zeros(1, self.rows, batch.grid.shape[2], dtype=torch.int64)
        now = int(torch.randint(64, (1,), generator=torch.Generator().manual_seed(sampling.seed)))
        for frame in range(codes.shape[2]):
            known = bool(batch.known[0, frame])
            now = int(batch.codes[0, 0, frame]) if known else (now + 1) % 64
            codes[0, :, frame] = batch.codes[0, :, frame] if known else now
        return codes


@pytest.fixture
def engine(tmp_path: Path, toy_plugin: None) -> ModelEngine:
    codec = ToyCodec()
    model = Counter.build(toy_spec(codec, {}))
    save_checkpoint(
        tmp_path / "x.safetensors", model, featurizer=ExpressiveGrid(),
        codec=CodecPart.of_cache(codec_header(codec)), window=TrainedWindow(62, 15), training={},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("support.toy_systems.StepsModel", Counter)
        loaded = load_checkpoint(tmp_path / "x.safetensors")
    return ModelEngine(RenderConfig(seed=3), loaded, codec, Silent())


def test_a_long_render_is_one_take(engine: ModelEngine) -> None:
    rendered = engine.play(performance(24, 6.0), Silent())
    codes = rendered.codes
    assert codes is not None and codes.shape[1] > 400
    assert (np.diff(codes[0]) % 64 == 1).all()  # no join: every window goes on from the last
    assert rendered.joins_sec == []
    model = engine._checkpoint.model
    assert isinstance(model, Counter) and len(model.seen) > 8
    starts = [int(batch.start_frame) for batch in model.seen]
    assert starts[0] == 0 and not model.seen[0].known.any()
    for before, batch in zip(model.seen, model.seen[1:], strict=False):
        count = int(batch.known.sum())
        assert batch.known[0, :count].all() and count >= 20
        assert int(batch.start_frame) > int(before.start_frame)


def test_codes_of_a_plugin_are_checked(
    engine: ModelEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Counter.generate

    def wrong(self: Counter, batch: GridBatch, sampling: SamplingConfig) -> torch.Tensor:
        return (real(self, batch, replace(sampling)) + 1) % 64

    monkeypatch.setattr(Counter, "generate", wrong)
    with pytest.raises(PluginError, match="frames that were known have other codes"):
        engine.play(performance(24, 6.0), Silent())
