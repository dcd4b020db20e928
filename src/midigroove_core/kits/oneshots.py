"""Kits as arrays: one-shots in velocity layers, what a velocity plays, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import soxr
from numpy.typing import NDArray

from midigroove_core.drums import ARTICULATIONS

Audio = NDArray[np.float32]

SAMPLE_RATE = 44_100
"""Rate at which kits are stored and loaded."""

FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "kick": (),
    "snare": ("rimshot",), "rimshot": ("snare",), "xstick": ("rimshot", "snare"),
    "tom_high": ("tom_mid", "tom_low"), "tom_mid": ("tom_low", "tom_high"),
    "tom_low": ("tom_mid", "tom_high"),
    "hat_closed": ("hat_pedal", "hat_open"), "hat_pedal": ("hat_closed", "hat_open"),
    "hat_open": ("hat_closed", "hat_pedal"),
    "crash_1": ("crash_2", "splash_china", "ride"), "crash_2": ("crash_1", "splash_china", "ride"),
    "splash_china": ("crash_1", "crash_2", "ride"),
    "ride": ("ride_bell", "crash_1", "crash_2"), "ride_bell": ("ride", "crash_1", "crash_2"),
    "other": (),
}  # fmt: skip
"""What a kit plays for an articulation that it lacks: the first of these that it has.

An articulation that neither the kit nor its fallbacks have stays silent (`Kit.silent`).
"""

VELOCITY_POWER = 2.0
"""Amplitude ~ velocity^2 below a layer's own velocity: SoundFont 2.01's curve (40 log10, in dB)."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A one-shot as it sounds at `max_velocity`, used up to that velocity.

    Attributes:
        audio: [S], or [2, S] in kits that were loaded in stereo.
        alternates: further recordings of the same hit; hits take turns (`round_robin`).
    """

    max_velocity: int
    audio: Audio
    alternates: tuple[Audio, ...] = ()

    def map(self, change: Callable[[Audio], Audio]) -> Layer:
        """This layer with all of its recordings changed alike."""
        return Layer(
            self.max_velocity, change(self.audio), tuple(change(x) for x in self.alternates)
        )


def _energy(audio: Audio) -> float:
    """The mean over channels."""
    return float(np.square(audio, dtype=np.float64).sum()) / (len(audio) if audio.ndim > 1 else 1)


@dataclass(frozen=True, eq=False)
class Voice:
    """Layers by rising velocity, and what each velocity 0..127 plays of them.

    The level in dB runs straight in log(velocity) from each layer's own level at its `max_velocity`
    to the next one's, and by `VELOCITY_POWER` below the first and above the last. A layer that is
    weaker than a softer one is raised to it, so energy never falls as velocity grows. A layer's
    level is the mean over its alternates, which keep their differences.
    """

    layers: Sequence[Layer]

    @cached_property
    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        tops = np.array([layer.max_velocity for layer in self.layers], dtype=np.float64)
        energies = [
            np.mean(
                [np.square(x, dtype=np.float64).sum() for x in (layer.audio, *layer.alternates)]
            )
            for layer in self.layers
        ]
        own_db = 10 * np.log10(np.maximum(energies, 1e-20))
        wanted_db = np.maximum.accumulate(own_db)
        velocity = np.maximum(np.arange(128), 1).astype(np.float64)
        index = np.minimum(np.searchsorted(tops, velocity), len(tops) - 1)
        level_db = np.interp(np.log(velocity), np.log(tops), wanted_db)
        slope = 20 * VELOCITY_POWER
        level_db += slope * np.minimum(0.0, np.log10(velocity / tops[0]))
        level_db += slope * np.maximum(0.0, np.log10(velocity / tops[-1]))
        return index, 10 ** ((level_db - own_db[index]) / 20)

    def at(self, velocity: int, turn: int = 0) -> tuple[Audio, float]:
        """The one-shot to play and its gain; `turn` 1 is the layer's first alternate."""
        index, gain = self._table
        layer = self.layers[index[velocity]]
        audio = layer.alternates[turn - 1] if turn else layer.audio
        return audio, float(gain[velocity])

    def layer(self, velocity: int) -> Layer:
        """What is played at a velocity."""
        return self.layers[self._table[0][velocity]]


@dataclass(frozen=True, eq=False)
class Kit:
    """One-shots at one sample rate; `at_rate` gives, and keeps, the same kit at another.

    Attributes:
        name: id of a built-in kit, or the name of the folder or SoundFont.
        articulations: articulation -> layers by rising velocity.
        variants: articulation -> pitch -> layers, for pitches that sound otherwise than their
            articulation (a second high tom, each percussion of "other").
        unread: what lies in a kit's folder and is no one-shot of it, by name.
        read_as: files of a folder whose names are not of the exact form, and what they were read
            as: "OpenHat.wav: hat_open".
    """

    name: str
    articulations: Mapping[str, list[Layer]]
    variants: Mapping[str, Mapping[int, list[Layer]]] = field(default_factory=dict)
    sample_rate: int = SAMPLE_RATE
    license: str = "unknown"
    source: str = ""
    unread: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()
    _rates: dict[int, Kit] = field(default_factory=dict, repr=False, init=False)
    _voices: dict[tuple[str, int], Voice | None] = field(
        default_factory=dict, repr=False, init=False
    )

    def voice(self, articulation: str, pitch: int) -> Voice | None:
        """What a hit plays: the pitch's own layers, the articulation's, or a fallback's."""
        key = (articulation, pitch)
        if key not in self._voices:
            layers = self.variants.get(articulation, {}).get(pitch)
            name = self.played_as(articulation, pitch)
            if layers is None and name is not None:
                layers = self.articulations[name]
            self._voices[key] = Voice(layers) if layers else None
        return self._voices[key]

    def played_as(self, articulation: str, pitch: int) -> str | None:
        """The articulation whose one-shots a hit plays; None where it is silent."""
        if self.variants.get(articulation, {}).get(pitch):
            return articulation
        names = (articulation, *FALLBACKS[articulation])
        return next((name for name in names if self.articulations.get(name)), None)

    @property
    def silent(self) -> list[str]:
        """Articulations that make no sound on this kit."""
        return [name for name in ARTICULATIONS if self.voice(name, -1) is None]

    @property
    def has_alternates(self) -> bool:
        """Whether hits take turns on any of its layers."""
        pitched = (layers for by_pitch in self.variants.values() for layers in by_pitch.values())
        every = (*self.articulations.values(), *pitched)
        return any(layer.alternates for layers in every for layer in layers)

    def map(self, change: Callable[[Layer], Layer]) -> Kit:
        """This kit with all of its layers changed."""
        return replace(
            self,
            articulations={n: [change(x) for x in v] for n, v in self.articulations.items()},
            variants={
                name: {pitch: [change(x) for x in v] for pitch, v in by_pitch.items()}
                for name, by_pitch in self.variants.items()
            },
        )

    def at_rate(self, sample_rate: int) -> Kit:
        """This kit resampled (soxr HQ); made once for each rate."""
        if sample_rate == self.sample_rate:
            return self
        if sample_rate not in self._rates:
            done: dict[int, Audio] = {}  # drums share recordings

            def resampled(audio: Audio) -> Audio:
                if id(audio) not in done:
                    # soxr wants [S] or [S, C]
                    done[id(audio)] = soxr.resample(audio.T, self.sample_rate, sample_rate).T
                return done[id(audio)]

            kit = self.map(lambda layer: layer.map(resampled))
            self._rates[sample_rate] = replace(kit, sample_rate=sample_rate)
        return self._rates[sample_rate]
