"""Numbers from people and their files: finite and in their bounds, or refused in one line.

Every bound has a name here; the library checks its arguments by it, and the command line its
options. NaN and infinities lie in no bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from midigroove_core.errors import InputError


@dataclass(frozen=True)
class Bounds:
    """From where to where a number may lie.

    Attributes:
        low, high: least and largest.
        above: `low` itself is not allowed.
        whole: an int, not a float or a bool.
    """

    low: float
    high: float
    above: bool = False
    whole: bool = False

    def check(self, name: str, value: object) -> None:
        """Raises unless a value lies in the bounds.

        Raises:
            InputError: it does not, or is no such number; begins with `name`.
        """
        kinds = int if self.whole else (int, float)
        number = isinstance(value, kinds) and not isinstance(value, bool)
        if number and self._inside(value):  # type: ignore[arg-type]
            return
        long = isinstance(value, int) and value.bit_length() > 128
        shown = "an integer of far more digits" if long else repr(value)
        raise InputError(
            f"{name} must be {self}, got {shown if len(shown) <= 40 else shown[:37] + '...'}"
        )

    def _inside(self, value: float) -> bool:
        # Comparisons with NaN are false; an int is never made a float, which it may be too long for
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.high):
            return f"{kind} {'above' if self.above else 'from'} {self.low:g}"
        first = f"above {_plain(self.low)} up to" if self.above else f"from {_plain(self.low)} to"
        return f"{kind} {first} {_plain(self.high)}"


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


SEED = Bounds(0, 2**63 - 1, whole=True)
COUNT = Bounds(0, 2**31 - 1, whole=True)
AT_LEAST_ONE = Bounds(1, 2**31 - 1, whole=True)
AT_LEAST_TWO = Bounds(2, 2**31 - 1, whole=True)
TEMPO_BPM = Bounds(0, 1000, above=True)
TEMPERATURE = Bounds(0, 1000)
SHARE = Bounds(0, 1)
SHARE_ABOVE_0 = Bounds(0, 1, above=True)
VERSIONS = Bounds(0, 1000, whole=True)
SECONDS = Bounds(0, 12 * 3600)
SECONDS_ABOVE_0 = Bounds(0, 12 * 3600, above=True)
MILLISECONDS = Bounds(0, 10_000)
MINUTES = Bounds(0, 60 * 24 * 366)
BEATS = Bounds(1, 1000, whole=True)
HOP_BEATS = Bounds(0, 1000, whole=True)
SAMPLE_RATE = Bounds(8000, 192_000, whole=True)
SCORED_RATE = Bounds(16_000, 192_000, whole=True)
"""Below 16 kHz cymbals have no band to be heard in."""
CHANNEL = Bounds(1, 16, whole=True)
DECIBELS = Bounds(0, 40)
LUFS = Bounds(-70, 0)
HUMANIZE_MS = Bounds(0, 100)
HUMANIZE_VELOCITY = Bounds(0, 64)
SWING_PERCENT = Bounds(50, 75)
CURVE_POWER = Bounds(0.1, 10)
VELOCITY = Bounds(1, 127)
BARS = Bounds(1, 10_000, whole=True)
COEFFICIENT = Bounds(0, 1_000_000)
LEARNING_RATE = Bounds(0, 10, above=True)
KBIT_PER_SEC = Bounds(0, 10_000, above=True)
"""Bandwidth of a codec."""
WORKERS = Bounds(1, 1024, whole=True)
THREADS = Bounds(0, 1024, whole=True)
