"""A kit that a model does not know by name is heard in sketches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.trainable_cache import CLOCK, make_cache

from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache
from midigroove_core.checkpoint import CodecPart, TrainedWindow, load_checkpoint, save_checkpoint
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import FrameWindow
from midigroove_core.evaluation.base.config import EvalConfig, SystemSpec
from midigroove_core.evaluation.output.provenance import settings_sha
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.systems import System, load_systems
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import ModelSpec
from midigroove_core.registry import Registry


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("unnamed") / "cache")


def save_model(cache: Cache, path: Path, sketch: bool) -> Path:
    names = {"kit": ("jazz",), "drummer": (), "style": ()}
    spec = ModelSpec(tuple(ExpressiveGrid().feature_names), CLOCK, cache.codebooks, names)
    model = AutoregressiveModel.build(spec, dim=16, layers=1, heads=2, head_dim=8, sketch=sketch)
    save_checkpoint(
        path, model, featurizer=ExpressiveGrid(), codec=CodecPart.of_cache(cache.header),
        window=TrainedWindow(62, 0), training={},
    )  # fmt: skip
    return path


def test_sketches_for_nobody_are_refused(cache: Cache, tmp_path: Path) -> None:
    path = save_model(cache, tmp_path / "deaf.safetensors", sketch=False)
    config = EvalConfig(
        systems=(SystemSpec("deaf", path, cache.path),), out=tmp_path / "eval",
        sketches=tmp_path / "nowhere", audio_metrics=False,
    )  # fmt: skip
    with pytest.raises(InputError, match="no system hears kits"):
        load_systems(config, Registry())


def test_follow_goes_by_models_that_hear_none(cache: Cache, tmp_path: Path) -> None:
    """So that systems of both kinds are evaluated with one setting."""
    path = save_model(cache, tmp_path / "deaf.safetensors", sketch=False)
    model = load_checkpoint(path, needs_codec=False).model
    grid = torch.zeros(1, len(ExpressiveGrid().feature_names), 8)
    names = {"kit": 0, "drummer": -1, "style": -1}
    given = {name: torch.tensor([value]) for name, value in names.items()}
    given["bpm"] = torch.tensor([100.0])
    batch = GridBatch(grid, torch.ones(1, 8, dtype=torch.bool), given)
    plain, followed = (model.generate(batch, model.sampling(3, follow=f)) for f in (1.0, 8.0))
    assert torch.equal(plain, followed)


def test_sketches_go_to_kits_without_a_name(cache: Cache, tmp_path: Path) -> None:
    path = save_model(cache, tmp_path / "model.safetensors", sketch=True)
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
