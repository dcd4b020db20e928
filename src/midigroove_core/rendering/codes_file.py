"""Codes that a model drew, as a file beside the audio that was decoded from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.tensorfile import save_arrays

KEY = "midigroove_codes"
SUFFIX = ".codes.safetensors"


def codes_path(audio: Path) -> Path:
    """Where the codes of an audio file lie."""
    return audio.with_name(audio.stem + SUFFIX)


def save_codes(path: Path, codes: NDArray[np.int64] | None, codec: Codec | None) -> None:
    """Writes `codes` [K, T], uint32, with the codec and its clock as JSON, whole or not at all.

    Raises:
        InputError: there are none: the sampler draws none, and a loop is cut from longer ones.
        MidigrooveError: the file cannot be written.
    """
    if codes is None or codec is None:
        raise InputError("`codes` are drawn by a model, and a loop has none of its own")
    about = {"codec_id": codec.codec_id, **codec.clock.to_json()}
    save_arrays(path, {"codes": codes.astype(np.uint32)}, KEY, about)
