"""midigroove: expressive drum MIDI to drum audio through neural audio codecs.

    import midigroove_core as midigroove

    performance = midigroove.load_performance("groove.mid")
    rendered = midigroove.render(performance, kit="jazz")  # .audio [C, S], .sample_rate

Importing this package imports neither torch nor transformers: the names below are resolved on first
use.
"""

from __future__ import annotations

import importlib
from typing import Any

import pluggy

__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("midigroove")
"""Marks a function of a plugin module as the implementation of a hook (docs/plugin_hooks.md)."""

_LAZY = {
    "Cache": "midigroove_core.cache",
    "CodeScores": "midigroove_core.interfaces.model",
    "Codec": "midigroove_core.interfaces.codec",
    "DrumPerformance": "midigroove_core.performance",
    "Embedding": "midigroove_core.interfaces.embedding",
    "FrameClock": "midigroove_core.clock",
    "Grid": "midigroove_core.interfaces.featurizer",
    "GridBatch": "midigroove_core.interfaces.batch",
    "GridFeaturizer": "midigroove_core.interfaces.featurizer",
    "Loss": "midigroove_core.interfaces.model",
    "MidigrooveError": "midigroove_core.errors",
    "Metric": "midigroove_core.interfaces.metric",
    "Model": "midigroove_core.interfaces.model",
    "ModelSpec": "midigroove_core.interfaces.spec",
    "PerformanceReader": "midigroove_core.interfaces.reader",
    "SamplingConfig": "midigroove_core.interfaces.sampling",
    "SamplingOption": "midigroove_core.interfaces.sampling",
    "costs": "midigroove_core.interfaces.drawing",
    "draw": "midigroove_core.interfaces.drawing",
    "evaluate": "midigroove_core.evaluation",
    "frames_at_once": "midigroove_core.interfaces.drawing",
    "load_checkpoint": "midigroove_core.checkpoint",
    "load_midi": "midigroove_core.midi",
    "load_performance": "midigroove_core.readers",
    "load_score": "midigroove_core.score.read",
    "make_generator": "midigroove_core.interfaces.drawing",
    "note_array": "midigroove_core.score.arrays",
    "open_codec": "midigroove_core.coding.open",
    "open_dataset": "midigroove_core.takes",
    "push": "midigroove_core.publishing",
    "render": "midigroove_core.rendering.render",
    "save_midi": "midigroove_core.midi_write",
    "stream": "midigroove_core.rendering.streaming",
    "to_partitura": "midigroove_core.score.arrays",
    "train": "midigroove_core.training",
}
"""Public name -> the module that has it; `__init__.pyi` says the same to type checkers."""

__all__ = ["__version__", "hookimpl", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
