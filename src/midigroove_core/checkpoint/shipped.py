"""The model that ships in the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from midigroove_core.errors import InputError

SHIPPED = "groove_model"
"""Its name, wherever a checkpoint is named and no file is called so."""


def shipped_checkpoint() -> Path:
    """The model that ships with the package.

    Raises:
        InputError: this installation has none.
    """
    path = resources.files("midigroove_core") / "assets" / f"{SHIPPED}.safetensors"
    if not isinstance(path, Path) or not path.is_file():
        raise InputError(
            "this installation ships no model; name one with `checkpoint`, or use `engine` sampler"
        )
    return path
