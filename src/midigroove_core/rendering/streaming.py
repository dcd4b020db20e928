"""Audio while it is made: the first sound of a long performance after a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.rendering.aside import with_faded_end
from midigroove_core.rendering.config import Engine, make_config, num_output_samples
from midigroove_core.rendering.model_engine import ModelEngine
from midigroove_core.rendering.polish import begun_at_zero
from midigroove_core.rendering.render import (
    END_FADE_SEC,
    open_engine,
    open_played,
    read_drums,
    read_file,
)

_AT_THE_END = ("loop", "bars", "sample_rate", "mono")


def stream(
    source: DrumPerformance | str | Path,
    *,
    opened: Engine | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Iterator[NDArray[np.float32]]:
    """Plays a performance, a MIDI file or a score, block by block as it is made.

    A model that goes on from what it has played gives audio window by window, in memory that
    follows no length; so does the sampler. Other models give it when all is there.

    Args:
        source: what to play.
        opened: the engine that `open_engine` gave for the same settings.
        progress: told what happens.
        settings: as `render` takes them, but for `loop`, `bars`, `sample_rate` and `mono`: what
            those need is known at the end only.

    Returns:
        blocks [C, n] float32 at the engine's rate, together as long as `render` makes it. What
        would clip is cut off: no gain can be found for what is not played yet. What a model does
        to levels stays, see `levels`, and what a codec leaves around hits, see `polish`.

    Raises:
        InputError: as `render`; one of those settings, or `stereo` with a model that goes on.
    """
    for name in _AT_THE_END:
        if settings.get(name):
            raise InputError(f"stream: {name} is not for audio that comes as it is made")
    config, progress = make_config(settings), progress or Silent()
    engine = opened or open_engine(config, progress)
    if isinstance(source, DrumPerformance):
        performance = source
    else:
        performance = read_file(source, config, progress)
    if isinstance(engine, ModelEngine) and engine.goes_on:
        if config.stereo is not None:
            raise InputError("stream: stereo is not for a model's audio that comes as it is made")
        audible = read_drums(performance, engine.drum_map, config.strict, progress)
        rate = engine.sample_rate
        length = num_output_samples(audible.end_sec + config.tail_sec, rate)
        made = engine.stream(config.touch.apply(audible, config.seed), progress)
        played = (
            begun_at_zero(block, rate) if first else block
            for first, block in zip(chain([True], repeat(False)), made, strict=False)
        )
        blocks: Iterable[NDArray[np.float32]] = with_faded_end(
            played, length, round(END_FADE_SEC * rate)
        )
    else:
        blocks = open_played(performance, config, engine, progress).blocks
    for block in blocks:
        yield np.clip(block, -1.0, 1.0)
