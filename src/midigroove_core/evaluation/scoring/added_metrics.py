"""Figures of plugins: asked for beside core's, and none of them can break an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError, PluginError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.interfaces.metric import Metric
from midigroove_core.metrics.info import MetricInfo
from midigroove_core.plugins import contained
from midigroove_core.registry import Registry
from midigroove_core.scorecard.metrics import ALL_METRICS
from midigroove_core.scorecard.records import MetricFacts
from midigroove_core.scorecard.writing import CLIP_COLUMNS

Faults = dict[str, tuple[int, str]]
"""Metric -> how many clips of rows it failed on, and what the first failure was."""


@dataclass
class AddedMetrics:
    """The metrics of plugins that an evaluation was asked for.

    Attributes:
        facts: who they are.
        infos: id -> how to read it.
        faults: where they failed so far.
    """

    facts: tuple[MetricFacts, ...] = ()
    infos: dict[str, MetricInfo] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)
    _metrics: dict[str, Metric] = field(default_factory=dict)

    @classmethod
    def open(cls, names: Sequence[str], registry: Registry) -> AddedMetrics:
        """Loads those of these ids or families.

        Raises:
            PluginError: none of that name is installed, or it cannot be used; says why.
            InputError: a name that core's own figures have, or one that is named twice.
        """
        found = cls()
        for name in names:
            entry = registry.entry("metric", name)
            where = f"metric {entry.id!r} of {entry.distribution}"
            if entry.id in ALL_METRICS or entry.id in CLIP_COLUMNS:
                raise InputError(f"{where}: that name is taken by a column of core's")
            if entry.id in found.infos:
                raise InputError(f"{where} is named twice")
            kind = entry.load()
            try:
                with contained():
                    found._metrics[entry.id] = kind()
            except PluginError as error:
                raise PluginError(f"{where} cannot be made: {error}") from error
            found.infos[entry.id] = MetricInfo(kind.label, kind.unit, kind.better, True, kind.note)
            found.facts += (MetricFacts(entry.id, entry.distribution, entry.version),)
        return found

    def measure(
        self,
        clip: EvalClip,
        audio: NDArray[np.float32],
        reference: NDArray[np.float32],
        sample_rate: int,
    ) -> dict[str, float]:
        """Every figure of one clip of one row, NaN where there is none; audio is `[S]`."""
        found = {}
        for name, metric in self._metrics.items():
            value, fault = float("nan"), ""
            played = clip.performance.slice(clip.start_sec, clip.end_sec)
            try:
                with contained():  # whatever it does to its copies, nobody else hears them
                    value = float(
                        metric.measure(audio.copy(), reference.copy(), sample_rate, played)
                    )
            except PluginError as error:
                fault = str(error)
            if not fault and not math.isfinite(value):
                fault = f"it says {value}"
            if fault:
                self._add_fault(name, 1, fault)
            found[name] = value if math.isfinite(value) else float("nan")
        return found

    def absorb(self, faults: Faults) -> None:
        """Where those of another process failed, on other clips."""
        for name, (count, first) in faults.items():
            self._add_fault(name, count, first)

    def cautions(self) -> list[str]:
        """A line for each metric that had no figure somewhere."""
        return [
            f"caution: metric {name} has no figure for {count} clips of rows (the first: {first})"
            for name, (count, first) in self.faults.items()
        ]

    def _add_fault(self, name: str, count: int, first: str) -> None:
        before = self.faults.get(name, (0, first))
        self.faults[name] = (before[0] + count, before[1])
