"""Which device a pipeline runs on."""

from __future__ import annotations

from midigroove_core.errors import MidigrooveError


def choose_device(device: str) -> str:
    """`auto` becomes "cuda" where there is a GPU, else "cpu".

    Raises:
        MidigrooveError: a GPU was asked for and there is none.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise MidigrooveError(f"device {device!r} is not available; use --device cpu")
    return device
