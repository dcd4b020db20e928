"""midigroove: expressive drum MIDI to drum audio through neural audio codecs.

Importing this package imports neither torch nor transformers: the public classes below are
resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

import pluggy

__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("midigroove")
"""Marks a function of a plugin module as the implementation of a hook (docs/plugin_hooks.md)."""

_LAZY = {
    "Codec": "midigroove_core.interfaces.codec",
    "Embedding": "midigroove_core.interfaces.embedding",
    "DrumPerformance": "midigroove_core.midi",
    "FrameClock": "midigroove_core.clock",
    "Grid": "midigroove_core.interfaces.featurizer",
    "GridBatch": "midigroove_core.interfaces.model",
    "GridFeaturizer": "midigroove_core.interfaces.featurizer",
    "MidigrooveError": "midigroove_core.errors",
    "Model": "midigroove_core.interfaces.model",
    "PerformanceReader": "midigroove_core.interfaces.reader",
    "SamplingConfig": "midigroove_core.interfaces.model",
    "evaluate": "midigroove_core.evaluation",
    "load_midi": "midigroove_core.midi",
    "load_score": "midigroove_core.score.read",
    "note_array": "midigroove_core.score.arrays",
    "to_partitura": "midigroove_core.score.arrays",
}

__all__ = ["__version__", "hookimpl", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
