"""Figures that need more hits than one clip has: dynamics and timing, pooled over a take.

A clip of four beats rarely has five isolated snares. So what was heard at each hit is collected
over all clips of a take (one performance on one kit, where velocity has one meaning), and
correlations are taken per take.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.scoring.transcribers import Hits, clip_classes
from midigroove_core.metrics.dynamics import (
    CLASS_BANDS_HZ,
    MINIMUM_HITS,
    hit_levels_db,
    isolated_hits,
    microtiming,
)
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.scorecard.metrics import TAKE_METRICS
from midigroove_core.scorecard.scores import Scores

STEPS_PER_BEAT = 4
_GAP_SEC = 10.0
"""Put between neighbouring clips, so that no hit of one is matched in the other."""


@dataclass
class _Heard:
    """What one row played of one clip of a take; times from the clip's start, which is `start_sec`
    in the take."""

    start_sec: float
    midi_sec: NDArray[np.float64]
    grid_sec: NDArray[np.float64]
    found_sec: NDArray[np.float64]
    levels: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    velocities: dict[str, NDArray[np.int64]] = field(default_factory=dict)


class TakeCollector:
    """Collects what each row played of each take, draw by draw, and scores it at the end."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, int, str], dict[int, _Heard]] = {}

    def add(
        self, row: str, clip: EvalClip, features: AudioFeatures, hits: Hits, draw: int = 0
    ) -> None:
        """One clip of one row."""
        heard = _Heard(clip.start_sec, clip.onsets_sec, grid_times(clip), features.onsets_sec)
        self._heard.setdefault((row, draw, clip.take.key), {})[clip.index] = heard
        for name, (onsets, velocities) in hits.items():
            others = clip.onsets_sec[clip_classes(clip) != name]
            alone = isolated_hits(onsets, others)
            if alone.any():
                heard.levels[name] = hit_levels_db(features, onsets[alone], CLASS_BANDS_HZ[name])
                heard.velocities[name] = velocities[alone]

    def absorb(self, other: TakeCollector) -> None:
        """What was played of other clips."""
        for key, clips in other._heard.items():
            self._heard.setdefault(key, {}).update(clips)

    def scores(self, takes: list[str]) -> Scores:
        """`TAKE_METRICS` for every row over the takes, in their order."""
        scores = Scores(tuple(TAKE_METRICS), len(takes))
        place = {key: index for index, key in enumerate(takes)}
        for (row, draw, key), clips in self._heard.items():
            heard = [clips[index] for index in sorted(clips)]
            shifts = [one.start_sec + number * _GAP_SEC for number, one in enumerate(heard)]
            timing = microtiming(
                *(
                    np.concatenate([t + shift for t, shift in zip(times, shifts, strict=True)])
                    for times in (
                        [one.midi_sec for one in heard],
                        [one.grid_sec for one in heard],
                        [one.found_sec for one in heard],
                    )
                )
            )
            values = {
                "velocity_correlation": _velocity_correlation(heard),
                "microtiming_correlation": timing["microtiming_correlation"],
                "microtiming_error_ms": timing["microtiming_error_ms"],
            }
            scores.add(row, place[key], values, draw)
        return scores


def grid_times(clip: EvalClip) -> NDArray[np.float64]:
    """The nearest sixteenth of the performance's own tempo map to each onset, from the clip's start
    `[N]`.
    """
    beats = clip.performance.seconds_to_beats(clip.onsets_sec + clip.start_sec)
    nearest = np.round(beats * STEPS_PER_BEAT) / STEPS_PER_BEAT
    return clip.performance.beats_to_seconds(nearest) - clip.start_sec


def _velocity_correlation(heard: list[_Heard]) -> float:
    found = []
    for name in dict.fromkeys(name for one in heard for name in one.levels):
        there = [one for one in heard if name in one.levels]
        levels = np.concatenate([one.levels[name] for one in there])
        velocities = np.concatenate([one.velocities[name] for one in there])
        usable = ~np.isnan(levels)
        levels, velocities = levels[usable], velocities[usable]
        if levels.size < MINIMUM_HITS or np.ptp(velocities) == 0:
            continue
        flat = np.ptp(levels) == 0.0
        found.append(0.0 if flat else scipy.stats.spearmanr(velocities, levels).statistic)
    return float(np.mean(found)) if found else float("nan")
