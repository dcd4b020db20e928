"""What a cache says about where its codes come from."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from midigroove_core import __version__
from midigroove_core.errors import PluginError
from midigroove_core.plugins import CORE
from midigroove_core.registry import Registry

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec
    from midigroove_core.takes import Dataset

_LIBRARIES = ("torch", "transformers", "numpy", "soxr")
"""What codes may depend on, of what core and a codec's distribution require."""


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
        "versions": {"midigroove": __version__, **_library_versions(provider["distribution"])},
        "dataset": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint(),
            "num_takes": len(dataset.takes),
        },
        "encoding": encoding,
    }


def _library_versions(distribution: str) -> dict[str, str]:
    """Versions by what distributions require, not by what happens to be imported: two processes
    that build one cache must say the same."""
    required = {_name(line) for owner in (CORE, distribution) for line in _requirements(owner)}
    return {name: version(name) for name in _LIBRARIES if name in required}


def _requirements(distribution: str) -> list[str]:
    try:
        return [line for line in requires(distribution) or [] if "extra ==" not in line]
    except PackageNotFoundError:  # a codec from a module that no distribution brought
        return []


def _name(requirement: str) -> str:
    return Requirement(requirement).name
