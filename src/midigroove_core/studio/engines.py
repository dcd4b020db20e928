"""The engines of the studio: kits and one model, kept loaded, and how they play a slot."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.audio import Audio
from midigroove_core.checkpoint import Checkpoint
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits.library import list_kits
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.aside import Played, in_blocks
from midigroove_core.rendering.config import (
    BLOCK_SAMPLES,
    RenderConfig,
    Rendered,
    num_output_samples,
)
from midigroove_core.rendering.output import Output, level_gain
from midigroove_core.rendering.polish import polished
from midigroove_core.rendering.render import (
    fade_end,
    fit_length,
    open_played,
    parts_of,
    read_drums,
)
from midigroove_core.rendering.sampler_engine import SamplerEngine
from midigroove_core.studio.settings import Redraw, Settings
from midigroove_core.studio.takes import Growing, Take, changed_span

if TYPE_CHECKING:
    from midigroove_core.rendering.model_engine import ModelEngine

MOST_KITS = 4
"""So many kits stay loaded; a kit is some megabytes."""

HEARD_AFTER_SEC = 0.5
"""A changed hit is drawn with so much of what follows it; then the take goes on as it was."""

HEARD_BEFORE_SEC = 0.05

Hear = Callable[[Growing, tuple[int, int]], None]
"""Told of a take that is drawn, and of the first and the last (exclusive) sample that are new."""


class Engines:
    """Plays slots; what is slow to load is loaded once. One call at a time.

    Args:
        checkpoint: of the model; None takes the one that ships.
        recordings: id of a recording -> its file.
        device: where the model runs.
    """

    def __init__(
        self, checkpoint: Path | None, recordings: dict[str, Path], device: str = "auto"
    ) -> None:
        self._path, self._recordings, self._device = checkpoint, recordings, device
        self._kits: OrderedDict[tuple[object, ...], SamplerEngine] = OrderedDict()
        self._model: tuple[Checkpoint, Codec] | None = None
        self._numbers = count(1)

    def describe_model(self) -> dict[str, Any]:
        """What the page offers for the model; loads it.

        Raises:
            MidigrooveError: there is none, or it cannot be loaded.
        """
        checkpoint, _ = self._loaded()
        takes_kit = "kit" in checkpoint.model.conditions
        return {
            "kits": list(checkpoint.vocabularies.get("kit", ())) if takes_kit else [],
            "temperature": checkpoint.sampling({}).temperature,
            "uses_known": checkpoint.model.uses_known,
        }

    def play(
        self,
        performance: DrumPerformance,
        settings: Settings,
        before: Take | None,
        redraw: Redraw | None,
        progress: Progress,
        lines: list[str],
        hear: Hear | None = None,
    ) -> Take:
        """A take of a performance; where `before` can be gone on from, only what changed is drawn.

        Args:
            performance: every hit a drum of the default map.
            settings: of the slot.
            before: the slot's last take.
            redraw: the part to draw anew; model.
            progress: told how far it is; it may raise to stop.
            lines: what progress was told, by then.
            hear: told what can be heard while a model draws the whole, part by part; not where
                levels or stereo are made of the whole.

        Raises:
            MidigrooveError: no such kit or recording; nothing to redraw.
        """
        heard = settings.touched(performance)
        drawn = None
        if settings.engine == "model":
            if settings.stereo is not None or set(settings.gains().values()) != {1.0}:
                hear = None
            drawn = self._drawn(heard, settings, before, redraw, progress, hear)
        played = self._opened(heard, settings, drawn, progress, apart=False)
        audio = np.concatenate(list(played.blocks), axis=1)
        gain, line = level_gain(float(np.abs(audio).max(initial=0.0)), -math.inf, Output())
        if line is not None:
            audio *= np.float32(gain)
            lines.append(line)
        rate = played.sample_rate
        return Take(next(self._numbers), settings, heard, rate, audio, drawn, tuple(lines))

    def groups(self, take: Take, progress: Progress) -> Played:
        """The groups of drums of a take, at its levels, before they are guarded against clipping.

        A model's mix is taken apart, see `parting`.
        """
        return self._opened(take.heard, take.settings, take.drawn, progress, apart=True)

    def _opened(
        self,
        heard: DrumPerformance,
        settings: Settings,
        drawn: Rendered | None,
        progress: Progress,
        *,
        apart: bool,
    ) -> Played:
        """What is heard, at its levels, as a mix or with the groups apart; a step a block."""
        gains = settings.gains()
        groups = apart or any(gain != 1.0 for gain in gains.values())
        if drawn is None:
            sampler, config = self._kit(settings, progress)
            played = open_played(heard, config, sampler, progress, groups=groups)
        else:
            engine, config = self._drawing(settings, settings.seed, progress)
            rate = drawn.sample_rate
            length = num_output_samples(heard.end_sec + config.tail_sec, rate)
            mix = polished(drawn.audio, rate, heard.onset_sec)
            mix = fade_end(fit_length(mix, length), rate)
            if groups or settings.stereo is not None:
                played = parts_of(mix, heard, config, engine, progress)
            else:
                blocks = in_blocks(mix, BLOCK_SAMPLES)
                played = Played(blocks, (), len(mix), mix.shape[1], rate)
        factors = np.array([gains[name] for name in played.groups], dtype=np.float32)
        blocks = _at_levels(played, factors, progress, apart=apart)
        return replace(played, blocks=blocks, groups=played.groups if apart else ())

    def _drawn(
        self,
        heard: DrumPerformance,
        settings: Settings,
        before: Take | None,
        redraw: Redraw | None,
        progress: Progress,
        hear: Hear | None,
    ) -> Rendered:
        """What the model draws, going on from the last take where that can be."""
        seed = settings.seed if redraw is None else redraw.seed
        engine, _ = self._drawing(settings, seed, progress)
        heard = read_drums(heard, engine.drum_map, False, progress)
        if before is None or before.drawn is None or not _same_draw(before.settings, settings):
            if redraw is not None:
                raise InputError("play the whole once with these settings; then a bar can be drawn")
            windows = len(engine.windows(heard.end_sec))
            if hear is None or not engine.goes_on or windows == 1:
                return engine.play(heard, progress)
            progress.start("Predicting codes", windows)
            return _drawn_aloud(engine, heard, progress, hear)
        spans = [] if redraw is None else [(redraw.start_sec, redraw.stop_sec)]
        changed = changed_span(before.heard, heard)
        if changed is not None:
            first, last = changed
            spans.append((max(0.0, first - HEARD_BEFORE_SEC), last + HEARD_AFTER_SEC))
        if not spans:
            return before.drawn
        starts, stops = zip(*spans, strict=True)
        return engine.draw_again(heard, before.drawn, min(starts), max(stops), progress)

    def _kit(self, settings: Settings, progress: Progress) -> tuple[SamplerEngine, RenderConfig]:
        if settings.like is not None:
            if settings.like not in self._recordings:
                raise InputError("that recording is gone; drop it again")
            name = settings.like
            config = RenderConfig(engine="sampler", like=self._recordings[name])
        else:
            known = [info.id for info in list_kits()]
            name = known[0] if settings.kit is None else settings.kit
            if name not in known:  # no folder, no font: the page opens no paths
                raise InputError(f"no kit {name!r}; there are {', '.join(known)}")
            config = RenderConfig(engine="sampler", kit=name)
        config = replace(config, vary=settings.vary, seed=settings.seed, stereo=settings.stereo)
        key = (name, settings.vary, settings.seed, settings.stereo)
        if key not in self._kits:
            self._kits[key] = SamplerEngine(config, progress)
            while len(self._kits) > MOST_KITS:
                self._kits.popitem(last=False)
        self._kits.move_to_end(key)
        return self._kits[key], config

    def _drawing(
        self, settings: Settings, seed: int, progress: Progress
    ) -> tuple[ModelEngine, RenderConfig]:
        from midigroove_core.rendering.model_engine import ModelEngine  # torch takes its time

        checkpoint, codec = self._loaded()
        chosen = settings.temperature
        config = RenderConfig(
            checkpoint=self._path,
            kit=settings.kit,
            seed=seed,
            stereo=settings.stereo,
            device=self._device,
            sampling={} if chosen is None else {"temperature": chosen},
        )
        return ModelEngine(config, checkpoint, codec, progress), config

    def _loaded(self) -> tuple[Checkpoint, Codec]:
        if self._model is None:
            from midigroove_core.rendering.model_engine import load_model

            keep_freed_memory()
            config = RenderConfig(checkpoint=self._path, device=self._device)
            self._model = load_model(config)
        return self._model


def _drawn_aloud(
    engine: ModelEngine, heard: DrumPerformance, progress: Progress, hear: Hear
) -> Rendered:
    """What `engine.play` gives, and `hear` told of each part of it."""
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


def _at_levels(
    played: Played, factors: NDArray[np.float32], progress: Progress, *, apart: bool
) -> Iterator[Audio]:
    """Blocks with the groups times their factors [G], added up or apart; a block is a step."""
    for block in played.blocks:
        progress.advance(1)
        if not played.groups:
            yield block
            continue
        groups = block.reshape(len(factors), played.channels, -1) * factors[:, None, None]
        yield groups.reshape(len(block), -1) if apart else groups.sum(axis=0)


def _same_draw(one: Settings, other: Settings) -> bool:
    """Whether two settings draw the same codes of the same hits."""
    of_codes = ("engine", "kit", "temperature", "seed")
    return all(getattr(one, name) == getattr(other, name) for name in of_codes)
