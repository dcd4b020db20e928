"""Where things are kept that can be made again: cut SoundFonts, vectors of recordings."""

from __future__ import annotations

import os
from pathlib import Path

ENV = "MIDIGROOVE_CACHE_DIR"


def user_cache() -> Path:
    """The folder that MIDIGROOVE_CACHE_DIR names, or midigroove in the user's cache folder.

    That is XDG_CACHE_HOME, or ~/.cache. Nothing in it is needed: deleting it costs time only.
    """
    named = os.environ.get(ENV)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "midigroove"
