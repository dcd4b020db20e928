"""Choosing some of many, always the same."""

from __future__ import annotations

import numpy as np


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` of `count` indices, evenly spread and always the same."""
    if wanted <= 0 or count == 0:
        return []
    return sorted({round(place) for place in np.linspace(0, count - 1, min(wanted, count))})
