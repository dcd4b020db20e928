"""Aliases, flatness and speed of the resampler: `python benchmarks/resample.py`.

10 s of steady tones from 44.1 to 16 kHz. A tone above 8 kHz must vanish; what is left of the worst
one is the alias figure. A tone below must keep its level; "edge" is the one at 7.2 kHz. Linear
interpolation, which the baseline used for its training targets, is shown for scale.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample

FROM, TO, SECONDS = 44_100, 16_000, 10
Resampler = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def linear(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """The old way."""
    times = np.arange(round(len(audio) * TO / FROM)) * FROM / TO
    return np.interp(times, np.arange(len(audio)), audio).astype(np.float32)


def level_db(resampler: Resampler, hz: float) -> float:
    """Output level of a tone against its input level."""
    tone = np.sin(2 * np.pi * hz * np.arange(FROM * SECONDS) / FROM).astype(np.float32)
    out = resampler(tone)[TO // 2 : -TO // 2]
    return 10 * float(np.log10(2 * np.mean(np.square(out, dtype=np.float64)) + 1e-20))


def main() -> None:
    """Prints one line a resampler."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, FROM * SECONDS).astype(np.float32)
    for name, resampler in (
        ("audio.resample", lambda x: resample(x, FROM, TO)),
        ("linear", linear),
    ):
        alias = max(level_db(resampler, hz) for hz in (8800, 10000, 12000, 15000, 18000, 21000))
        best = min(_timed(resampler, noise) for _ in range(5))
        print(
            f"{name:15s} worst alias {alias:7.1f} dB   1 kHz {level_db(resampler, 1000):6.2f} dB   "
            f"edge {level_db(resampler, 7200):6.2f} dB   {SECONDS / best:8.0f} x real time"
        )


def _timed(resampler: Resampler, audio: NDArray[np.float32]) -> float:
    start = time.perf_counter()
    resampler(audio)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
