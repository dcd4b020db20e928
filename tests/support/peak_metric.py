"""A metric for tests, and what a broken one may do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core import DrumPerformance, Metric


class PeakRatio(Metric):
    """How loud the loudest sample is, beside the reference's."""

    metric_id = "peak_ratio"
    label = "Peak"
    unit = "dB"
    better = "zero"
    note = "Above 0: too loud at its loudest."

    def measure(
        self,
        audio: NDArray[np.float32],
        reference: NDArray[np.float32],
        sample_rate: int,
        performance: DrumPerformance,
    ) -> float:
        peaks = [max(float(np.abs(x).max()), 1e-4) for x in (audio, reference)]
        audio *= 0  # it may spoil its own copies
        return 20 * float(np.log10(peaks[0] / peaks[1]))


class Broken(PeakRatio):
    """Takes the program along with it, if it can."""

    metric_id = "broken"

    def measure(
        self,
        audio: NDArray[np.float32],
        reference: NDArray[np.float32],
        sample_rate: int,
        performance: DrumPerformance,
    ) -> float:
        raise SystemExit(f"no licence for {sample_rate} Hz\nand more")


class Undefined(Broken):
    """Has nothing to say."""

    metric_id = "undefined"

    def measure(
        self,
        audio: NDArray[np.float32],
        reference: NDArray[np.float32],
        sample_rate: int,
        performance: DrumPerformance,
    ) -> float:
        return float("nan")
