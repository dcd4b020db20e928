"""Sketches are read from a cache of their own, by the keys of the takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.trainable_cache import make_cache

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, ClipReader, vocabularies_of
from midigroove_core.errors import MismatchError


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("sketches") / "cache")


def reader(cache: Cache, sketches: Cache | None) -> ClipReader:
    names = vocabularies_of(cache.entries)
    return ClipReader(cache, ExpressiveGrid(), names, ("kit",), sketches=sketches)


def test_takes_without_a_sketch_have_none(cache: Cache, tmp_path: Path) -> None:
    sketches = make_cache(tmp_path / "sketches", performances=1)
    keys = {entry.key for entry in sketches.entries}
    with_one = next(i for i, entry in enumerate(cache.entries) if entry.key in keys)
    without = next(i for i, entry in enumerate(cache.entries) if entry.key not in keys)
    found = reader(cache, sketches)
    clips = [found.read(Clip(with_one, 3, 8)), found.read(Clip(without, 0, 10))]
    batch = found.collate(clips)
    assert batch.sketch is not None
    entry = sketches.entry(cache.entries[with_one].key)
    assert np.array_equal(batch.sketch[0, :, :8].numpy(), sketches.codes(entry, 3, 8))
    assert (batch.sketch[0, :, 8:] == -1).all() and (batch.sketch[1] == -1).all()
    assert reader(cache, None).collate(clips[1:]).sketch is None


def test_sketches_of_another_codec_are_refused(cache: Cache, tmp_path: Path) -> None:
    sketches = make_cache(tmp_path / "sketches", performances=1)
    sketches.header["weights_sha"] = "1" * 64
    with pytest.raises(MismatchError, match="weights_sha"):
        reader(cache, sketches)


def test_unnamed_kits_have_no_name(cache: Cache) -> None:
    kits = vocabularies_of(cache.entries)["kit"]
    assert vocabularies_of(cache.entries, unnamed_kits=[kits[0]])["kit"] == kits[1:]
    assert vocabularies_of(cache.entries, unnamed_kits=["*"])["kit"] == []
