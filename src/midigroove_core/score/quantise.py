"""A performance on the grid of a score: bars, beats, and the nearest place of each hit.

Times are ticks of 1/24 quarter note: 32nd notes and triplets of 16ths are whole numbers of them.
Each beat is divided as its hits lie: by 16ths, by triplets of eighths, by 32nds, or by triplets of
16ths, the plainer one where they do as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance

TICKS = 24
"""Of a quarter note."""

GRIDS: Mapping[str, tuple[int, ...]] = {
    "auto": (6, 8, 3, 4), "8": (12,), "16": (6,), "32": (3,), "8t": (8,), "16t": (4,),
}  # fmt: skip
"""Name -> ticks of the divisions that a beat may have, the plainest first."""

_COST_SEC = {12: 0.0, 6: 0.0, 8: 0.006, 3: 0.012, 4: 0.015}
"""A division is taken only if it brings hits nearer by so much on average: drummers are not exact,
and a page of 32nd rests is no help to the one who reads it."""
_MERGED_SEC = 0.4
"""What a hit that would fall together with another of its pitch counts as being moved."""

_EXACT = 1e-3
"""Ticks: hits that lie on a division so exactly were written on it, and stay."""

FLAM_SEC = (0.005, 0.045)
"""A hit so long before a louder one of its pitch, and less than a 32nd note, is a grace note."""
_FLAM_LEVEL = 0.9
"""... if its velocity is below this share of the louder one's."""


@dataclass(frozen=True)
class WrittenHit:
    """One notehead: its drum, how loud, and the grace notes (velocities) that lead to it."""

    pitch: int
    velocity: int
    graces: tuple[int, ...] = ()


@dataclass(frozen=True)
class WrittenBar:
    """One bar.

    Attributes:
        meter: numerator and denominator.
        start: ticks from the beginning of the score.
        length: ticks; an upbeat or a bar that another meter cuts off is shorter than its meter.
        beats: ticks of each beat, which add up to `length`.
        hits: ticks from the bar's start -> the hits there, by pitch.
        tempi: ticks from the bar's start -> quarter notes a minute from there.
    """

    meter: tuple[int, int]
    start: int
    length: int
    beats: tuple[int, ...]
    hits: Mapping[int, Sequence[WrittenHit]] = field(default_factory=dict)
    tempi: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rounding:
    """What notation could not say.

    Attributes:
        num_hits: hits of the performance.
        num_graces: of them written as grace notes.
        num_merged: hits that fell together with another of their pitch; the louder is written.
        mean_ms, max_ms: how far hits were moved, grace notes apart.
        num_pedal: pedal positions (CC4), which no notation has.
    """

    num_hits: int
    num_graces: int
    num_merged: int
    mean_ms: float
    max_ms: float
    num_pedal: int

    def to_json(self) -> dict[str, float]:
        """Plain numbers."""
        return dict(vars(self))


def quantise(
    performance: DrumPerformance, *, grid: str = "auto"
) -> tuple[list[WrittenBar], Rounding]:
    """The bars of a performance, and what was rounded.

    Raises:
        InputError: an unknown grid, or a performance without hits.
    """
    if grid not in GRIDS:
        raise InputError(f"grid: no grid {grid!r}; use {', '.join(GRIDS)}")
    if performance.num_hits == 0:
        raise InputError("the performance has no hits to write")
    main, graces = _flams(performance)
    beats = performance.seconds_to_beats(performance.onset_sec)[main] * TICKS
    bars = _bars(performance, last=float(beats.max()))
    ticks = _nearest(performance, beats, performance.pitch[main], bars, GRIDS[grid])
    written: dict[int, dict[int, WrittenHit]] = {}
    for index, tick in zip(main.tolist(), ticks.tolist(), strict=True):
        pitch, velocity = int(performance.pitch[index]), int(performance.velocity[index])
        hit = WrittenHit(pitch, velocity, graces.get(index, ()))
        others = written.setdefault(tick, {})
        if pitch not in others or others[pitch].velocity < velocity:
            others[pitch] = hit
    moved = performance.beats_to_seconds(ticks / TICKS) - performance.onset_sec[main]
    rounding = Rounding(
        num_hits=performance.num_hits,
        num_graces=performance.num_hits - len(main),
        num_merged=len(main) - sum(len(hits) for hits in written.values()),
        mean_ms=round(float(np.abs(moved).mean()) * 1e3, 3),
        max_ms=round(float(np.abs(moved).max()) * 1e3, 3),
        num_pedal=len(performance.cc4_sec),
    )
    return [_filled(bar, written, performance) for bar in bars], rounding


def _flams(performance: DrumPerformance) -> tuple[np.ndarray, dict[int, tuple[int, ...]]]:
    """Indices of the hits that are no grace notes, and velocities of the graces before them."""
    leads_to: dict[int, int] = {}
    before: dict[int, int] = {}  # pitch -> the last hit
    for index, pitch in enumerate(performance.pitch.tolist()):
        first = before.get(pitch)
        before[pitch] = index
        if first is None:
            continue
        apart = performance.onset_sec[index] - performance.onset_sec[first]
        shortest = 0.95 * 60.0 / 8 / performance.bpm_at(performance.onset_sec[index])
        softer = performance.velocity[first] < _FLAM_LEVEL * performance.velocity[index]
        chained = first in leads_to.values()
        equal = performance.velocity[first] <= performance.velocity[index]
        if FLAM_SEC[0] <= apart <= min(FLAM_SEC[1], shortest) and (softer or (chained and equal)):
            leads_to[first] = index
    graces: dict[int, tuple[int, ...]] = {}
    for first in sorted(leads_to):
        last = first
        while last in leads_to:
            last = leads_to[last]
        graces[last] = (*graces.get(last, ()), int(performance.velocity[first]))
    main = [index for index in range(performance.num_hits) if index not in leads_to]
    return np.array(main, dtype=np.int64), graces


def _bars(performance: DrumPerformance, *, last: float) -> list[WrittenBar]:
    """Empty bars up to the one after the last hit's place (ticks); boundaries on 32nd notes."""
    starts = [round(beat * TICKS / 3) * 3 for beat in performance.meter_beats.tolist()]
    meters = list(
        zip(
            performance.meter_numerator.tolist(),
            performance.meter_denominator.tolist(),
            strict=True,
        )
    )
    bars: list[WrittenBar] = []
    for index, (start, meter) in enumerate(zip(starts, meters, strict=True)):
        end = starts[index + 1] if index + 1 < len(starts) else None
        whole = max(TICKS * 4 * meter[0] // meter[1], 3)
        while (start < end) if end is not None else (start <= last + 3 or not bars):
            length = whole if end is None else min(whole, end - start)
            if start + length > 0:
                begin = max(start, 0)
                bars.append(_bar(meter, begin, start + length - begin, whole))
            start += length
    return bars


def _bar(meter: tuple[int, int], start: int, length: int, whole: int) -> WrittenBar:
    """A bar in its beats: quarters, dotted quarters in 6/8 and its kin, else eighths."""
    top, bottom = meter
    beat = TICKS if bottom <= 4 else TICKS * 4 // bottom * (3 if top % 3 == 0 else 1)
    beats: list[int] = []
    place = whole - length  # an upbeat keeps the places of its beats
    while place < whole:
        step = min(beat - place % beat, whole - place)
        beats.append(step)
        place += step
    return WrittenBar(meter, start, length, tuple(beats))


def _nearest(
    performance: DrumPerformance,
    places: np.ndarray,
    pitches: np.ndarray,
    bars: Sequence[WrittenBar],
    divisions: Sequence[int],
) -> np.ndarray:
    """The tick of each hit."""
    edges = [bar.start + sum(bar.beats[:i]) for bar in bars for i in range(len(bar.beats))]
    lengths = [beat for bar in bars for beat in bar.beats]
    cell = np.maximum(np.searchsorted(np.array(edges), places, side="right") - 1, 0)
    ticks = np.zeros(len(places), dtype=np.int64)
    for index in np.unique(cell):
        hits = cell == index
        inside, length = places[hits] - edges[index], lengths[index]
        start_sec = performance.beats_to_seconds(edges[index] / TICKS)
        second = 60.0 / float(performance.bpm_at(start_sec))
        usable = [d for d in divisions if length % d == 0] or [3]
        usable = [d for d in usable if d % 4 or length == TICKS] or [3]

        def cost(division: int, inside=inside, hits=hits, second=second) -> float:  # type: ignore[no-untyped-def]
            near = np.rint(inside / division) * division
            together = len(near) - len(set(zip(near.tolist(), pitches[hits].tolist(), strict=True)))
            moved = float(np.abs(near - inside).sum()) / TICKS * second
            return (moved + together * _MERGED_SEC) / len(near) + _COST_SEC[division]

        exact = [d for d in usable if np.abs(np.rint(inside / d) * d - inside).max() < _EXACT]
        best = exact[0] if exact else min(usable, key=cost)
        ticks[hits] = edges[index] + np.rint(inside / best).astype(np.int64) * best
    return ticks


def _filled(
    bar: WrittenBar, written: Mapping[int, Mapping[int, WrittenHit]], performance: DrumPerformance
) -> WrittenBar:
    end = bar.start + bar.length
    hits = {
        tick - bar.start: [written[tick][pitch] for pitch in sorted(written[tick])]
        for tick in sorted(written)
        if bar.start <= tick < end
    }
    tempi = {
        round(beat * TICKS) - bar.start: bpm
        for beat, bpm in zip(
            performance.tempo_beats.tolist(), performance.tempo_bpm.tolist(), strict=True
        )
        if bar.start <= round(beat * TICKS) < end
    }
    return WrittenBar(bar.meter, bar.start, bar.length, bar.beats, hits, tempi)
