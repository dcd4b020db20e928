"""Whole stretches of takes as `midigroove render` plays them.

Clips of four beats fit into one window of a model, so they say nothing about the joins of long
renders. Here each system renders the beginning of some long takes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.base.failures import FAILURES, failure
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.base.takes import JudgedTake, TakeSource
from midigroove_core.evaluation.rows.source import Audio
from midigroove_core.evaluation.rows.systems import System, asked_of
from midigroove_core.progress import Silent
from midigroove_core.rendering.conditions import UNKNOWN
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.model_engine import ModelEngine
from midigroove_core.rendering.render import from_performance

LONG_SEC = 30.0
"""How much of a take is rendered. Windows of 3 s have a dozen joins in it, and it is longer than
the 20 s that a codec decodes at once, so the borders of those pieces are heard too; more would
only take longer."""

LEAST_JOINS = 2
"""A shorter take is left out: one join, perhaps under a hit, shows nothing."""


@dataclass(frozen=True, eq=False)
class LongPlayed:
    """A stretch as a system renders it.

    Attributes:
        system: name.
        stretch: what is played.
        audio: `[C, S]`.
        joins_sec: where windows join.
        spent_sec: what it took, prediction and decoding together.
    """

    system: str
    stretch: EvalClip
    audio: Audio
    joins_sec: Sequence[float]
    spent_sec: float


class LongSource:
    """Renders long stretches with every system.

    Args:
        config: of the evaluation.
        source: of performances.
        takes: of the judged split; at least one.
        systems: that can render.
        sample_rate: of the audio that comes out.
        journal: notes what fails.

    Attributes:
        stretches: takes that are long enough for every system, of different performances first.
    """

    def __init__(
        self,
        config: EvalConfig,
        source: TakeSource,
        takes: Sequence[JudgedTake],
        systems: Sequence[System],
        sample_rate: int,
        journal: Journal,
    ) -> None:
        self._config, self._systems = config, systems
        self._sample_rate, self._journal = sample_rate, journal
        self.stretches = self._choose(source, takes) if systems else ()

    def play(self, stretch: EvalClip) -> Iterator[LongPlayed]:
        """One stretch by each system; what fails is noted and costs no other."""
        for system in self._systems:
            try:
                yield self._render(system, stretch)
            except FAILURES as error:
                reason = failure("render failed", error)
                self._journal.skip(stretch.clip_id, f"long {system.name}", reason)

    def _render(self, system: System, stretch: EvalClip) -> LongPlayed:
        performance = stretch.performance.slice(0.0, stretch.end_sec)
        settings = self._settings(system, stretch.take)
        engine = self._engine(system, settings)
        began = time.perf_counter()
        rendered = from_performance(performance, settings, engine=engine)
        spent = time.perf_counter() - began
        return LongPlayed(system.name, stretch, rendered.audio, rendered.joins_sec, spent)

    def _choose(self, source: TakeSource, takes: Sequence[JudgedTake]) -> tuple[EvalClip, ...]:
        engines = [self._engine(s, self._settings(s, takes[0])) for s in self._systems]
        lengths = [min(LONG_SEC, source.duration_sec(take)) for take in takes]
        enough = [
            place
            for place, length in enumerate(lengths)
            if all(len(engine.windows(length)) > LEAST_JOINS for engine in engines)
        ]
        turns: Counter[str] = Counter()
        drawn: list[tuple[int, int]] = []
        for place in np.random.default_rng(self._config.seed).permutation(enough).tolist():
            turns[takes[place].performance_key] += 1
            drawn.append((turns[takes[place].performance_key], place))
        drawn.sort(key=lambda pair: pair[0])  # first every performance once, then once more
        chosen = sorted(place for _, place in drawn[: self._config.long_items])
        return tuple(
            EvalClip(index, takes[place], source.performance(takes[place]), 0.0, lengths[place])
            for index, place in enumerate(chosen)
        )

    def _settings(self, system: System, take: JudgedTake) -> RenderConfig:
        """What `midigroove render` would be told: the take's kit, drummer and style if known.

        No tail: the stretch is cut out of a take, and what follows is not heard in the reference.
        """
        checkpoint, config = system.checkpoint, self._config

        def known(name: str) -> str | None:
            if name not in checkpoint.model.conditions:
                return None
            value = getattr(take, name)
            return value if value in checkpoint.vocabularies.get(name, ()) else UNKNOWN

        return RenderConfig(
            checkpoint=system.spec.checkpoint,
            kit=known("kit"),
            drummer=known("drummer"),
            style=known("style"),
            beat_type=known("beat_type"),
            tail_sec=0.0,
            sampling=asked_of(checkpoint, config),
            raw=True,
            seed=config.seed,
            sample_rate=self._sample_rate,
            device=config.device,
        )

    def _engine(self, system: System, settings: RenderConfig) -> ModelEngine:
        assert system.group.codec is not None
        return ModelEngine(settings, system.checkpoint, system.group.codec, Silent())
