"""The featurizer contract: lays a performance on the frames of a clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from midigroove_core.clock import FrameClock
from midigroove_core.drums import DrumMap
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.construct import construct

if TYPE_CHECKING:
    from midigroove_core.midi import DrumPerformance


@dataclass(frozen=True)
class Grid:
    """Features of consecutive frames.

    Attributes:
        values: [F, T] float32.
        feature_names: F names, one per row.
        clock: the clock whose frames the columns are.
        start_frame: absolute frame of column 0; may be negative (before the take).
    """

    values: NDArray[np.float32]
    feature_names: tuple[str, ...]
    clock: FrameClock
    start_frame: int

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[0] != len(self.feature_names):
            raise MidigrooveError(
                f"Grid: values have shape {self.values.shape} for "
                f"{len(self.feature_names)} feature names; expected [F, T]"
            )
        if self.values.dtype != np.float32:
            raise MidigrooveError(f"Grid: values are {self.values.dtype}, expected float32")


class GridFeaturizer(ABC):
    """Turns a performance into a grid on any codec's clock; it never sees the codec.

    Column i of `featurize(p, clock, a, n)` equals column i + (a - b) of `featurize(p, clock, b, m)`
    wherever both exist: what a frame shows does not depend on the clip it is seen through.
    """

    featurizer_id: ClassVar[str]

    drum_map: DrumMap | None = None
    """How it reads pitches, which `render` follows; None: as a Roland TD plays them."""

    @property
    @abstractmethod
    def feature_names(self) -> tuple[str, ...]:
        """F row names, such as `onset/kick`."""

    @abstractmethod
    def featurize(
        self, performance: DrumPerformance, clock: FrameClock, start_frame: int, num_frames: int
    ) -> Grid:
        """Rows for frames [start_frame, start_frame + num_frames) -> values [F, T] float32."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON; equal configs mean equal featurizers."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds a featurizer from `get_config()`.

        Raises:
            MidigrooveError: an unknown argument.
        """
        return construct(cls, config, f"featurizer {cls.featurizer_id}")
