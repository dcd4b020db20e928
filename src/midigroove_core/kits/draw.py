"""Draws that recipes are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Draw:
    """Numbers of a seed, rounded so that a recipe is the same when it was written and read."""

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def between(self, low: float, high: float) -> float:
        return round(low + (high - low) * float(self._rng.random()), 3)

    def log_between(self, low: float, high: float) -> float:
        return round(low * (high / low) ** float(self._rng.random()), 4)

    def below(self, count: int) -> int:
        return int(self._rng.integers(count))

    def chance(self, probability: float) -> bool:
        return bool(self._rng.random() < probability)

    def pick(self, names: Sequence[str]) -> str:
        return names[self.below(len(names))]
