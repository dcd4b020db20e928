"""A kit that a model does not know by name is heard in sketches."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.trainable_cache import CLOCK, make_cache

from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache
from midigroove_core.checkpoint import CodecPart, TrainedWindow, load_checkpoint, save_checkpoint
from midigroove_core.evaluation.base.clipset import FrameWindow
from midigroove_core.evaluation.base.config import EvalConfig, SystemSpec
from midigroove_core.evaluation.output.provenance import settings_sha
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.systems import System
from midigroove_core.interfaces.model import ModelSpec


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("unnamed") / "cache")


def test_sketches_go_to_kits_without_a_name(cache: Cache, tmp_path: Path) -> None:
    names = {"kit": ("jazz",), "drummer": (), "style": ()}
    spec = ModelSpec(tuple(ExpressiveGrid().feature_names), CLOCK, cache.codebooks, names)
    model = AutoregressiveModel.build(spec, dim=16, layers=1, heads=2, head_dim=8, sketch=True)
    path = tmp_path / "model.safetensors"
    save_checkpoint(
        path, model, featurizer=ExpressiveGrid(), codec=CodecPart.of_cache(cache.header),
        window=TrainedWindow(62, 0), training={},
    )  # fmt: skip
    checkpoint = load_checkpoint(path, needs_codec=False)
    named = SystemSpec("listens", path, cache.path)
    config = EvalConfig(systems=(named,), out=tmp_path / "eval", sketches=cache.path)
    system = System(named, CodecGroup(cache, None), checkpoint, config)
    entries = [next(e for e in cache.entries if e.kit == kit) for kit in ("jazz", "rock")]
    batch = system._batch([FrameWindow(entry, 0, 20, 0, 20) for entry in entries])
    assert system.facts.sketches == cache.fingerprint
    assert len(settings_sha(config, [system.facts], None)) == 64
    assert batch.sketch is not None
    assert (batch.sketch >= 0).any(dim=(1, 2)).tolist() == [False, True]
