"""Models of transformers, without what that library says and imports beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from midigroove_core.torchaudio_lazy import has_torchaudio, torchaudio


def transformers_class(name: str) -> Any:
    """A class of transformers, also where only part of torchaudio can be imported.

    Some models import torchaudio where it is installed, for a loader of files that is of no use
    here.

    Raises:
        MidigrooveError: torchaudio is installed, and nothing of it can be imported.
    """
    import importlib

    with quiet():
        if has_torchaudio():
            torchaudio()
        return getattr(importlib.import_module("transformers"), name)


@contextmanager
def quiet() -> Iterator[None]:
    """transformers without warnings, load reports and progress bars; errors still raise."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
