"""The names that a model is told: kit, drummer, style and beat type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from midigroove_core.errors import InputError, nearest
from midigroove_core.kits.library import list_kits, names_a_kit
from midigroove_core.names import listed, look_up
from midigroove_core.rendering.config import RenderConfig

if TYPE_CHECKING:
    from midigroove_core.checkpoint import Checkpoint

UNKNOWN = "unknown"


def choose_conditions(checkpoint: Checkpoint, config: RenderConfig) -> dict[str, int]:
    """Index of kit, drummer, style and beat type to render with; -1 where unknown.

    Raises:
        InputError: a name that the checkpoint does not know, or a condition it does not take.
    """
    indices: dict[str, int] = {}
    if config.bpm is not None and "bpm" not in checkpoint.model.conditions:
        raise InputError(f"{checkpoint.path}: this model takes no bpm; leave it out")
    for name in ("kit", "drummer", "style", "beat_type"):
        wanted = getattr(config, name)
        known = checkpoint.vocabularies.get(name, ())
        if name not in checkpoint.model.conditions:
            if wanted is not None:
                raise InputError(f"{checkpoint.path}: this model takes no {name}; leave it out")
        elif wanted is None:
            named = name == "kit" and config.like is None
            indices[name] = default_kit(known) if named else -1
        elif name == "kit" and is_unnamed(checkpoint, config):
            indices[name] = -1
        else:
            indices[name] = _index_of(wanted, known, name, checkpoint.path)
    return indices


def is_unnamed(checkpoint: Checkpoint, config: RenderConfig) -> bool:
    """Whether the kit is one that the model has no name for, but can hear."""
    kit = config.kit
    known = checkpoint.vocabularies.get("kit", ())
    if kit is None or not checkpoint.model.uses_sketch or look_up([kit], known)[0]:
        return False
    return kit.casefold() != UNKNOWN and names_a_kit(kit)


def default_kit(known: Sequence[str]) -> int:
    """The first of the shipped kits that the model knows, else its own first; -1 without any."""
    shipped = [info.id for info in list_kits() if info.id in known]
    return known.index(shipped[0]) if shipped else min(0, len(known) - 1)


def _index_of(wanted: str, known: Sequence[str], name: str, path: Path) -> int:
    found, _ = look_up([wanted], known)
    if len(found) > 1:
        raise InputError(f"{name} {wanted!r} is {listed(found)}; name one")
    if found:
        return known.index(found[0])
    if wanted.casefold() == UNKNOWN:
        return -1
    there = listed(known) or "none"
    hint = nearest(wanted, [*known, UNKNOWN])
    other = "; `engine` sampler plays it" if name == "kit" and names_a_kit(wanted) else ""
    raise InputError(f"no {name} {wanted!r}{hint}; {path.name} knows {there}, or {UNKNOWN}{other}")
