"""What every row gives for a batch of clips: codes' likelihoods, sound, or both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.scorecard.rows import Row

Audio = NDArray[np.float32]
"""`[C, S]`: a row has the channels that it has, and is scored as `audio.downmix` mixes them."""


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """Clips that are played together.

    Attributes:
        number: of the batch, from 0.
        clips: its clips.
        references: clip index -> what it is compared with; empty when only codes are scored. Of a
            clip without one nothing is heard.
        recorded: clip index -> the recording `[C, S]` itself; empty where there are none.
    """

    number: int
    clips: tuple[EvalClip, ...]
    references: dict[int, AudioFeatures] = field(default_factory=dict)
    recorded: dict[int, Audio] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CodesSeen:
    """How well a row foresaw the true codes of a clip.

    Attributes:
        true: `[K, T]`.
        nll: nats per code `[K]`.
        accuracy: share of codes guessed right `[K]`; None for rows that do not guess.
        frame_rate: frames per second.
    """

    true: NDArray[np.integer]
    nll: NDArray[np.float64]
    accuracy: NDArray[np.float64] | None
    frame_rate: Fraction


@dataclass(frozen=True, eq=False)
class Played:
    """What a row made of one clip.

    Attributes:
        row: who plays.
        clip: what is played.
        codes: None for rows without a likelihood.
        audio: `[C, S]` at the evaluation's rate; None where there is nothing to hear.
        draw: which of the row's draws this is; codes are seen in the first alone.
    """

    row: Row
    clip: EvalClip
    codes: CodesSeen | None = None
    audio: Audio | None = None
    draw: int = 0


class RowSource(ABC):
    """Plays clips.

    Attributes:
        row: its line in the tables.
    """

    row: Row

    @abstractmethod
    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """Codes and sound of the batch's clips; what fails is noted and costs no other clip."""
