"""The metric contract: a figure of one clip, beside those that core has.

This module imports no torch; implementations should import what is heavy inside their methods or
constructor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from midigroove_core.performance import DrumPerformance


class Metric(ABC):
    """One number per clip and row, for tables, intervals and paired tests.

    It is made without arguments, once per evaluation, and asked for every row, from silence to the
    recording itself. What it says of a clip depends on that clip alone.

    Attributes:
        metric_id: registry id, and the column of clips.csv, such as `spectral_flatness`.
        label: for heads of tables.
        unit: "" for plain numbers.
        better: which way is better; "zero" means nearest to zero.
        note: what it measures, in one sentence.
    """

    metric_id: ClassVar[str]
    label: ClassVar[str]
    unit: ClassVar[str] = ""
    better: ClassVar[Literal["higher", "lower", "zero"]]
    note: ClassVar[str]

    @abstractmethod
    def measure(
        self,
        audio: NDArray[np.float32],
        reference: NDArray[np.float32],
        sample_rate: int,
        performance: DrumPerformance,
    ) -> float:
        """The figure of one clip.

        Args:
            audio: what a row plays, mono `[S]`.
            reference: the recording of the same stretch, or the oracle in its place, mono `[S]`.
            sample_rate: of both, in Hz.
            performance: the hits of the clip, in seconds from its start.

        Returns:
            A number; NaN where the figure is undefined, which leaves the clip out of its means.
        """
