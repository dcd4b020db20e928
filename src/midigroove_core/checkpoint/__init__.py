"""Checkpoints: one safetensors file with the weights and all that is needed to use them.

The metadata key `midigroove` holds one JSON string (docs/formats.md). Nothing is pickled and
nothing is guessed from tensor shapes: three ids are looked up in the registry, built from their
arguments, and what they say of themselves must agree with what the file says.
"""

from __future__ import annotations

from midigroove_core.checkpoint.codecs import build_stored_codec
from midigroove_core.checkpoint.load import Checkpoint, load_checkpoint
from midigroove_core.checkpoint.metadata import (
    BEST,
    KEY,
    STATE_KEY,
    CheckpointMetadata,
    CodecPart,
    TrainedWindow,
    checkpoint_file,
    read_metadata,
)
from midigroove_core.checkpoint.save import load_state, save_checkpoint, save_state

__all__ = [
    "BEST",
    "KEY",
    "STATE_KEY",
    "Checkpoint",
    "CheckpointMetadata",
    "CodecPart",
    "TrainedWindow",
    "build_stored_codec",
    "checkpoint_file",
    "load_checkpoint",
    "load_state",
    "read_metadata",
    "save_checkpoint",
    "save_state",
]
