"""The codec that a checkpoint or a cache names, built and compared with what is written there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core.checkpoint.metadata import CodecPart
from midigroove_core.errors import MismatchError, PluginError
from midigroove_core.interfaces.codec import read_codebooks, shape_of_codebooks
from midigroove_core.registry import Entry, Registry, known_distribution

if TYPE_CHECKING:
    import torch

    from midigroove_core.interfaces.codec import Codec

_FACTS = ("codec_id", "sample_rate", "hop_length", "channels", "codebooks")


def build_stored_codec(
    where: Path,
    stored: CodecPart,
    registry: Registry,
    *,
    path: str | None = None,
    device: str | torch.device = "cpu",
) -> Codec:
    """The codec that a checkpoint or a cache names.

    Args:
        where: the file that names it, for messages.
        stored: what it says.
        registry: where its class is looked up.
        path: a local directory or file with its weights; None for its default place.
        device: where to put it.

    Raises:
        PluginError: no such codec is installed; says what to install.
        MismatchError: the codec built here is another one (facts or weights differ).
    """
    cls = find_entry(registry, "codec", stored.id, stored.distribution, where).load()
    codec: Codec = cls.from_config(stored.config, path=path)
    facts = codec.facts()
    shapes = [shape_of_codebooks(read_codebooks(f)) for f in (stored.facts, facts)]
    agree(where, "codec.facts.codebooks", *shapes)
    for name in _FACTS:
        agree(where, f"codec.facts.{name}", stored.facts.get(name), facts.get(name))
    if codec.weights_sha != stored.weights_sha:
        raise MismatchError(
            f"{where}: codec.weights_sha is {stored.weights_sha[:12]}, but {stored.id} "
            f"has weights {codec.weights_sha[:12]} here; give the weights it was made "
            f"with (`codec_path`)"
        )
    return codec.to(device)


def find_entry(registry: Registry, kind: str, id: str, distribution: str, where: Path) -> Entry:
    """The class that a file names.

    Raises:
        PluginError: it is not installed, or broken; says what to install.
    """
    found = next((entry for entry in registry.entries(kind) if entry.id == id), None)
    if found is not None:
        return found
    broken = [info for info in registry.broken if info.distribution == distribution]
    if broken:
        raise PluginError(
            f"{where}: needs {kind} {id!r} from {broken[0].distribution}, which is installed but "
            f"broken: {broken[0].error}"
        )
    # What a file says it came from may be any package: never an advice to install that.
    known = known_distribution(kind, id)
    hint = f"pip install {known}" if known else "install the plugin that has it"
    raise PluginError(f"{where}: needs {kind} {id!r}, which is not installed; {hint}")


def agree(path: Path, name: str, stored: Any, here: Any) -> None:
    """Raises MismatchError, with both values, if they differ."""
    if stored != here:
        raise MismatchError(
            f"{path}: {name} is {json.dumps(stored)}, but {json.dumps(here)} here; "
            f"use the plugin version that the checkpoint names (midigroove inspect)"
        )
