"""Which device a pipeline runs on."""

from __future__ import annotations

import os
import re

from midigroove_core.errors import InputError, MidigrooveError

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def check_device(device: str) -> None:
    """Raises InputError unless a device has a name that we know; it need not be there."""
    if not _NAME.fullmatch(device):
        raise InputError(f"no device {device[:40]!r}; use auto, cpu, cuda, cuda:N or mps")


def choose_device(device: str) -> str:
    """`auto` becomes a GPU where there is one, else "cpu".

    Among several GPUs a process that torchrun started takes the one of its LOCAL_RANK.

    Raises:
        MidigrooveError: a device that is not there, or that has another name than these.
    """
    import torch

    check_device(device)
    if device == "auto":
        if not torch.cuda.is_available():
            return "cpu"
        return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % torch.cuda.device_count()}"
    here = {"cpu", *(["mps"] if torch.backends.mps.is_available() else [])}
    if torch.cuda.is_available():
        here |= {"cuda", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))}
    if device not in here:
        raise MidigrooveError(f"`device` {device} is not there; use {' or '.join(sorted(here))}")
    return device
