"""How a codec's codes behave, and how much there is to learn in them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache import Cache, CacheEntry
from midigroove_core.cache.baselines import fit_codes
from midigroove_core.cache.probe import ProbeConfig, ProbeResult, fit_probe
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import bits_per_frame
from midigroove_core.metrics.codes import (
    bits_per_second,
    change_rate,
    count_codes,
    entropy_nats,
    mean_run_length,
    perplexity,
    usage,
)
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.takes import SPLITS, split_of_performance


def codec_statistics(
    path: str | Path,
    *,
    max_takes: int = 400,
    featurizer: str | None = "expressive_grid",
    probe: ProbeConfig | None = None,
    takes: Collection[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> dict[str, Any]:
    """Statistics of the codes of a cache.

    Baselines (those of training and evaluation, see `cache.baselines`) and probe are fitted on
    training takes and scored on validation takes (test takes where there are none; a share of the
    performances where there is one split only). All else is of the takes drawn.

    Args:
        path: the cache.
        max_takes: at most so many takes to fit the probe on, and so many to score, drawn at random.
        featurizer, probe: the grid that the probe reads (None: no probe), and how it is fitted.
        takes: look at these alone, by their keys; see `common_takes`.
        seed: of the draws.
        progress, registry: told what is done; where the featurizer is looked up.

    Returns:
        JSON: `codebooks`, a row each (entropy, perplexity, usage, change rate, run lengths, NLL in
        nats per code under unigram, bigram and probe), and figures of the whole.

    Raises:
        InputError: not a cache, or too few takes.
    """
    progress = progress or Silent()
    cache = Cache.open(path)
    train, held_out, name = _splits(cache, takes)
    rng = np.random.default_rng(seed)
    fit, score = _draw(train, max_takes, rng), _draw(held_out, max_takes, rng)
    progress.start("reading codes", None)
    fit_takes = [cache.codes(entry).astype(np.int64) for entry in fit]
    score_codes = [cache.codes(entry).astype(np.int64) for entry in score]
    model = fit_codes(cache, train)
    nll = {"unigram": model.unigram_nll(score_codes), "bigram": model.bigram_nll(score_codes)}
    columns = _describe(fit_takes, cache.codebook_sizes)
    columns |= {f"{kind}_nll": values for kind, values in nll.items()}
    if featurizer is not None:
        progress.start("fitting the probe", None)
        grid_of = _grids(cache, featurizer, registry or Registry())
        told = _probe(cache, grid_of, (fit, fit_takes), (score, score_codes), probe, seed)
        nll["probe"] = told.nll
        columns |= {"probe_nll": told.nll, "probe_accuracy": told.accuracy}
    progress.finish()
    return {
        "cache": str(path),
        "codec_id": cache.header["codec_id"],
        "fitted_on": {"split": "train", "takes": len(fit), "frames": _frames(fit)},
        "scored_on": {"split": name, "takes": len(score), "frames": _frames(score)},
        "bits_per_second": _rates(cache, nll),
        "codebooks": _rows(cache.codebook_sizes, columns),
    }


def _rates(cache: Cache, nll: Mapping[str, Any]) -> dict[str, float]:
    """What the codes cost at their face value, and under each of the fits."""
    rate = cache.clock.frame_rate
    costs = {kind: bits_per_second(values, rate) for kind, values in nll.items()}
    return {"nominal": bits_per_frame(cache.codebooks) * float(rate), **costs}


def _rows(codebook_sizes: list[int], columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row per codebook; a figure that there is none of is None."""
    return [
        {
            "codebook": k,
            "size": size,
            **{name: _number(values[k]) for name, values in columns.items()},
        }
        for k, size in enumerate(codebook_sizes)
    ]


def common_takes(paths: Sequence[str | Path]) -> frozenset[str]:
    """Keys of the takes that all of these caches have.

    Raises:
        InputError: not a cache, or there are none.
    """
    keys = [frozenset(entry.key for entry in Cache.open(path).entries) for path in paths]
    common = frozenset.intersection(*keys)
    if not common:
        raise InputError(f"no take is in all of {', '.join(map(str, paths))}")
    return common


def _splits(
    cache: Cache, takes: Collection[str] | None
) -> tuple[list[CacheEntry], list[CacheEntry], str]:
    """Takes to fit on, takes to score, and what the latter are."""
    entries = [entry for entry in cache.entries if takes is None or entry.key in takes]
    split = {name: [e for e in entries if e.split == name] for name in SPLITS}
    for name in ("validation", "test"):
        if split["train"] and split[name]:
            return split["train"], split[name], name
    fit: list[CacheEntry] = []
    score: list[CacheEntry] = []
    for entry in entries:
        drawn = split_of_performance(entry.performance_key) == "train"
        (fit if drawn else score).append(entry)
    if not fit or not score:
        raise InputError(
            f"{cache.path}: {len(entries)} takes of one split are too few to hold some out; "
            f"cache more performances"
        )
    return fit, score, "held out of the only split"


def _draw(entries: list[CacheEntry], count: int, rng: np.random.Generator) -> list[CacheEntry]:
    if len(entries) <= count:
        return entries
    return [entries[i] for i in np.sort(rng.choice(len(entries), count, replace=False))]


def _describe(codes: list[NDArray[np.int64]], codebook_sizes: list[int]) -> dict[str, Any]:
    counts = count_codes(codes, codebook_sizes)
    return {
        "entropy_nats": entropy_nats(counts),
        "perplexity": perplexity(counts),
        "usage": usage(counts),
        "change_rate": change_rate(codes),
        "mean_run_frames": mean_run_length(codes),
    }


def _grids(cache: Cache, featurizer: str, registry: Registry) -> Any:
    built = registry.load("featurizer", featurizer)()

    def grid_of(entry: CacheEntry) -> NDArray[np.float32]:
        performance = cache.performance(entry)
        return built.featurize(performance, cache.clock, 0, entry.num_frames).values

    return grid_of


def _probe(
    cache: Cache,
    grid_of: Any,
    fit: tuple[list[CacheEntry], list[NDArray[np.int64]]],
    score: tuple[list[CacheEntry], list[NDArray[np.int64]]],
    config: ProbeConfig | None,
    seed: int,
) -> ProbeResult:
    return fit_probe(
        ([grid_of(entry) for entry in fit[0]], fit[1]),
        ([grid_of(entry) for entry in score[0]], score[1]),
        cache.codebook_sizes,
        config=config,
        seed=seed,
    )


def _frames(entries: list[CacheEntry]) -> int:
    return sum(entry.num_frames for entry in entries)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
