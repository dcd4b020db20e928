"""partitura's parts, and the marks beside them, as one performance: times, tempo, meter, levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance
from midigroove_core.score import levels
from midigroove_core.score.marks import Mark
from midigroove_core.score.partitura_lazy import partitura

_Hit = tuple[float, float, float, int, int]
"""Onset and length in quarter notes, seconds to add, pitch, velocity."""


@dataclass(frozen=True)
class Played:
    """A part whose bars stand in the order of play, and the marks of its notes by id."""

    part: Any
    marks: Mapping[str, Mark]


def to_performance(parts: Sequence[Played]) -> DrumPerformance:
    """All parts as one performance.

    Tempo and meter are those of the first part that has any. Hits of one pitch at one time are one
    hit, the louder. A grace note that would sound before the first moment is left out.

    Raises:
        InputError: no parts.
    """
    if not parts:
        raise InputError("the score has no part for drums")
    hits = [hit for played in parts for hit in _hits(played)]
    tempi = next(filter(None, (_tempi(played.part) for played in parts)), {0.0: 120.0})
    tempi.setdefault(0.0, 120.0 if min(tempi) > 0 else tempi[min(tempi)])
    beats = np.array(sorted(tempi))
    bpm = np.array([tempi[beat] for beat in beats])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(beats) * 60.0 / bpm[:-1])])
    meters = _meters(parts)
    end = max(_quarters(played.part)(played.part.last_point.t) for played in parts)
    empty = DrumPerformance(
        onset_sec=np.zeros(0),
        duration_sec=np.zeros(0),
        pitch=np.zeros(0, dtype=np.int64),
        velocity=np.zeros(0, dtype=np.int64),
        tempo_sec=seconds,
        tempo_beats=beats,
        tempo_bpm=bpm,
    )
    notes = _distinct(empty, hits)
    end_sec = float(empty.beats_to_seconds(end))
    return DrumPerformance(
        onset_sec=notes[:, 0],
        duration_sec=notes[:, 1],
        pitch=notes[:, 2].astype(np.int64),
        velocity=notes[:, 3].astype(np.int64),
        tempo_sec=seconds,
        tempo_beats=beats,
        tempo_bpm=bpm,
        meter_beats=meters[:, 0],
        meter_numerator=meters[:, 1].astype(np.int64),
        meter_denominator=meters[:, 2].astype(np.int64),
        end_sec=max([end_sec, *(notes[:, 0] + notes[:, 1]).tolist()]),
    )


def _distinct(tempo: DrumPerformance, hits: Sequence[_Hit]) -> np.ndarray:
    """[N, 4] onset, duration (both seconds), pitch, velocity, by time and pitch."""
    table = np.array(hits, dtype=np.float64).reshape(-1, 5)
    onset = tempo.beats_to_seconds(table[:, 0])
    duration = tempo.beats_to_seconds(table[:, 0] + table[:, 1]) - onset
    onset = onset + table[:, 2]
    rows = np.column_stack([onset, duration, table[:, 3], table[:, 4]])[onset >= 0]
    rows = rows[np.lexsort((-rows[:, 3], rows[:, 2], rows[:, 0]))]
    same = (np.diff(rows[:, 0]) == 0) & (np.diff(rows[:, 2]) == 0)
    return rows[np.append(True, ~same)[: len(rows)]]


def _hits(played: Played) -> list[_Hit]:
    quarters = _quarters(played.part)
    level = _level(played.part)
    score = partitura().score
    hits: list[_Hit] = []
    for note in played.part.iter_all(score.GenericNote, include_subclasses=True):
        mark = played.marks.get(note.id)
        if mark is None:
            continue
        onset = quarters(note.start.t)
        length = quarters(note.end.t) - onset
        loud = level(note.start.t)
        strokes = max(1, round(mark.strokes * length)) if mark.strokes else 1
        velocity = _velocity(mark, loud)
        for stroke in range(strokes):
            at = onset + stroke * length / strokes
            hits.append((at, length / strokes, 0.0, mark.pitch, velocity))
        hits += _graces(mark, onset, loud)
    return hits


def _graces(mark: Mark, onset: float, loud: float) -> list[_Hit]:
    hits: list[_Hit] = []
    for before, chord in enumerate(reversed(mark.graces), start=1):
        early = -before * levels.FLAM_SEC
        hits += [(onset, 0.0, early, g.pitch, _velocity(g, loud * levels.GRACE)) for g in chord]
    return hits


def _velocity(mark: Mark, loud: float) -> int:
    return mark.velocity or levels.clipped(loud * mark.factor)


def _quarters(part: Any) -> Callable[[int], float]:
    """Quarter notes from the part's start at a place on its timeline, exact to rounding."""
    found = part.quarter_durations()
    starts = np.array([row[0] for row in found], dtype=np.float64)
    divisions = np.array([row[1] for row in found], dtype=np.float64)
    before = np.concatenate([[0.0], np.cumsum(np.diff(starts) / divisions[:-1])])

    def quarters(place: int) -> float:
        i = int(np.searchsorted(starts, place, side="right")) - 1
        return float(before[i] + (place - starts[i]) / divisions[i])

    return quarters


def _tempi(part: Any) -> dict[float, float]:
    """Quarter notes a minute by the quarter note that each tempo starts at."""
    quarters = _quarters(part)
    to_quarters = partitura().utils.music.to_quarter_tempo
    found: dict[float, float] = {}
    last = 0.0
    for tempo in part.iter_all(partitura().score.Tempo):
        bpm = float(to_quarters(tempo.unit or "q", tempo.bpm))
        if bpm > 0 and bpm != last:
            found[quarters(tempo.start.t)] = last = bpm
    return found


def _meters(parts: Sequence[Played]) -> np.ndarray:
    """[Q, 3] quarter note, numerator, denominator; a first bar that is too short is an upbeat."""
    score = partitura().score
    for played in parts:
        quarters = _quarters(played.part)
        meters = [
            [quarters(time.start.t), time.beats, time.beat_type]
            for time in played.part.iter_all(score.TimeSignature)
        ]
        if not meters:
            continue
        if meters[0][0] > 0:
            meters.insert(0, [0.0, 4, 4])
        bars = list(played.part.iter_all(score.Measure))[:1]
        length = meters[0][1] * 4.0 / meters[0][2]
        if bars and bars[0].end is not None and 0 < quarters(bars[0].end.t) < length:
            meters[0][0] = quarters(bars[0].end.t) - length
        return np.array(_without_restated(meters), dtype=np.float64)
    return np.array([[0.0, 4, 4]])


def _without_restated(meters: list[list[float]]) -> list[list[float]]:
    """Only the meters that change something: another meter, or a bar that begins out of turn."""
    kept = meters[:1]
    for meter in meters[1:]:
        bars = (meter[0] - kept[-1][0]) / (kept[-1][1] * 4.0 / kept[-1][2])
        if meter[1:] != kept[-1][1:] or abs(bars - round(bars)) > 1e-9:
            kept.append(meter)
    return kept


def _level(part: Any) -> Callable[[int], float]:
    """The velocity that holds at a place of a part: marks, hairpins, sudden accents."""
    score = partitura().score
    constant: dict[int, float] = {0: levels.START_LEVEL}
    sudden: dict[int, float] = {}
    for mark in part.iter_all(score.ConstantLoudnessDirection):
        constant[mark.start.t] = levels.LEVELS.get(mark.text, levels.START_LEVEL)
    for sound in part.iter_all(score.Dynamic):
        constant[sound.start.t] = sound.velocity * levels.FORTE / 100
    for mark in part.iter_all(score.ImpulsiveLoudnessDirection):
        if mark.text in ("fp", "sfp", "sfpp", "sfzp", "pf"):
            constant[mark.start.t] = levels.LEVELS["pp" if mark.text == "sfpp" else "p"]
            sudden[mark.start.t] = levels.LEVELS["f"] / constant[mark.start.t]
        else:
            sudden[mark.start.t] = levels.SUDDEN
    wedges = sorted(
        (wedge.start.t, wedge.end.t, isinstance(wedge, score.IncreasingLoudnessDirection))
        for wedge in part.iter_all(score.DynamicLoudnessDirection, include_subclasses=True)
        if wedge.end is not None and wedge.end.t > wedge.start.t
    )
    return _Level(constant, sudden, wedges)


class _Level:
    def __init__(
        self,
        constant: dict[int, float],
        sudden: dict[int, float],
        wedges: Sequence[tuple[int, int, bool]],
    ) -> None:
        self._sudden = sudden
        self._places: list[int] = sorted(constant)
        points = dict(constant)
        self._ramps: list[tuple[int, int, float, float]] = []
        for start, end, is_louder in wedges:
            first = points[max(place for place in points if place <= start)]
            inside = [place for place in constant if start < place <= end]
            step = levels.HAIRPIN_STEP if is_louder else -levels.HAIRPIN_STEP
            last = constant[min(inside)] if inside else float(levels.clipped(first + step))
            end = min(inside) if inside else end
            self._ramps.append((start, end, first, last))
            points[end] = last
        self._points = points
        self._places = sorted(points)

    def __call__(self, place: int) -> float:
        i = int(np.searchsorted(self._places, place, side="right")) - 1
        level = self._points[self._places[i]]
        for start, end, first, last in self._ramps:
            if start <= place < end:
                level = first + (last - first) * (place - start) / (end - start)
        return level * self._sudden.get(place, 1.0)
