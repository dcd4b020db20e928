"""Builds a codec by name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from midigroove_core.errors import InputError
from midigroove_core.registry import Registry

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec


def open_codec(
    name: str,
    *,
    options: Iterable[str] = (),
    path: str | None = None,
    registry: Registry | None = None,
) -> Codec:
    """A codec by id (`dac_44khz`) or family (`dac`).

    Args:
        name: id or family.
        options: constructor arguments as `name=value`, the value in JSON or a plain string
            (`bandwidth=2.0`, `weights=random`).
        path: a local directory or file with the weights.
        registry: where to look; all plugins when not given.

    Raises:
        PluginError: no such codec; says what to install.
        MidigrooveError: an option that the codec does not have, or weights that are not here.
    """
    config: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise InputError(f"codec option {option!r} is not of the form name=value")
        try:
            config[key] = json.loads(value)
        except (ValueError, RecursionError):
            config[key] = value
    path = config.pop("path", path)
    codec: Codec = (registry or Registry()).load("codec", name).from_config(config, path=path)
    return codec
