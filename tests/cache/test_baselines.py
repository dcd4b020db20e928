"""Unigram and bigram: one fit, wherever they are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_codec_stats import make_cache

from midigroove_core.cache import Cache
from midigroove_core.cache.baselines import draw_takes, fit_codes
from midigroove_core.cache.clips import cut_clips
from midigroove_core.cache.codec_stats import codec_statistics
from midigroove_core.training.baselines import code_baselines


def test_training_evaluation_and_statistics_fit_alike(tmp_path: Path) -> None:
    path = make_cache(tmp_path / "cache", ["train"] * 6 + ["validation"] * 2)
    cache = Cache.open(path)
    train, valid = (cut_clips(cache, split, beats=1) for split in ("train", "validation"))
    model = fit_codes(cache, cache.split("train"))
    scored = [cache.codes(entry) for entry in cache.split("validation")]
    of_training = code_baselines(cache, train, valid)
    assert of_training.unigram == pytest.approx(model.unigram_nll(scored))
    assert of_training.bigram == pytest.approx(model.bigram_nll(scored))
    books = codec_statistics(path, featurizer=None, max_takes=3)["codebooks"]
    assert [book["bigram_nll"] for book in books] == pytest.approx(of_training.bigram)


def test_many_takes_are_drawn_whole_and_always_alike(tmp_path: Path) -> None:
    cache = Cache.open(make_cache(tmp_path / "cache", ["train"] * 10))
    entries = cache.split("train")
    drawn = draw_takes(entries, 384 * 3 + 1)
    assert len(drawn) == 4 and drawn == draw_takes(entries, 384 * 3 + 1)
    assert drawn == sorted(drawn, key=entries.index)
    assert draw_takes(entries, 10**9) == entries and len(draw_takes(entries, 0)) == 1
