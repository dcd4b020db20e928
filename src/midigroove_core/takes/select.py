"""`select`: filters, splits by kit or drummer, and small subsets of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from midigroove_core import bounds
from midigroove_core.errors import InputError
from midigroove_core.names import Matches, find_names, listed, look_up, same
from midigroove_core.progress import Progress, Silent
from midigroove_core.takes.dataset import SPLITS, Dataset, Take
from midigroove_core.takes.draw import STRATIFY_MODES, StratifyMode, sample_by_split, strata_of

SplitMode = Literal["published", "leave_kit_out", "leave_drummer_out"]


def select(
    dataset: Dataset,
    *,
    beat_type: str | None = None,
    kits: Sequence[str] = (),
    kits_exclude: Sequence[str] = (),
    styles: Sequence[str] = (),
    drummers: Sequence[str] = (),
    splits: Sequence[str] = (),
    kit_top_n: int | None = None,
    max_takes: int | Mapping[str, int] | None = None,
    stratify: Sequence[str] = (),
    stratify_mode: StratifyMode = "proportional",
    one_kit_per_performance: bool = False,
    split_mode: SplitMode = "published",
    held_out: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """A part of a dataset, in its order; names in any spelling, with commas, or as `mixed_*`.

    Args:
        dataset: what to choose from.
        beat_type: "beat" or "fill"; None keeps both.
        kits, drummers: keep these; a drummer may be given by number.
        kits_exclude: leave these out; a name that is not there is said, and nothing else.
        styles: keep these; "jazz" keeps "jazz/swing" too.
        splits: keep these, as `split_mode` draws them.
        kit_top_n: keep so many kits, those with the most takes in training.
        max_takes: at most so many, drawn within each split; or so many of each split by name.
        stratify, stratify_mode: draw them over any of drummer, style, kit, beat_type, in
            "proportional" shares, or "uniform": each combination alike.
        one_kit_per_performance: each performance on one kit, kits used evenly.
        split_mode: "published" keeps the splits. "leave_kit_out" tests on the published test
            performances of the kits `held_out`, the others train and validate.
            "leave_drummer_out" tests on the drummers `held_out` alone, others' test takes validate.
        held_out: the kits or drummers of `split_mode`.
        seed: of all draws.
        progress: told which names were not there to leave out.

    Raises:
        InputError: a name that is not there, or nothing left.
    """
    _check_draws(kits, kit_top_n, max_takes, stratify, stratify_mode)
    takes = _split(dataset.takes, split_mode, held_out)
    takes = _only(takes, "beat type", [beat_type] if beat_type else [], lambda t: t.beat_type)
    takes = _without(_only(takes, "kit", kits, lambda t: t.kit), kits_exclude, progress)
    takes = _only(takes, "style", styles, lambda t: t.style, _style_matches)
    takes = _only(takes, "drummer", drummers, lambda t: t.drummer, _drummer_matches)
    takes = _most_frequent(takes, kit_top_n)
    takes = _only_splits(takes, splits)
    rng = np.random.default_rng(seed)
    if one_kit_per_performance:
        takes = _one_kit_each(takes, rng)
    if max_takes is not None:
        stratum = strata_of(stratify)
        takes = sample_by_split(takes, max_takes, lambda t: t.split, stratum, rng, stratify_mode)
    if not takes:
        raise InputError(f"{dataset.name}: no take is left after the filters; loosen one")
    return replace(dataset, takes=takes)


def _check_draws(
    kits: Sequence[str],
    kit_top_n: int | None,
    max_takes: int | Mapping[str, int] | None,
    stratify: Sequence[str],
    mode: str,
) -> None:
    strata_of(stratify)
    if mode not in STRATIFY_MODES:
        raise InputError(f"`stratify_mode` is {mode!r}, not {' or '.join(STRATIFY_MODES)}")
    if kit_top_n is not None:
        bounds.AT_LEAST_ONE.check("`kit_top_n`", kit_top_n)
        if kits:
            raise InputError("give either `kits` or `kit_top_n`, not both")
    if isinstance(max_takes, Mapping):
        _splits(tuple(max_takes))
    sizes = max_takes.values() if isinstance(max_takes, Mapping) else (max_takes,)
    for size in sizes:
        if size is not None:
            bounds.AT_LEAST_ONE.check("`max_takes`", size)


def _splits(names: Sequence[str]) -> list[str]:
    found = [name.strip() for text in names for name in text.split(",")]
    for name in found:
        if name not in SPLITS:
            raise InputError(f"no split {name!r}; use {', '.join(SPLITS)}")
    return found


def _only_splits(takes: list[Take], names: Sequence[str]) -> list[Take]:
    wanted = _splits(names) or SPLITS
    return [take for take in takes if take.split in wanted]


def _most_frequent(takes: list[Take], count: int | None) -> list[Take]:
    """Takes of the most frequent kits of the training split (of all, where there is none)."""
    if count is None:
        return takes
    counted = Counter(take.kit for take in takes if take.split == "train")
    counted = counted or Counter(take.kit for take in takes)
    kept = sorted(counted, key=lambda kit: (-counted[kit], kit))[:count]
    return [take for take in takes if take.kit in kept]


def _without(takes: list[Take], kits: Sequence[str], progress: Progress | None) -> list[Take]:
    """Takes on other kits; a kit that is not there is a line, since then nothing is wrong."""
    there = sorted({take.kit for take in takes})
    found, missing = look_up(kits, there)
    for name in missing:
        (progress or Silent()).message(
            f"no kit {name!r} to leave out; the dataset has {listed(there)}"
        )
    return [take for take in takes if take.kit not in found]


def _split(takes: list[Take], mode: SplitMode, held_out: Sequence[str]) -> list[Take]:
    if mode == "published":
        if held_out:
            raise InputError("held-out names need the split leave_kit_out or leave_drummer_out")
        return takes
    if not held_out:
        raise InputError(f"split {mode}: name what is held out")
    if mode == "leave_drummer_out":
        held = _only(takes, "drummer", held_out, lambda t: t.drummer, _drummer_matches)
        keys = {take.key for take in held}
        return [replace(t, split=_without_test(t.split, t.key in keys)) for t in takes]
    keys = {take.key for take in _only(takes, "kit", held_out, lambda t: t.kit)}
    left = [t for t in takes if (t.key in keys) == (t.split == "test")]
    if not any(t.key in keys for t in left):
        raise InputError(
            "split leave_kit_out: no take of the held-out kits is in the published test split; "
            "a performance of the training split would be in two splits"
        )
    return left


def _without_test(split: str, held_out: bool) -> str:
    return "test" if held_out else "validation" if split == "test" else split


def _style_matches(style: str, wanted: str) -> bool:
    return same(style, wanted) or style.lower().startswith(wanted.lower() + "/")


def _drummer_matches(drummer: str, wanted: str) -> bool:
    return same(drummer, wanted) or same(drummer, f"drummer{wanted}")


def _only(
    takes: list[Take],
    what: str,
    wanted: Iterable[str],
    name_of: Callable[[Take], str],
    matches: Matches = same,
) -> list[Take]:
    """The takes whose name matches any that is wanted; all when none is wanted."""
    wanted = list(wanted)
    kept = find_names(wanted, sorted({name_of(take) for take in takes}), what, matches)
    return [take for take in takes if not wanted or name_of(take) in kept]


def _one_kit_each(takes: list[Take], rng: np.random.Generator) -> list[Take]:
    """Each performance gets the kit that was used least so far, in a random order."""
    by_performance: dict[str, list[Take]] = {}
    for take in takes:
        by_performance.setdefault(take.performance_key, []).append(take)
    used: Counter[str] = Counter()
    chosen = set()
    performances = sorted(by_performance)
    for index in rng.permutation(len(performances)).tolist():
        options = by_performance[performances[index]]
        order = rng.permutation(len(options)).tolist()
        take = options[min(order, key=lambda i: used[options[i].kit])]
        used[take.kit] += 1
        chosen.add(take.key)
    return [take for take in takes if take.key in chosen]
