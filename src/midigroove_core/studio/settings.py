"""What the page asks for: settings of a slot and of a render, as typed JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from midigroove_core.errors import InputError
from midigroove_core.kits.sampler import STEMS
from midigroove_core.performance import DrumPerformance
from midigroove_core.touch import Humanize, Swing, Touch, VelocityCurve

MOST_HITS = 20_000
LOWEST_DB, HIGHEST_DB = -40.0, 12.0

Sec = Annotated[float, msgspec.Meta(ge=0.0, le=12 * 3600.0)]
Pitch = Annotated[int, msgspec.Meta(ge=0, le=127)]
Velocity = Annotated[int, msgspec.Meta(ge=1, le=127)]
Hit = tuple[Sec, Pitch, Velocity]
"""Onset in seconds, pitch, velocity."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a slot sounds.

    Attributes:
        engine: as `RenderConfig` has it.
        kit: by name; None takes the engine's own first.
        like: id of a recording that was uploaded, instead of a kit.
        temperature: of the draw; model.
        seed: of all that is drawn: codes, and the luck of hits.
        stereo: from where the kit is heard; None is mono, or as the codec has it.
        vary: sampler: hits take turns on made versions of the one-shots.
        swing, swing_notes: see `touch.Swing`.
        curve: power of the velocity curve, see `touch.VelocityCurve`.
        humanize_ms, humanize_velocity: see `touch.Humanize`.
        levels: group of drums -> dB; those that are not named are at 0.
        muted, soloed: groups of drums; where any is soloed, the others are silent.
    """

    engine: Literal["model", "sampler"] = "sampler"
    kit: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    like: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0.0, le=4.0)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    stereo: Literal["audience", "drummer"] | None = None
    vary: bool = False
    swing: Annotated[float, msgspec.Meta(ge=50.0, le=75.0)] = 50.0
    swing_notes: Literal[8, 16] = 16
    curve: Annotated[float, msgspec.Meta(ge=0.25, le=4.0)] = 1.0
    humanize_ms: Annotated[float, msgspec.Meta(ge=0.0, le=100.0)] = 0.0
    humanize_velocity: Annotated[float, msgspec.Meta(ge=0.0, le=64.0)] = 0.0
    levels: dict[str, Annotated[float, msgspec.Meta(ge=LOWEST_DB, le=HIGHEST_DB)]] = {}
    muted: tuple[str, ...] = ()
    soloed: tuple[str, ...] = ()

    def touched(self, performance: DrumPerformance) -> DrumPerformance:
        """The performance as it is to be played; as long as it was."""
        touch = Touch(
            Swing(self.swing, self.swing_notes) if self.swing > 50.0 else None,
            VelocityCurve(self.curve) if self.curve != 1.0 else None,
            Humanize(self.humanize_ms, self.humanize_velocity)
            if self.humanize_ms or self.humanize_velocity
            else None,
        )
        return replace(touch.apply(performance, self.seed), end_sec=performance.end_sec)

    def recording(self, recordings: Mapping[str, Path]) -> Path | None:
        """The recording to sound like, of those by id; None for a kit.

        Raises:
            InputError: it was forgotten.
        """
        if self.like is None:
            return None
        if self.like not in recordings:
            raise InputError("that recording is gone; drop it again")
        return recordings[self.like]

    def gains(self) -> dict[str, float]:
        """Group -> factor of its amplitude, 0 where it is not to be heard.

        Raises:
            InputError: no such group.
        """
        for name in (*self.levels, *self.muted, *self.soloed):
            if name not in STEMS:
                raise InputError(f"no group of drums {name!r}; there are {', '.join(STEMS)}")
        return {
            name: 0.0
            if name in self.muted or (self.soloed and name not in self.soloed)
            else 10 ** (self.levels.get(name, 0.0) / 20)
            for name in STEMS
        }


class Redraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which seconds to draw anew, and with which seed."""

    start_sec: Sec
    stop_sec: Sec
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class RenderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A render that the page asks for.

    Attributes:
        slot: which of the two settings that are compared.
        settings: of the slot.
        hits: what is played now; None plays what was played before.
        redraw: draw this part of the slot's take anew and keep the rest; model.
        drum_map: by which the file is read; None leaves it as it is.
        draw: go back to what a model has drawn for a take that had this as its `draw`.
    """

    slot: Literal["a", "b"] = "a"
    settings: Settings = Settings()
    hits: Annotated[list[Hit], msgspec.Meta(max_length=MOST_HITS)] | None = None
    redraw: Redraw | None = None
    drum_map: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    draw: int | None = None
