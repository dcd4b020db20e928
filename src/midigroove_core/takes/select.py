"""`select`: filters, splits by kit or drummer, and small subsets of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.takes.dataset import SPLITS, Dataset, Take

SplitMode = Literal["published", "leave_kit_out", "leave_drummer_out"]
T = TypeVar("T")


def select(
    dataset: Dataset,
    *,
    beat_type: str | None = None,
    kits: Sequence[str] = (),
    kits_exclude: Sequence[str] = (),
    styles: Sequence[str] = (),
    drummers: Sequence[str] = (),
    splits: Sequence[str] = (),
    max_takes: int | None = None,
    stratified: bool = False,
    one_kit_per_performance: bool = False,
    split_mode: SplitMode = "published",
    held_out: Sequence[str] = (),
    seed: int = 0,
) -> Dataset:
    """A part of a dataset, its takes in their old order. Names match in any case.

    Args:
        dataset: what to choose from.
        beat_type: "beat" or "fill"; None keeps both.
        kits, drummers: keep these; a drummer may be given by number.
        kits_exclude: leave these out.
        styles: keep these; "jazz" keeps "jazz/swing" too.
        splits: keep these, as drawn by `split_mode`.
        max_takes: at most so many, drawn at random.
        stratified: draw them in proportion over (drummer, style, kit).
        one_kit_per_performance: each performance on one kit, kits used evenly.
        split_mode: "published" keeps the splits. "leave_kit_out" tests on the published test
            performances of the kits `held_out` and trains and validates on the other kits.
            "leave_drummer_out" tests on the drummers `held_out` alone; published test takes of
            the others validate.
        held_out: the kits or drummers of `split_mode`.
        seed: of all draws.

    Raises:
        InputError: a name that the dataset does not have, or nothing left.
    """
    takes = _split(dataset.takes, split_mode, held_out)
    takes = _only(takes, "beat type", [beat_type] if beat_type else [], lambda t: t.beat_type)
    takes = _only(takes, "kit", kits, lambda t: t.kit)
    excluded = {take.key for take in _only(takes, "kit", kits_exclude, lambda t: t.kit)}
    takes = [t for t in takes if not kits_exclude or t.key not in excluded]
    takes = _only(takes, "style", styles, lambda t: t.style, _style_matches)
    takes = _only(takes, "drummer", drummers, lambda t: t.drummer, _drummer_matches)
    for split in splits:
        if split not in SPLITS:
            raise InputError(f"no split {split!r}; use {', '.join(SPLITS)}")
    takes = [take for take in takes if not splits or take.split in splits]
    rng = np.random.default_rng(seed)
    if one_kit_per_performance:
        takes = _one_kit_each(takes, rng)
    if max_takes is not None and max_takes < len(takes):
        stratum = (lambda t: (t.drummer, t.style, t.kit)) if stratified else (lambda t: ())
        takes = sample(takes, max_takes, stratum, rng)
    if not takes:
        raise InputError(f"{dataset.name}: no take is left after the filters; loosen one")
    return replace(dataset, takes=takes)


def sample(
    items: Sequence[T], size: int, stratum: Callable[[T], Hashable], rng: np.random.Generator
) -> list[T]:
    """`size` items in their old order, each stratum in proportion to its share."""
    members: dict[Hashable, list[int]] = {}
    for index in rng.permutation(len(items)).tolist():
        members.setdefault(stratum(items[index]), []).append(index)
    # The r-th of n members stands at (r + 1/2) / n of the queue, so any prefix is proportional.
    queue = sorted(
        ((rank + 0.5) / len(indices), place, index)
        for place, indices in enumerate(members.values())
        for rank, index in enumerate(indices)
    )
    return [items[i] for i in sorted(index for _, _, index in queue[:size])]


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


def _same(name: str, wanted: str) -> bool:
    return name.lower() == wanted.lower()


def _style_matches(style: str, wanted: str) -> bool:
    return _same(style, wanted) or style.lower().startswith(wanted.lower() + "/")


def _drummer_matches(drummer: str, wanted: str) -> bool:
    return _same(drummer, wanted) or _same(drummer, f"drummer{wanted}")


def _only(
    takes: list[Take],
    what: str,
    wanted: Iterable[str],
    name_of: Callable[[Take], str],
    matches: Callable[[str, str], bool] = _same,
) -> list[Take]:
    """The takes whose name matches any that is wanted; all when none is wanted."""
    wanted = list(wanted)
    names = sorted({name_of(take) for take in takes})
    for want in wanted:
        if not any(matches(name, want) for name in names):
            raise InputError(f"no {what} {want!r} in the dataset; it has {', '.join(names)}")
    kept = {name for name in names if any(matches(name, want) for want in wanted)}
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
