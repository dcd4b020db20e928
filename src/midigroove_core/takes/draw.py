"""Draws of takes and clips: proportional or uniform over strata, each prefix a smaller draw."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from midigroove_core.errors import InputError

StratifyMode = Literal["proportional", "uniform"]
STRATIFY_MODES = ("proportional", "uniform")
STRATA = ("drummer", "style", "kit", "beat_type")
"""What draws may be stratified by."""

T = TypeVar("T")


def strata_of(names: Sequence[str], name: str = "stratify") -> Callable[[object], Hashable]:
    """What the stratum of a take, or of a cache's entry, is; any of `STRATA`, none is one stratum.

    Args:
        names: fields, or lists of them with commas.
        name: of the setting, for messages.

    Raises:
        InputError: something else.
    """
    fields = [field.strip().replace("-", "_") for text in names for field in text.split(",")]
    for field in fields:
        if field not in STRATA:
            raise InputError(f"{name}: {field!r} is not one of {', '.join(STRATA)}")
    return lambda item: tuple(getattr(item, field) for field in fields)


def queue(
    items: Sequence[T],
    stratum: Callable[[T], Hashable],
    rng: np.random.Generator,
    mode: StratifyMode = "proportional",
    weights: Mapping[Hashable, float] | None = None,
) -> list[int]:
    """Places of the items in an order of which every beginning is a stratified draw.

    Args:
        items: what is drawn from.
        stratum: which stratum an item is of.
        rng: of the draw.
        mode: strata by their share of the items, or as evenly as their sizes allow.
        weights: shares instead of the items' own, such as those of other items; strata that have
            none come last.
    """
    members: dict[Hashable, list[int]] = {}
    for index in rng.permutation(len(items)).tolist():
        members.setdefault(stratum(items[index]), []).append(index)
    least = 1e-9

    def weight(key: Hashable) -> float:
        if weights is not None:
            return max(least, weights.get(key, 0.0))
        return float(len(members[key])) if mode == "proportional" else 1.0

    # The r-th member of a stratum of weight w stands at (r + 1/2) / w of the queue, so any
    # beginning of it has the strata by their weights.
    placed = sorted(
        ((rank + 0.5) / weight(key), place, index)
        for place, (key, indices) in enumerate(members.items())
        for rank, index in enumerate(indices)
    )
    return [index for _, _, index in placed]


def sample(
    items: Sequence[T],
    size: int,
    stratum: Callable[[T], Hashable],
    rng: np.random.Generator,
    mode: StratifyMode = "proportional",
    weights: Mapping[Hashable, float] | None = None,
) -> list[T]:
    """`size` items in their old order; see `queue`."""
    return [items[index] for index in sorted(queue(items, stratum, rng, mode, weights)[:size])]


def sample_by_split(
    items: Sequence[T],
    size: int | Mapping[str, int],
    split: Callable[[T], str],
    stratum: Callable[[T], Hashable],
    rng: np.random.Generator,
    mode: StratifyMode = "proportional",
) -> list[T]:
    """Items in their old order, drawn within each split; a smaller draw is part of a larger one.

    Args:
        items: what is drawn from.
        size: of all splits together, which are thinned alike and keep one item each; or of each
            split by name, where splits that are not named stay whole.
        split: which split an item is of.
        stratum: which stratum inside it.
        rng: of the draw.
        mode: see `queue`.
    """
    places: list[tuple[float, int, int]] = []
    kept: list[int] = []
    for number, name in enumerate(dict.fromkeys(split(item) for item in items)):
        members = [index for index, item in enumerate(items) if split(item) == name]
        order = queue([items[index] for index in members], stratum, rng, mode)
        drawn = [members[place] for place in order]
        if not isinstance(size, int):
            kept += drawn[: size.get(name, len(drawn))]
        # The first of each split comes before all others, so that none comes out empty.
        places += [
            ((rank + 0.5) / len(drawn) if rank else 0.0, number, index)
            for rank, index in enumerate(drawn)
        ]
    if isinstance(size, int):
        kept = [index for _, _, index in sorted(places)[:size]]
    return [items[index] for index in sorted(kept)]
