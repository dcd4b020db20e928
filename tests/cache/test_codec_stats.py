"""The codec's statistics find what was put into the codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cache_fixtures import performance
from test_cachefile import HEADER, row

from midigroove_core.cache import CacheWriter
from midigroove_core.cache.codec_stats import codec_statistics, common_takes
from midigroove_core.cache.probe import ProbeConfig, fit_probe
from midigroove_core.cli import run as midigroove
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import residual_codebooks


def make_cache(path: Path, splits: list[str], frames: int = 384) -> Path:
    """Codebook 0 repeats each of 8 codes for four frames, codebook 1 is uniform noise."""
    codebooks = [book.to_json() for book in residual_codebooks(2, 64)]
    facts = {**HEADER["codec_facts"], "codebooks": codebooks}
    dataset = {**HEADER["dataset"], "num_takes": len(splits)}
    header = {**HEADER, "codec_facts": facts, "dataset": dataset}
    writer = CacheWriter(path, header)
    rng = np.random.default_rng(3)
    for take, split in enumerate(splits):
        fields = {**row(take), "num_frames": frames, "split": split, "performance_key": f"p{take}"}
        steady = np.repeat(np.arange(frames // 4) % 8, 4)
        writer.add_performance(fields["midi_path"], performance(rng, 2.0))
        writer.add_take(take, fields, np.stack([steady, rng.integers(0, 64, frames)]))
    for shard in range(writer.num_shards):
        writer.close_shard(shard)
    writer.finish()
    return path


def test_order_is_found_where_there_is_order(tmp_path: Path) -> None:
    path = make_cache(tmp_path / "cache", ["train"] * 6 + ["validation"] * 2 + ["test"])
    found = codec_statistics(path, featurizer=None)
    steady, noise = found["codebooks"]
    assert found["scored_on"] == {"split": "validation", "takes": 2, "frames": 768}
    assert steady["perplexity"] == pytest.approx(8.0, rel=1e-6)
    assert steady["usage"] == 8 / 64
    assert steady["mean_run_frames"] == pytest.approx(4.0)
    assert steady["change_rate"] == pytest.approx(95 / 383)
    assert steady["unigram_nll"] == pytest.approx(np.log(8), abs=0.05)
    assert steady["bigram_nll"] < 0.8  # stays or moves on by one: entropy 0.56 nats
    assert noise["bigram_nll"] > noise["unigram_nll"] - 0.05
    bits = found["bits_per_second"]
    assert bits["nominal"] == 2 * 6 * 80
    assert bits["bigram"] < bits["unigram"] < bits["nominal"]
    json.dumps(found, allow_nan=False)


def test_one_split_is_divided_by_performance(tmp_path: Path) -> None:
    path = make_cache(tmp_path / "cache", ["train"] * 20)
    found = codec_statistics(path, featurizer=None, max_takes=5)
    assert found["fitted_on"]["takes"] == 5 and found["scored_on"]["takes"] >= 1
    with pytest.raises(InputError, match="too few to hold some out"):
        codec_statistics(make_cache(tmp_path / "one", ["train"]), featurizer=None)


def test_the_probe_reads_the_built_in_grid(tmp_path: Path) -> None:
    path = make_cache(tmp_path / "cache", ["train", "test"], frames=80)
    found = codec_statistics(path)
    assert found["bits_per_second"]["probe"] > 0
    assert all(0 <= book["probe_accuracy"] <= 1 for book in found["codebooks"])


def _takes(seed: int, frames: int = 600) -> tuple[list[Any], list[Any]]:
    rng = np.random.default_rng(seed)
    grid = rng.normal(size=(3, frames)).astype(np.float32)
    told = (grid[0] > 0).astype(np.int64) * 5
    return [grid], [np.stack([told, rng.integers(0, 4, frames)])]


def test_the_probe_learns_what_the_grid_tells_and_nothing_else() -> None:
    result = fit_probe(_takes(0), _takes(1), [8, 4])
    assert result.nll[0] < 0.3 and result.accuracy[0] > 0.95
    assert result.nll[1] == pytest.approx(np.log(4), abs=0.15)
    again = fit_probe(_takes(0), _takes(1), [8, 4])
    assert np.array_equal(result.nll, again.nll)


def test_a_hidden_layer_hears_what_a_linear_probe_cannot() -> None:
    def either(seed: int) -> tuple[list[Any], list[Any]]:
        grid = np.random.default_rng(seed).normal(size=(2, 2000)).astype(np.float32)
        return [grid], [((grid[0] > 0) ^ (grid[1] > 0)).astype(np.int64)[None]]

    linear = fit_probe(either(0), either(1), [2])
    layered = fit_probe(either(0), either(1), [2], config=ProbeConfig(steps=300, hidden=32))
    assert linear.accuracy[0] < 0.65 < 0.9 < layered.accuracy[0]
    with pytest.raises(InputError, match="`steps` of the probe must be"):
        ProbeConfig(steps=0)


def test_several_caches_are_looked_at_on_the_takes_they_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long, short = (
        make_cache(tmp_path / name, ["train"] * count + ["validation"])
        for name, count in (("long", 6), ("short", 3))
    )
    assert len(common_takes([long, short])) == 4
    options = ["--no-probe", "--intersection", "--json"]
    assert midigroove(["codec-stats", str(long), str(short), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["cache"] for one in found] == [str(long), str(short)]
    assert found[0]["fitted_on"]["takes"] == found[1]["fitted_on"]["takes"]
    assert midigroove(["codec-stats", str(long), str(short), "--no-probe"]) == 0
    assert "Beside each other" in capsys.readouterr().out
