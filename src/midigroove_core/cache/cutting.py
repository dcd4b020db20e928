"""Where a take is cut into windows, in seconds; without torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance

LEAD_SEC = 0.1
"""How long before the beat a clip begins."""


@dataclass(frozen=True)
class Cutting:
    """How takes are cut: windows of quarter notes by the performance's own tempo, or of seconds.

    Windows follow each other without gaps or overlaps unless a hop says otherwise. A window of
    beats begins `lead_sec` before its beat, the first one at the start of the take; a window of
    seconds follows no beat.

    Attributes:
        beats: length in quarter notes.
        hop_beats: from the beginning of a window to that of the next; 0 is its length.
        lead_sec: how long before the beat a window begins.
        window_sec: length in seconds, instead of beats.
        hop_sec: the hop of these; 0 is their length.

    Raises:
        InputError: `beats` is not positive, or another is negative.
    """

    beats: int = 4
    hop_beats: int = 0
    lead_sec: float = LEAD_SEC
    window_sec: float = 0.0
    hop_sec: float = 0.0

    def __post_init__(self) -> None:
        if self.beats < 1 or min(self.hop_beats, self.lead_sec, self.window_sec, self.hop_sec) < 0:
            raise InputError(
                f"clips need beats >= 1 and lead_sec >= 0, got {self.beats} and {self.lead_sec}; "
                f"hops and window_sec are not negative"
            )

    def edges(
        self, performance: Callable[[], DrumPerformance], end_sec: float
    ) -> NDArray[np.float64]:
        """Start and end of each window of a take that ends there: [N, 2] seconds.

        The last ones may reach beyond the end.
        """
        if self.window_sec:
            hop_sec = self.hop_sec or self.window_sec
            starts = hop_sec * np.arange(max(1, math.ceil(end_sec / hop_sec)))
            return np.stack([starts, starts + self.window_sec], axis=1)
        played, hop = performance(), self.hop_beats or self.beats
        last_beat = float(played.seconds_to_beats(end_sec + self.lead_sec))
        first = hop * np.arange(max(1, math.ceil(last_beat / hop)))
        edges = played.beats_to_seconds(np.stack([first, first + self.beats], axis=1))
        return np.maximum(edges - self.lead_sec, 0.0)
