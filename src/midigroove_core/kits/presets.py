"""Which presets a SoundFont has: FluidSynth plays another one for a preset that is missing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from midigroove_core.errors import InputError
from midigroove_core.names import listed

Preset = tuple[int, int]
"""Bank and program."""

_RECORD = struct.Struct("<20sHH14x")


def font_presets(font: Path) -> dict[Preset, str] | None:
    """The names of a font's presets by bank and program; None for a file without such a list.

    SoundFont 2.04, section 7.2 (`phdr` in the list `pdta`): records of 38 bytes, the last of which
    only ends the list.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with open(font, "rb") as handle:
            if handle.read(4) != b"RIFF" or handle.seek(4, 1) < 0 or handle.read(4) != b"sfbk":
                return None
            chunk = _find(handle, b"phdr")
    except OSError as error:
        raise InputError(
            f"{font}: cannot read the SoundFont ({error.strerror or error})"
        ) from error
    if chunk is None or len(chunk) % _RECORD.size:
        return None
    records = list(_RECORD.iter_unpack(chunk))[:-1]
    return {
        (bank, program): name.split(b"\0")[0].decode("latin-1").strip()
        for name, program, bank in records
    }


def check_preset(font: Path, program: int, *banks: int) -> None:
    """Raises InputError unless the font has the program in one of the banks, or does not say."""
    presets = font_presets(font)
    if presets is None or any((bank, program) in presets for bank in banks):
        return
    there = [f"{p} ({name})" for (bank, p), name in sorted(presets.items()) if bank in banks]
    where = " or ".join(map(str, banks))
    raise InputError(
        f"{font}: no program {program} in bank {where}; there is {listed(there, 12) or 'none'}"
    )


def _find(handle: BinaryIO, wanted: bytes) -> bytes | None:
    """The content of a chunk, in any list; the lists' own contents are gone through."""
    while len(head := handle.read(8)) == 8:
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"LIST":
            handle.seek(4, 1)
        elif name == wanted:
            return handle.read(size)
        else:
            handle.seek(size + size % 2, 1)
    return None
