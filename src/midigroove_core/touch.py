"""`Touch`: how a performance is played: swung, looser, harder or softer.

    looser = Touch(humanize=Humanize(time_ms=8, velocity=6)).apply(performance, seed=3)

Each part is a pure function of a performance. The same seed gives the same performance, and a hit
keeps its luck when others are added, moved or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np

from midigroove_core import bounds
from midigroove_core.errors import InputError, nearest
from midigroove_core.luck import normal_luck
from midigroove_core.performance import DrumPerformance, Floats, Ints

_TIME, _VELOCITY = 1, 2
_PAIRS_PER_BAR_END = 1e-6
_PAIR_BEATS = {8: 1.0, 16: 0.5}


@dataclass(frozen=True)
class Humanize:
    """Small differences from hit to hit, normal, at most 2.5 standard deviations.

    Attributes:
        time_ms: standard deviation of the onsets, in milliseconds.
        velocity: standard deviation of the velocities, in steps of 127.
    """

    time_ms: float = 0.0
    velocity: float = 0.0

    def __post_init__(self) -> None:
        bounds.HUMANIZE_MS.check("time", self.time_ms)
        bounds.HUMANIZE_VELOCITY.check("velocity", self.velocity)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads "time=8,velocity=6", or one of both.

        Raises:
            InputError: another text, or a number out of its bounds; says what is wrong.
        """
        fields = {"time": "time_ms", "velocity": "velocity"}
        values: dict[str, float] = {}
        for part in text.split(","):
            name, equals, value = (word.strip() for word in part.partition("="))
            if name not in fields or not equals:
                raise InputError(
                    f"humanize: {part.strip()!r} is not time=MILLISECONDS or velocity=STEPS"
                    f"{nearest(name, list(fields))}; write such as time=8,velocity=6"
                )
            values[fields[name]] = _number(f"humanize: {name}", value)
        return cls(**values)


@dataclass(frozen=True)
class Swing:
    """Every second note late.

    Attributes:
        percent: where in a pair of notes the second one lies: 50 is straight, 66.7 a triplet.
        notes: 8 or 16: which notes are swung.
    """

    percent: float = 50.0
    notes: int = 16

    def __post_init__(self) -> None:
        bounds.SWING_PERCENT.check("swing", self.percent)
        if self.notes not in _PAIR_BEATS:
            raise InputError(f"swing: notes are 8 or 16, got {self.notes!r}")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads "58" (16th notes) or "62/8" (8th notes).

        Raises:
            InputError: another text; says what is wrong.
        """
        percent, slash, notes = text.partition("/")
        which = notes.strip().removesuffix("ths").removesuffix("th") if slash else "16"
        if which not in ("8", "16"):
            raise InputError(f"swing: {text!r}: notes are 8 or 16; write such as 58 or 62/8")
        return cls(_number("swing", percent.strip().removesuffix("%")), int(which))


@dataclass(frozen=True)
class VelocityCurve:
    """What becomes of velocities.

    Attributes:
        power: 127 * (velocity / 127) ** power: below 1 soft hits get louder, above 1 softer.
        points: (velocity, what it becomes) by rising velocity, straight between them and level
            outside; instead of a power.
    """

    power: float = 1.0
    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        bounds.CURVE_POWER.check("velocity_curve", self.power)
        for point in self.points:
            for value in point:
                bounds.VELOCITY.check("velocity_curve", value)
        given = [velocity for velocity, _ in self.points]
        if any(after <= before for before, after in zip(given, given[1:], strict=False)):
            raise InputError("velocity_curve: the points must be sorted by velocity, each once")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads a power such as "0.7", or points such as "1=20,64=80,127=120".

        Raises:
            InputError: another text; says what is wrong.
        """
        if "=" not in text:
            return cls(power=_number("velocity_curve", text))
        points = []
        for part in text.split(","):
            velocity, _, becomes = part.partition("=")
            points.append((_number("velocity_curve", velocity), _number("velocity_curve", becomes)))
        return cls(points=tuple(sorted(points)))

    def table(self) -> Floats:
        """[128] what each velocity becomes, 1 to 127; not rounded."""
        velocity = np.arange(128, dtype=np.float64)
        if self.points:
            given, becomes = np.array(self.points, dtype=np.float64).T
            return np.interp(velocity, given, becomes)
        return np.clip(127.0 * (velocity / 127.0) ** self.power, 1.0, 127.0)


_Part = TypeVar("_Part", Humanize, Swing, VelocityCurve)


def read_part(kind: type[_Part], value: object) -> _Part | None:
    """A part of a touch from itself, from a text or a number (see `from_text`), or None.

    Raises:
        InputError: nothing of these.
    """
    if value is None or isinstance(value, kind):
        return value
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return kind.from_text(str(value))
    raise InputError(f"{kind.__name__}: cannot be read from {value!r}; give a text or the class")


@dataclass(frozen=True)
class Touch:
    """Swing, then the velocity curve, then luck; None leaves each as played."""

    swing: Swing | None = None
    velocity_curve: VelocityCurve | None = None
    humanize: Humanize | None = None

    def apply(self, performance: DrumPerformance, seed: int = 0) -> DrumPerformance:
        """The performance played so."""
        if self.swing is not None:
            performance = with_swing(performance, self.swing)
        if self.velocity_curve is not None:
            performance = with_velocity_curve(performance, self.velocity_curve)
        if self.humanize is not None:
            performance = humanized(performance, self.humanize, seed)
        return performance


def with_swing(performance: DrumPerformance, swing: Swing) -> DrumPerformance:
    """The performance swung: time runs slower in the first half of each pair than in the second.

    Pairs are counted from the start of each bar; a note without a partner at a bar's end stays, and
    so does the order of the hits. The pedal and grabs move with the hits.
    """
    pair_beats, late = _PAIR_BEATS[swing.notes], swing.percent / 100.0

    def moved(sec: Floats) -> Floats:
        bar_beats = _bar_beats(performance, sec)
        place = performance.bar_position(sec)[1] * bar_beats
        pair = np.floor(place / pair_beats + _PAIRS_PER_BAR_END)
        inside = np.clip(place / pair_beats - pair, 0.0, 1.0)
        first = inside * 2.0 * late
        second = late + (inside - 0.5) * 2.0 * (1.0 - late)
        swung = np.where(inside < 0.5, first, second)
        whole = (pair + 1.0) * pair_beats <= bar_beats + _PAIRS_PER_BAR_END
        shift_beats = np.where(whole, (swung - inside) * pair_beats, 0.0)
        beats = performance.seconds_to_beats(sec) + shift_beats
        return performance.beats_to_seconds(beats)

    pedal, chokes = moved(performance.cc4_sec), moved(performance.choke_sec)
    touched = replace(performance, cc4_sec=pedal, choke_sec=chokes)
    return touched.played_at(moved(performance.onset_sec), performance.velocity)


def with_velocity_curve(performance: DrumPerformance, curve: VelocityCurve) -> DrumPerformance:
    """The performance with velocities along a curve."""
    return replace(performance, velocity=_velocities(curve.table()[performance.velocity]))


def humanized(performance: DrumPerformance, humanize: Humanize, seed: int = 0) -> DrumPerformance:
    """The performance with each hit a little early or late, harder or softer, by luck.

    A hit is never before time 0. Tempo, pedal and grabs stay where they are.
    """
    onset, pitch = performance.onset_sec, performance.pitch
    shift = normal_luck(onset, pitch, seed=seed, stream=_TIME) * humanize.time_ms / 1000.0
    force = normal_luck(onset, pitch, seed=seed, stream=_VELOCITY) * humanize.velocity
    return performance.played_at(
        np.maximum(onset + shift, 0.0), _velocities(performance.velocity + force)
    )


def _bar_beats(performance: DrumPerformance, sec: Floats) -> Floats:
    """Quarter notes in the bar that each time falls into."""
    beats = performance.seconds_to_beats(sec)
    i = np.searchsorted(performance.meter_beats - 1e-9, beats, side="right") - 1
    i = np.maximum(i, 0)
    return performance.meter_numerator[i] * 4.0 / performance.meter_denominator[i]


def _velocities(values: Floats) -> Ints:
    return np.clip(np.rint(values), 1, 127).astype(np.int64)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name}: {text.strip()!r} is no number") from None
