"""What every plugin module has to do, as a pytest class to subclass."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from types import ModuleType
from typing import Any, ClassVar

import pluggy
import pytest

from midigroove_core import hookspecs

_BASES = {
    "register_codecs": ("midigroove_core.interfaces.codec:Codec", "codec_id"),
    "register_featurizers": (
        "midigroove_core.interfaces.featurizer:GridFeaturizer",
        "featurizer_id",
    ),
    "register_models": ("midigroove_core.interfaces.model:Model", "model_id"),
    "register_embeddings": ("midigroove_core.interfaces.embedding:Embedding", "embedding_id"),
}
_LIST_FACTS = "clock num_codebooks codebook_size license bits_per_second"


def registered(module: ModuleType) -> list[tuple[str, str, str]]:
    """(hook, id, import string) of everything that a plugin module registers."""
    found: list[tuple[str, str, str]] = []
    for hook in _BASES:
        implementation = getattr(module, hook, None)
        if implementation is not None:
            implementation(lambda id, where, hook=hook: found.append((hook, id, where)))
    return found


class PluginContract:
    """Subclass with `module`, the name of the module that the entry point names.

    Attributes:
        module: such as `midigroove_dac.plugin`.
        heavy: modules that neither listing plugins nor listing codecs may import.
    """

    module: ClassVar[str]
    heavy: ClassVar[tuple[str, ...]] = ("torch", "transformers", "tensorflow", "jax")

    @pytest.fixture
    def plugin(self) -> ModuleType:
        """The module, imported."""
        return importlib.import_module(self.module)

    def test_hooks_exist(self, plugin: ModuleType) -> None:
        """A misspelt hook, or one with a wrong argument, is an error and not ignored."""
        manager = pluggy.PluginManager("midigroove")
        manager.add_hookspecs(hookspecs)
        manager.register(plugin)
        manager.check_pending()
        assert manager.get_hookcallers(plugin), "no function is marked with hookimpl"

    def test_registered_classes(self, plugin: ModuleType) -> None:
        for hook, id, where in registered(plugin):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", id), f"{id} is not snake_case"
            cls: Any = pkgutil.resolve_name(where)
            base, attribute = _BASES[hook]
            assert issubclass(cls, pkgutil.resolve_name(base)) and not inspect.isabstract(cls)
            assert getattr(cls, attribute) == id
            assert cls.__doc__, f"{cls.__name__} has no docstring"

    def test_listing_is_light(self, plugin: ModuleType) -> None:
        """In a fresh process: import the plugin, load its codecs, read the facts."""
        wheres = [where for hook, _, where in registered(plugin) if hook == "register_codecs"]
        script = (
            f"import sys, pkgutil, {self.module}\n"
            f"for where in {wheres!r}:\n"
            f"    codec = pkgutil.resolve_name(where)\n"
            f"    codec.weights_here()\n"
            f"    [getattr(codec, name) for name in {_LIST_FACTS!r}.split()]\n"
            f"print(*sorted(set(sys.modules) & set({self.heavy!r})))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "", f"imported {done.stdout.strip()}"
