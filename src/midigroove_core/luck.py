"""Luck of single hits: numbers that depend on a seed and on the hit, and on no other hit.

A generator that is asked hit by hit would give every later hit another number when one is added or
moved. Here a hit keeps its luck whatever is edited around it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS_PER_SEC = 1e6


def hit_luck(
    onset_sec: NDArray[np.float64], pitch: NDArray[np.int64], *, seed: int, stream: int
) -> NDArray[np.float64]:
    """A number in (0, 1) for each hit.

    Args:
        onset_sec, pitch: [N] of the hits; times are told apart to a microsecond.
        seed: another one is other luck.
        stream: what it is for; streams of one hit have nothing to do with each other.

    Returns:
        [N], uniform.
    """
    steps = np.rint(onset_sec * _STEPS_PER_SEC).astype(np.int64).astype(np.uint64)
    mixed = np.full(len(steps), np.uint64(seed), dtype=np.uint64)
    for part in (np.uint64(stream), steps, pitch.astype(np.uint64)):
        mixed = _scrambled(mixed ^ part)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def normal_luck(
    onset_sec: NDArray[np.float64], pitch: NDArray[np.int64], *, seed: int, stream: int
) -> NDArray[np.float64]:
    """As `hit_luck`, normal with mean 0 and standard deviation 1, but within 2.5 of it."""
    radius = hit_luck(onset_sec, pitch, seed=seed, stream=2 * stream)
    turn = hit_luck(onset_sec, pitch, seed=seed, stream=2 * stream + 1)
    drawn = np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * turn)
    return np.clip(drawn, -2.5, 2.5)


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (https://doi.org/10.1145/2714064.2660195): each bit depends on all."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
