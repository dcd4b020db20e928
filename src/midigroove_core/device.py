"""Which device a pipeline runs on."""

from __future__ import annotations

import os

from midigroove_core.errors import MidigrooveError


def choose_device(device: str) -> str:
    """`auto` becomes a GPU where there is one, else "cpu".

    Among several GPUs a process that torchrun started takes the one of its LOCAL_RANK.

    Raises:
        MidigrooveError: a GPU was asked for and there is none.
    """
    import torch

    if device == "auto":
        if not torch.cuda.is_available():
            return "cpu"
        return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % torch.cuda.device_count()}"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise MidigrooveError(f"device {device!r} is not available; use --device cpu")
    return device
