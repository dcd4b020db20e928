"""A part of a take drawn anew: the rest keeps its codes, and the audio is that of those codes."""

from __future__ import annotations

import numpy as np
import pytest

from midigroove_core.coding.decode import decode_whole
from midigroove_core.errors import InputError
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import load_midi
from midigroove_core.progress import Silent
from midigroove_core.rendering.config import RenderConfig, Rendered
from midigroove_core.rendering.model_engine import ModelEngine, load_model
from midigroove_core.rendering.redraw import plan_again


@pytest.mark.parametrize(("first", "last"), [(0, 40), (90, 150), (10, 400), (380, 400)])
def test_windows_keep_exactly_the_frames_asked_for(first: int, last: int) -> None:
    windows = plan_again(400, first, last, 100, 40, 8)
    kept = [frame for w in windows for frame in range(w.keep_start, w.keep_stop)]
    assert kept == list(range(first, last))
    for window in windows:
        assert 0 <= window.start <= window.keep_start < window.keep_stop <= window.stop <= 400
        assert window.stop - window.start <= 100
        assert window.keep_start - window.start == min(40, window.keep_start)
        assert window.stop - window.keep_stop >= min(8, 400 - window.keep_stop)


def test_a_part_is_drawn_anew_and_the_rest_is_kept() -> None:
    groove = min(builtin_grooves(), key=lambda one: one.duration_sec)
    performance = load_midi(groove.path).slice(0.0, 3.0)
    config = RenderConfig(tail_sec=0.2, seed=1, sampling={"temperature": 1.0})
    checkpoint, codec = load_model(config)
    engine = ModelEngine(config, checkpoint, codec, Silent())
    whole = engine.play(performance, Silent())
    other = ModelEngine(
        RenderConfig(tail_sec=0.2, seed=2, sampling={"temperature": 1.0}),
        checkpoint,
        codec,
        Silent(),
    )
    again = other.draw_again(performance, whole, 1.0, 1.6, Silent())
    assert whole.codes is not None and again.codes is not None
    rate = float(codec.clock.frame_rate)
    first, last = int(1.0 * rate), int(np.ceil(1.6 * rate))
    different = np.flatnonzero((whole.codes != again.codes).any(axis=0))
    assert first <= different[0] and different[-1] < last
    assert len(different) > 0.5 * (last - first)
    assert np.abs(again.audio - decode_whole(codec, again.codes)).max() < 1e-4
    assert again.audio.shape == whole.audio.shape
    with pytest.raises(InputError, match="before"):
        engine.draw_again(performance, Rendered(whole.audio, 32_000), 1.0, 1.6, Silent())
