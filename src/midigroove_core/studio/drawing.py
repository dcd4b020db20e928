"""What the model of the studio draws: the whole, what an edit changed, or what was there before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.checkpoint import Checkpoint
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits.library import list_kits
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.config import RenderConfig, Rendered, num_output_samples
from midigroove_core.rendering.render import fit_length, read_drums
from midigroove_core.studio.loaded import Loaded
from midigroove_core.studio.settings import Redraw, Settings
from midigroove_core.studio.takes import Growing, Take, changed_span

if TYPE_CHECKING:
    from midigroove_core.rendering.model_engine import ModelEngine

HEARD_AFTER_SEC = 0.5
"""A changed hit is drawn with so much of what follows it; then the take goes on as it was."""

HEARD_BEFORE_SEC = 0.05

MOST_ENGINES = 4

Hear = Callable[[Growing, tuple[int, int]], None]
"""Told of a take that is drawn, and of the first and the last (exclusive) sample that are new."""


@dataclass(frozen=True, eq=False)
class Start:
    """What a take goes on from.

    Attributes:
        before: the slot's last take.
        redraw: the part of it to draw anew.
        codes: [K, T] of what was drawn once, to go back to; before all else.
    """

    before: Take | None = None
    redraw: Redraw | None = None
    codes: NDArray[np.int64] | None = None


class Model:
    """A checkpoint with its codec, loaded once.

    Args:
        checkpoint: None takes the one that ships.
        recordings: id of a recording -> its file.
        device: where it runs.
    """

    def __init__(
        self, checkpoint: Path | None, recordings: dict[str, Path], device: str = "auto"
    ) -> None:
        self._path, self._recordings, self._device = checkpoint, recordings, device
        self._loaded: tuple[Checkpoint, Codec] | None = None
        self._engines: Loaded[ModelEngine] = Loaded(MOST_ENGINES)

    def describe(self) -> dict[str, Any]:
        """What the page offers for the model; loads it.

        Raises:
            MidigrooveError: there is none, or it cannot be loaded.
        """
        checkpoint, _ = self._load()
        kits = list(checkpoint.vocabularies.get("kit", ()))
        if "kit" not in checkpoint.model.conditions:
            kits = []
        elif checkpoint.model.uses_sketch:
            kits += [info.id for info in list_kits() if info.id not in kits]
        return {
            "kits": kits,
            "temperature": checkpoint.sampling({}).temperature,
            "uses_known": checkpoint.model.uses_known,
            "hears": checkpoint.model.uses_sketch,
        }

    def engine(self, settings: Settings, progress: Progress) -> tuple[ModelEngine, RenderConfig]:
        """The engine for the settings of a slot.

        Raises:
            MidigrooveError: no such kit or recording, or the model hears none.
        """
        from midigroove_core.rendering.model_engine import ModelEngine  # torch takes its time

        checkpoint, codec = self._load()
        chosen = settings.temperature
        config = RenderConfig(
            checkpoint=self._path,
            kit=settings.kit if settings.like is None else None,
            like=settings.recording(self._recordings),
            seed=settings.seed,
            stereo=settings.stereo,
            device=self._device,
            sampling={} if chosen is None else {"temperature": chosen},
        )
        key = (config.kit, config.like, chosen)
        engine = self._engines.get(
            key, lambda noting: ModelEngine(config, checkpoint, codec, noting), progress
        )
        return engine.with_seed(settings.seed), config

    def draw(
        self,
        heard: DrumPerformance,
        settings: Settings,
        start: Start,
        progress: Progress,
        hear: Hear | None,
    ) -> Rendered:
        """What the model plays, going on from the last take where that can be.

        Raises:
            MidigrooveError: as `engine`; nothing to redraw.
        """
        engine, _ = self.engine(settings, progress)
        heard = read_drums(heard, engine.drum_map, False, progress)
        before = start.before.drawn if start.before is not None else None
        frames = engine.windows(heard.end_sec)[-1].stop
        if start.codes is not None and start.codes.shape[1] == frames:
            return engine.sound(start.codes, before)
        last = start.before
        if last is None or before is None or not _same_draw(last.settings, settings):
            if start.redraw is not None:
                raise InputError("play the whole once with these settings; then a bar can be drawn")
            return _whole(engine, heard, progress, hear)
        spans = []
        if start.redraw is not None:
            spans.append((start.redraw.start_sec, start.redraw.stop_sec))
            engine = engine.with_seed(start.redraw.seed)
        changed = changed_span(last.heard, heard)
        if changed is not None:
            spans.append((max(0.0, changed[0] - HEARD_BEFORE_SEC), changed[1] + HEARD_AFTER_SEC))
        if not spans:
            return before
        starts, stops = zip(*spans, strict=True)
        return engine.draw_again(heard, before, min(starts), max(stops), progress)

    def _load(self) -> tuple[Checkpoint, Codec]:
        if self._loaded is None:
            from midigroove_core.rendering.model_engine import load_model

            keep_freed_memory()
            config = RenderConfig(checkpoint=self._path, device=self._device)
            self._loaded = load_model(config)
        return self._loaded


def _whole(
    engine: ModelEngine, heard: DrumPerformance, progress: Progress, hear: Hear | None
) -> Rendered:
    """What `engine.play` gives, and `hear` told of each part of it where it comes in parts."""
    windows = len(engine.windows(heard.end_sec))
    if hear is None or not engine.goes_on or windows == 1:
        return engine.play(heard, progress)
    progress.start("Predicting codes", windows)
    rate = engine.sample_rate
    codes: list[NDArray[np.int64]] = []
    length = num_output_samples(heard.end_sec + RenderConfig().tail_sec, rate)
    growing = Growing(engine.codec.channels, length, rate)
    audio = []
    for part in engine.stream(heard, progress, keep=codes.append):
        audio.append(part)
        hear(growing, growing.add(part))
    drawn = np.concatenate(codes, axis=1)
    samples = drawn.shape[1] * engine.codec.clock.hop_length
    whole = fit_length(np.concatenate(audio, axis=1), samples)
    return Rendered(whole, rate, drawn)


def _same_draw(one: Settings, other: Settings) -> bool:
    """Whether two settings draw the same codes of the same hits."""
    of_codes = ("engine", "kit", "like", "temperature", "seed")
    return all(getattr(one, name) == getattr(other, name) for name in of_codes)
