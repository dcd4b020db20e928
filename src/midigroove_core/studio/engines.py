"""The engines of the studio: kits and one model, kept loaded, and how they play a slot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import Audio
from midigroove_core.errors import InputError
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
)
from midigroove_core.rendering.sampler_engine import SamplerEngine
from midigroove_core.studio.drawing import Hear, Model, Start
from midigroove_core.studio.loaded import Loaded
from midigroove_core.studio.settings import Settings
from midigroove_core.studio.takes import Take

MOST_KITS = 4
"""So many kits stay loaded; a kit is some megabytes."""


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
        self.model = Model(checkpoint, recordings, device)
        self._recordings = recordings
        self._kits: Loaded[SamplerEngine] = Loaded(MOST_KITS)
        self._numbers = count(1)

    def play(
        self,
        performance: DrumPerformance,
        settings: Settings,
        start: Start,
        progress: Progress,
        lines: list[str],
        hear: Hear | None = None,
    ) -> Take:
        """A take of a performance; a model draws only what changed, where it can go on.

        Args:
            performance: every hit a drum of the default map.
            settings: of the slot.
            start: what a model goes on from.
            progress: told how far it is; it may raise to stop.
            lines: what progress was told, by then.
            hear: told what can be heard while a model draws the whole, part by part; not where
                levels or stereo are made of the whole.

        Raises:
            MidigrooveError: no such kit or recording; nothing to redraw.
        """
        heard = settings.touched(performance)
        drawn, draw, before = None, None, start.before
        number = next(self._numbers)
        if settings.engine == "model":
            if settings.stereo is not None or set(settings.gains().values()) != {1.0}:
                hear = None
            drawn = self.model.draw(heard, settings, start, progress, hear)
            kept = before is not None and drawn is before.drawn
            draw = before.draw if before is not None and kept else number
        played = self._opened(heard, settings, drawn, progress, apart=False)
        audio = np.concatenate(list(played.blocks), axis=1)
        gain, line = level_gain(float(np.abs(audio).max(initial=0.0)), -math.inf, Output())
        if line is not None:
            audio *= np.float32(gain)
            lines.append(line)
        rate = played.sample_rate
        return Take(number, settings, heard, rate, audio, drawn, draw, tuple(lines))

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
            engine, config = self.model.engine(settings, progress)
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

    def _kit(self, settings: Settings, progress: Progress) -> tuple[SamplerEngine, RenderConfig]:
        recording = settings.recording(self._recordings)
        if recording is not None:
            name = recording.stem
            config = RenderConfig(engine="sampler", like=recording)
        else:
            known = [info.id for info in list_kits()]
            name = known[0] if settings.kit is None else settings.kit
            if name not in known:  # no folder, no font: the page opens no paths
                raise InputError(f"no kit {name!r}; there are {', '.join(known)}")
            config = RenderConfig(engine="sampler", kit=name)
        config = replace(config, vary=settings.vary, seed=settings.seed, stereo=settings.stereo)
        key = (name, settings.vary, settings.seed, settings.stereo)
        return self._kits.get(key, lambda noting: SamplerEngine(config, noting), progress), config


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
