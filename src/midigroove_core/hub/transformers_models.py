"""Models of transformers, without what that library says and imports beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def transformers_class(name: str) -> Any:
    """A class of transformers, also where torchaudio is installed but cannot be imported.

    Beside a CPU-only torch the torchaudio of PyPI does not load (it is linked against CUDA), and
    some models of transformers import it for a loader of files that is of no use here.
    """
    import importlib
    from importlib.util import find_spec
    from unittest.mock import patch

    utils = importlib.import_module("transformers.utils")
    with quiet():
        try:
            if find_spec("torchaudio") is not None:
                importlib.import_module("torchaudio")
        except (ImportError, OSError):
            with patch.object(utils, "is_torchaudio_available", lambda: False):
                importlib.import_module("transformers.audio_utils")
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
