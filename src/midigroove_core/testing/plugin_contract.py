"""What every plugin module has to do, as a pytest class to subclass."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from types import ModuleType
from typing import Any, ClassVar

import pluggy
import pytest
import typer

from midigroove_core import hookspecs
from midigroove_core.interfaces.classes import KINDS, faults_of_class

_LIST_FACTS = "clock codebooks license bits_per_second"


def registered(module: ModuleType) -> list[tuple[str, str, str]]:
    """(kind, id, import string) of everything that a plugin module registers."""
    return [entry[:3] for entry in _registrations(module)]


def _registrations(module: ModuleType) -> list[tuple[str, str, str, bool]]:
    found: list[tuple[str, str, str, bool]] = []
    for kind in KINDS:
        implementation = getattr(module, f"register_{kind}s", None)
        if implementation is not None:

            def register(id: str, where: str, default: bool = False, *, kind: str = kind) -> None:
                found.append((kind, id, where, default))

            implementation(register)
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

    def test_edition(self, plugin: ModuleType) -> None:
        """Said, so that a midigroove with other hooks can refuse the plugin by name."""
        assert getattr(plugin, "midigroove_edition", None) == hookspecs.EDITION

    def test_registered_classes(self, plugin: ModuleType) -> None:
        for kind, id, where in registered(plugin):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", id), f"{id} is not snake_case"
            cls: Any = pkgutil.resolve_name(where)
            assert faults_of_class(kind, id, cls) == []
            assert cls.__doc__, f"{cls.__name__} has no docstring"

    def test_one_default_a_family(self, plugin: ModuleType) -> None:
        """The family name alone means one variant, not none and not two."""
        families: dict[tuple[str, str], list[bool]] = {}
        for kind, id, _, default in _registrations(plugin):
            families.setdefault((kind, id.split("_")[0]), []).append(default)
        assert {
            key: sum(defaults) for key, defaults in families.items() if sum(defaults) != 1
        } == {}

    def test_commands(self, plugin: ModuleType) -> None:
        """Commands can be built, and have help."""
        implementation = getattr(plugin, "register_commands", None)
        if implementation is None:
            return
        app = typer.Typer()
        app.callback()(lambda: None)
        implementation(app)
        for name, command in typer.main.get_group(app).commands.items():
            assert command.help, f"{name} has no help"

    def test_listing_is_light(self, plugin: ModuleType) -> None:
        """In a fresh process: import the plugin, load its codecs, read the facts."""
        wheres = [where for kind, _, where in registered(plugin) if kind == "codec"]
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
