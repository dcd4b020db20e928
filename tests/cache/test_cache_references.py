"""Where a kit is heard: another performance of the same kit and split, never the take itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.trainable_cache import make_cache

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, ClipReader, vocabularies_of
from midigroove_core.cache.references import References


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("references") / "cache")


def test_drawn_from_other_performances_of_the_kit(cache: Cache) -> None:
    references = References(cache, 40)
    rng = np.random.default_rng(0)
    for place, entry in enumerate(cache.entries):
        for _ in range(20):
            clip = references.drawn(place, rng)
            if clip is None:
                continue
            other = cache.entries[clip.entry_index]
            assert (other.kit, other.split) == (entry.kit, entry.split)
            assert other.performance_key != entry.performance_key
            assert 1 <= clip.num_frames <= 40
            assert clip.start_frame + clip.num_frames <= other.num_frames


def test_the_take_that_the_dataset_names_comes_first(cache: Cache) -> None:
    references = References(cache, 40)
    place = next(p for p in range(len(cache.entries)) if references.fixed(p) is not None)
    others = [
        index
        for index, entry in enumerate(cache.entries)
        if (entry.kit, entry.split) == (cache.entries[place].kit, cache.entries[place].split)
        and entry.performance_key != cache.entries[place].performance_key
    ]
    for other in others:
        named = Cache.open(cache.path)
        named.entries[place] = replace(named.entries[place], reference=named.entries[other].key)
        found = References(named, 40).fixed(place)
        assert found == Clip(other, 0, min(40, cache.entries[other].num_frames))


def test_a_kit_that_plays_one_thing_is_not_heard(tmp_path: Path) -> None:
    alone = make_cache(tmp_path / "cache", performances=1)
    references = References(alone, 40)
    assert references.fixed(0) is None
    assert references.drawn(0, np.random.default_rng(0)) is None


def test_collated_with_and_without(cache: Cache) -> None:
    reader = ClipReader(cache, ExpressiveGrid(), vocabularies_of(cache.entries), ("kit",))
    clips = [reader.read(Clip(0, 0, 10)), reader.read(Clip(0, 3, 8))]
    heard = reader.read(Clip(1, 0, 6))
    assert reader.collate(clips).reference is None
    assert reader.collate(clips, [None, None]).reference is None
    reference = reader.collate(clips, [None, heard]).reference
    assert reference is not None
    assert reference.mask.sum(dim=1).tolist() == [0, 6]
    assert torch.equal(reference.codes[1], torch.from_numpy(heard.codes.astype(np.int64)))
    assert torch.equal(reference.grid[1], torch.from_numpy(heard.grid))


def test_unnamed_kits_have_no_name(cache: Cache) -> None:
    kits = vocabularies_of(cache.entries)["kit"]
    assert vocabularies_of(cache.entries, unnamed_kits=[kits[0]])["kit"] == kits[1:]
    assert vocabularies_of(cache.entries, unnamed_kits=["*"])["kit"] == []
