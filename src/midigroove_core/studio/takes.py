"""Takes: what a slot sounds like, while it is drawn and then, and what an edit changed of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.loudness import LoudnessMeter
from midigroove_core.performance import DrumPerformance
from midigroove_core.rendering.config import Rendered
from midigroove_core.rendering.polish import begun_at_zero
from midigroove_core.studio.settings import Settings


@dataclass(frozen=True, eq=False)
class Take:
    """A render of a slot.

    Attributes:
        number: counts the takes of all songs; another take has another.
        settings: what it was rendered with.
        heard: what was played: the hits with their touch.
        sample_rate: samples per second.
        audio: [C, S] as it is heard: at its levels, below full scale.
        drawn: what the model gave, to go on from when a part changes; None from the sampler.
        draw: which of the things that a model has drawn; takes that have one share its codes.
        lines: what there is to say about it.
    """

    number: int
    settings: Settings
    heard: DrumPerformance
    sample_rate: int
    audio: NDArray[np.float32]
    drawn: Rendered | None = None
    draw: int | None = None
    lines: tuple[str, ...] = ()

    def lufs(self) -> float:
        """Integrated loudness."""
        meter = LoudnessMeter(self.sample_rate, len(self.audio))
        meter.add(self.audio)
        return meter.lufs


class Growing:
    """A take while it is drawn: what of it can be heard.

    Args:
        channels, num_samples, sample_rate: of the whole.

    Attributes:
        audio: [C, S], zero from `known` on.
        known: so many samples are there.
    """

    def __init__(self, channels: int, num_samples: int, sample_rate: int) -> None:
        self.audio = np.zeros((channels, num_samples), dtype=np.float32)
        self.sample_rate, self.known = sample_rate, 0

    def add(self, block: NDArray[np.float32]) -> tuple[int, int]:
        """Takes the next samples [C, n], kept within full scale; gives the first and the end."""
        first, self.known = self.known, min(self.known + block.shape[1], self.audio.shape[1])
        part = block[:, : self.known - first]
        part = begun_at_zero(part, self.sample_rate) if first == 0 else part
        self.audio[:, first : self.known] = np.clip(part, -1.0, 1.0)
        return first, self.known


def changed_samples(before: Take | None, after: Take) -> tuple[int, int]:
    """First and last (exclusive) sample in which two takes differ; all, where they do not fit."""
    samples = after.audio.shape[1]
    if (
        before is None
        or before.audio.shape != after.audio.shape
        or before.sample_rate != after.sample_rate
    ):
        return 0, samples
    different = np.flatnonzero((before.audio != after.audio).any(axis=0))
    return (int(different[0]), int(different[-1]) + 1) if len(different) else (0, 0)


def changed_span(before: DrumPerformance, after: DrumPerformance) -> tuple[float, float] | None:
    """From the first to the last time at which two performances have other hits; None if equal."""
    rows = [
        set(zip(p.onset_sec.tolist(), p.pitch.tolist(), p.velocity.tolist(), strict=True))
        for p in (before, after)
    ]
    times = [row[0] for row in rows[0] ^ rows[1]]
    return (min(times), max(times)) if times else None
