"""The one clock: seconds, samples and codec frames, related by two integers.

A codec's frame rate is `sample_rate / hop_length` and often not a round number (44100 / 512 =
86.1328...). Rounding it, or dividing a frame count by a window's length, drifts by up to 10 ms a
second, so nothing in midigroove stores a frame rate: it stores the two integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.errors import MidigrooveError


@dataclass(frozen=True)
class FrameClock:
    """Frame t covers samples [t * hop_length, (t + 1) * hop_length).

    Attributes:
        sample_rate: samples per second of the codec's audio.
        hop_length: samples per codec frame.
    """

    sample_rate: int
    hop_length: int

    def __post_init__(self) -> None:
        for name in ("sample_rate", "hop_length"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise MidigrooveError(
                    f"FrameClock: {name} must be a positive integer, got {value!r}"
                )

    @property
    def frame_rate(self) -> Fraction:
        """Frames per second, exact."""
        return Fraction(self.sample_rate, self.hop_length)

    def num_frames(self, num_samples: int) -> int:
        """Frames that cover `num_samples` samples: ceil(num_samples / hop_length)."""
        return -(-num_samples // self.hop_length)

    def num_samples(self, num_frames: int) -> int:
        """Samples in `num_frames` whole frames."""
        return num_frames * self.hop_length

    def seconds_to_samples(self, seconds: float) -> int:
        """Nearest sample to a time."""
        return round(seconds * self.sample_rate)

    def seconds_to_frames(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """Times as fractional frame positions; 2.25 is a quarter into frame 2."""
        return np.asarray(seconds, dtype=np.float64) * self.sample_rate / self.hop_length

    def frames_to_seconds(self, frames: ArrayLike) -> NDArray[np.float64]:
        """Fractional frame positions as times."""
        return np.asarray(frames, dtype=np.float64) * self.hop_length / self.sample_rate

    def split(self, seconds: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The frame that a time falls into, and its place in [0, 1) inside that frame.

        A time within a nanosecond below a frame border counts as on the border, so that a time
        made from a frame number goes back to that frame whatever the rounding.
        """
        position = self.seconds_to_frames(seconds)
        frame = np.floor(position + 1e-9 * self.sample_rate / self.hop_length).astype(np.int64)
        return frame, np.clip(position - frame, 0.0, np.nextafter(1.0, 0.0))

    def to_json(self) -> dict[str, int]:
        """The two integers, for configs and headers."""
        return {"sample_rate": self.sample_rate, "hop_length": self.hop_length}
