"""Whole stretches of takes as `midigroove render` plays them, looked at where windows join.

Clips of four beats fit into one window of a model, so they say nothing about the joins of long
renders. Here each system renders the beginning of some long takes, and the spectral flux at its
joins is compared with the flux elsewhere. What the figure is where there is no join, the same
moments of the reference say.
"""

from __future__ import annotations

import math
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample
from midigroove_core.cache import CacheEntry
from midigroove_core.coding.decode import decode_whole
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip, judged_entries
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.base.results import Skips, number
from midigroove_core.evaluation.rows.audio_rows import Recordings
from midigroove_core.evaluation.rows.systems import FAILURES, System, failure
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.info import LONG_METRICS, METRICS
from midigroove_core.metrics.onset import onset_scores
from midigroove_core.metrics.seams import seam_scores
from midigroove_core.progress import Progress, Silent
from midigroove_core.rendering.model_engine import UNKNOWN, ModelEngine
from midigroove_core.rendering.render import RenderConfig, from_performance

LONG_SEC = 30.0
"""How much of a take is rendered. Windows of 3 s have a dozen joins in it, and it is longer than
the 20 s that a codec decodes at once, so the borders of those pieces are heard too; more would
only take longer."""

LEAST_JOINS = 2
"""A shorter take is left out: one join, perhaps under a hit, shows nothing."""

LONG_COLUMNS = (
    "take", "performance", "kit", "row", "joins_of", "duration_sec", "joins", "seams_compared",
    "seam_flux_ratio", "seam_percentile_mean", "samples_off", "onset_f1_50ms",
)  # fmt: skip
"""Columns of long.csv."""

FIGURES = {
    "seam_flux_ratio": LONG_METRICS["seam_flux_ratio"],
    "seam_percentile_mean": LONG_METRICS["seam_percentile_mean"],
    "onset_f1_50ms": METRICS["onset_f1_50ms"],
}
"""What is averaged over takes."""


@dataclass
class LongRenders:
    """Renders and scores long stretches.

    Attributes:
        config: of the evaluation.
        recordings: None when the first system's oracle is the reference.
        reference: name of the reference's row.
        sample_rate: of all audio.
        skips: what failed is added here.
        stretches: what was rendered.
        lines: of long.csv: a system's line, then the reference at the moments of its joins.
        seconds: system -> seconds spent on rendering, seconds of audio.
    """

    config: EvalConfig
    recordings: Recordings | None
    reference: str
    sample_rate: int
    skips: Skips
    stretches: list[EvalClip] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def run(self, systems: Sequence[System], progress: Progress) -> None:
        """Renders the chosen takes with every system; what fails is named and costs no other."""
        if not systems:
            return
        self.stretches = self._choose(systems)
        if not self.stretches:
            progress.message(
                f"no long renders: no take of split {self.config.split} is long enough for "
                f"{LEAST_JOINS} joins of windows"
            )
            return
        progress.start("Rendering long takes", len(self.stretches) * len(systems))
        for stretch in self.stretches:
            reference = self._reference(stretch, systems[0])
            for system in systems:
                try:
                    self._score(system, stretch, reference)
                except FAILURES as error:
                    reason = failure("render failed", error)
                    self.skips.add(stretch.clip_id, f"long {system.name}", reason)
                progress.advance()
        progress.finish()

    def _choose(self, systems: Sequence[System]) -> list[EvalClip]:
        """Takes that are long enough for every system, of different performances if there are."""
        cache = systems[0].group.cache
        caches = [system.group.cache for system in systems]
        entries = judged_entries(caches, self.config.split, self.config.intersection)
        engines = [self._engine(system, self._settings(system, entries[0])) for system in systems]
        lengths = [min(LONG_SEC, e.num_samples / cache.clock.sample_rate) for e in entries]
        enough = [
            place
            for place, length in enumerate(lengths)
            if all(len(engine.windows(length)) > LEAST_JOINS for engine in engines)
        ]
        turns: Counter[str] = Counter()
        drawn: list[tuple[int, int]] = []
        for place in np.random.default_rng(self.config.seed).permutation(enough).tolist():
            turns[entries[place].performance_key] += 1
            drawn.append((turns[entries[place].performance_key], place))
        drawn.sort(key=lambda pair: pair[0])  # first every performance once, then once more
        chosen = sorted(place for _, place in drawn[: self.config.long_items])
        return [
            EvalClip(index, entries[place], cache.performance(entries[place]), 0.0, lengths[place])
            for index, place in enumerate(chosen)
        ]

    def _settings(self, system: System, entry: CacheEntry) -> RenderConfig:
        """What `midigroove render` would be told: the take's kit, drummer and style if known.

        No tail: the stretch is cut out of a take, and what follows is not heard in the reference.
        """
        checkpoint, config = system.checkpoint, self.config

        def known(name: str) -> str | None:
            if name not in checkpoint.model.conditions:
                return None
            value = getattr(entry, name)
            return value if value in checkpoint.vocabularies.get(name, []) else UNKNOWN

        return RenderConfig(
            checkpoint=system.spec.checkpoint,
            kit=known("kit"),
            drummer=known("drummer"),
            style=known("style"),
            tail_sec=0.0,
            temperature=config.temperature,
            top_k=config.top_k,
            top_p=config.top_p,
            seed=config.seed,
            sample_rate=self.sample_rate,
            device=config.device,
        )

    def _engine(self, system: System, settings: RenderConfig) -> ModelEngine:
        assert system.group.codec is not None
        return ModelEngine(settings, system.checkpoint, system.group.codec, Silent())

    def _reference(self, stretch: EvalClip, first: System) -> AudioFeatures | None:
        try:
            if self.recordings is not None:
                audio = self.recordings.audio(stretch)
            else:
                audio = oracle(stretch, first, self.sample_rate)
            return AudioFeatures.from_audio(audio, self.sample_rate, "reference")
        except (InputError, ValueError) as error:
            self.skips.add(stretch.clip_id, f"long {self.reference}", str(error))
            return None

    def _score(self, system: System, stretch: EvalClip, reference: AudioFeatures | None) -> None:
        performance = stretch.performance.slice(0.0, stretch.end_sec)
        settings = self._settings(system, stretch.entry)
        engine = self._engine(system, settings)
        began = time.perf_counter()
        rendered = from_performance(performance, settings, engine=engine)
        spent = time.perf_counter() - began
        features = AudioFeatures.from_audio(rendered.audio, self.sample_rate, "render")
        exact = math.ceil(stretch.end_sec * self.sample_rate - 1e-6)
        self._add(system.name, system.name, stretch, features, rendered.joins_sec,
                  samples_off=len(rendered.audio) - exact)  # fmt: skip
        if reference is not None:
            self._add(self.reference, system.name, stretch, reference, rendered.joins_sec)
        before, heard = self.seconds.get(system.name, (0.0, 0.0))
        self.seconds[system.name] = (before + spent, heard + stretch.end_sec)

    def _add(
        self, row: str, joins_of: str, stretch: EvalClip, features: AudioFeatures,
        joins_sec: Sequence[float], samples_off: int | None = None,
    ) -> None:  # fmt: skip
        onsets = stretch.onsets_sec
        entry = stretch.entry
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a system that plays no hits
            found = onset_scores(onsets, features, (0.05,))
        self.lines.append(
            {
                "take": entry.key,
                "performance": entry.performance_key,
                "kit": entry.kit,
                "row": row,
                "joins_of": joins_of,
                "duration_sec": stretch.end_sec,
                "joins": len(joins_sec),
                "samples_off": samples_off,
                **seam_scores(features, joins_sec, onsets),
                "onset_f1_50ms": found["onset_f1_50ms"],
            }
        )

    def summary(self) -> dict[str, Any]:
        """The part "long" of summary.json: for each row means over takes, and their range.

        A take counts for the seams by its number of joins away from hits. A handful of takes
        carries no interval; the lowest and the highest take say more honestly how they vary.
        """
        pairs = dict.fromkeys((line["row"], line["joins_of"]) for line in self.lines)
        return {
            "seconds": LONG_SEC,
            "takes": len(self.stretches),
            "performances": len({s.entry.performance_key for s in self.stretches}),
            "reference": self.reference,
            "metrics": {name: dict(vars(info)) for name, info in FIGURES.items()},
            "rows": [self._row(row, joins_of) for row, joins_of in pairs],
        }

    def _row(self, row: str, joins_of: str) -> dict[str, Any]:
        lines = [x for x in self.lines if (x["row"], x["joins_of"]) == (row, joins_of)]
        off = [line["samples_off"] for line in lines if line["samples_off"] is not None]
        return {
            "row": row,
            "joins_of": joins_of,
            "takes": len(lines),
            "joins": sum(line["joins"] for line in lines),
            "seams_compared": int(sum(line["seams_compared"] for line in lines)),
            "samples_off": max(off, key=abs, default=None),
            "metrics": {name: _figure(lines, name) for name in FIGURES},
        }

    def table(self) -> list[list[object]]:
        """Lines of long.csv."""
        return [[line[name] for name in LONG_COLUMNS] for line in self.lines]

    def cost(self) -> list[dict[str, Any]]:
        """For cost.json: seconds spent per second of audio, prediction and decoding together."""
        return [
            {"row": row, "render_sec": number(spent), "audio_sec": number(heard),
             "real_time_factor": number(spent / heard)}
            for row, (spent, heard) in self.seconds.items()
        ]  # fmt: skip


def oracle(stretch: EvalClip, system: System, sample_rate: int) -> NDArray[np.float32]:
    """The true codes of a stretch `[S]`, decoded as one."""
    group = system.group
    assert group.codec is not None
    window = group.window(stretch)
    codes = group.cache.codes(window.entry, window.left, window.num_frames).astype(np.int64)
    audio = decode_whole(group.codec, codes) / np.float32(window.entry.gain)
    _, count = stretch.samples(sample_rate)
    found = resample(audio, group.cache.clock.sample_rate, sample_rate)[:count]
    return np.pad(found, (0, count - len(found)))


def _figure(lines: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """Mean of one column, and its least and most."""
    there = [line for line in lines if math.isfinite(line[name])]
    if not there:
        return {"mean": None, "least": None, "most": None}
    values = [line[name] for line in there]
    of_seams = name.startswith("seam")
    weights = [line["seams_compared"] if of_seams else 1.0 for line in there]
    mean = float(np.average(values, weights=weights))
    return {"mean": number(mean), "least": number(min(values)), "most": number(max(values))}
