"""What a cache says about where its codes come from."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from midigroove_core import __version__
from midigroove_core.errors import PluginError
from midigroove_core.registry import Registry

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec
    from midigroove_core.takes import Dataset

_LIBRARIES = ("torch", "transformers", "numpy", "soxr")


def make_header(
    dataset: Dataset, codec: Codec, encoding: dict[str, Any], registry: Registry
) -> dict[str, Any]:
    """What a cache says about its origin; the same on every machine with the same versions."""
    try:
        entry = registry.entry("codec", codec.codec_id)
        provider = {"distribution": entry.distribution, "version": entry.version}
    except PluginError:  # built by hand from a class that nobody registered
        provider = {"distribution": type(codec).__module__.split(".")[0], "version": ""}
    return {
        "codec_id": codec.codec_id,
        "codec_config": codec.get_config(),
        "codec_facts": codec.facts(),
        "weights_sha": codec.weights_sha,
        "provider": provider,
        "versions": {"midigroove": __version__, **_library_versions()},
        "dataset": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint(),
            "num_takes": len(dataset.takes),
        },
        "encoding": encoding,
    }


def _library_versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        if name in sys.modules:  # only what could have had a part in the codes
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found
