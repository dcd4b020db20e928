"""What is hidden of the batches that a model is trained on."""

import numpy as np
import pytest
import torch
from support.trainable_cache import make_cache

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import ClipReader
from midigroove_core.training.batches import Batches
from midigroove_core.training.config import TrainConfig
from midigroove_core.training.distributed import Cut
from midigroove_core.training.windows import make_windows


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("cache") / "cache")


def batches(cache: Cache, mask_grid: float, parts: int = 1) -> Batches:
    config = TrainConfig(str(cache.path), "out", batch_size=5, seed=3)
    reader = ClipReader(cache, ExpressiveGrid(), {}, ())
    cut = Cut(parts, tuple(range(parts)))
    return Batches(reader, make_windows(cache, config), cut, 0.0, mask_grid)


def test_rows_are_hidden_over_one_stretch_of_a_clip(cache: Cache) -> None:
    plain = batches(cache, 0.0)[7, 0].batch
    masked = batches(cache, 0.5)[7, 0].batch
    for before, after, real in zip(plain.grid, masked.grid, plain.mask, strict=True):
        changed = before != after
        assert changed.any()
        assert (after[changed] == 0).all()
        frames = torch.nonzero(changed.any(0))[:, 0]
        hidden = [row for row in range(len(after)) if changed[row].any()]
        stretch = after[hidden, int(frames[0]) : int(frames[-1]) + 1]
        assert (stretch == 0).all()
        assert not changed[:, ~real].any()
    assert torch.equal(plain.codes, masked.codes)


def test_masks_are_a_function_of_the_step_however_a_batch_is_cut(cache: Cache) -> None:
    whole, again = batches(cache, 0.5)[7, 0].batch, batches(cache, 0.5)[7, 0].batch
    assert torch.equal(whole.grid, again.grid)
    assert not torch.equal(whole.grid, batches(cache, 0.5)[8, 0].batch.grid)
    halves = batches(cache, 0.5, parts=2)
    for part in range(2):
        grid = halves[7, part].batch.grid
        np.testing.assert_array_equal(grid, whole.grid[part::2, :, : grid.shape[2]])


def test_what_is_measured_on_is_not_masked(cache: Cache) -> None:
    for (_, plain), (_, other) in zip(
        batches(cache, 0.0).validation(), batches(cache, 1.0).validation(), strict=True
    ):
        assert torch.equal(plain.grid, other.grid)
