"""The one place that imports partitura: late, without its warnings, and with one fault mended."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from midigroove_core.errors import MidigrooveError


@cache
def partitura() -> Any:
    """The package partitura (its import takes over a second).

    Raises:
        MidigrooveError: it cannot be imported.
    """
    try:
        with without_warnings():  # its needs warn of names that Python is going to drop
            module = importlib.import_module("partitura")
            score = importlib.import_module("partitura.score")
    except ImportError as error:
        raise MidigrooveError(
            f"reading and writing scores needs partitura ({error}); run: pip install partitura"
        ) from error
    # partitura 1.9 asks every note of a chord for this, and only pitched notes have it
    for note in (score.UnpitchedNote, score.Rest):
        if not hasattr(note, "is_grace_chord"):
            note.is_grace_chord = False
    return module


@contextmanager
def without_warnings() -> Iterator[None]:
    """partitura warns of each thing that it leaves out; what matters here is read beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
