"""Finds plugins and survives broken ones.

Entry points of the group `midigroove` are walked one by one with a `try` around each: pluggy's own
loader has none, so that one plugin that fails to import would end every command.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions

import pluggy

from midigroove_core import __version__, hookspecs

GROUP = "midigroove"
ENV = "MIDIGROOVE_LOAD_PLUGINS"
CORE = "midigroove"


@dataclass(frozen=True)
class PluginInfo:
    """One plugin as `midigroove plugins` lists it.

    Attributes:
        name: entry point name.
        distribution: name of the distribution it came in.
        version: version of that distribution.
        error: why it could not be loaded, or None.
        hooks: names of the hooks it implements.
    """

    name: str
    distribution: str
    version: str
    error: str | None = None
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedPlugins:
    """A fresh plugin manager and what was found while filling it."""

    manager: pluggy.PluginManager
    infos: tuple[PluginInfo, ...]

    def info(self, name: str) -> PluginInfo:
        """The plugin with that entry point name."""
        return next(info for info in self.infos if info.name == name)

    @property
    def broken(self) -> tuple[PluginInfo, ...]:
        """Plugins that could not be loaded."""
        return tuple(info for info in self.infos if info.error is not None)


def load_plugins() -> LoadedPlugins:
    """Registers the built-ins and every installed plugin that imports.

    `MIDIGROOVE_LOAD_PLUGINS` unset loads all plugins, empty loads the built-ins alone, and `a,b`
    loads the plugins whose entry point or distribution is named so.
    """
    manager = pluggy.PluginManager("midigroove")
    manager.add_hookspecs(hookspecs)
    # By name, as for anyone's plugin: this floor does not know the rooms above it.
    builtin = importlib.import_module("midigroove_core.builtin.plugin")
    infos = [_register(manager, builtin, "builtin", CORE, __version__)]
    wanted = _wanted()
    for distribution, entry_point in _entry_points():
        name = distribution.metadata["Name"]
        if wanted is not None and not {entry_point.name, name} & wanted:
            continue
        if any(info.name == entry_point.name for info in infos):
            other = next(info for info in infos if info.name == entry_point.name)
            error = f"its entry point name is already taken by {other.distribution}"
            infos.append(PluginInfo(entry_point.name, name, distribution.version, error))
            continue
        try:
            module = entry_point.load()
            infos.append(_register(manager, module, entry_point.name, name, distribution.version))
        except Exception as error:  # a plugin may fail in any way; it must not take others along
            manager.set_blocked(entry_point.name)
            infos.append(PluginInfo(entry_point.name, name, distribution.version, describe(error)))
    return LoadedPlugins(manager, tuple(infos))


def describe(error: BaseException) -> str:
    """One line for an exception: its type and the first line of its message."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _wanted() -> set[str] | None:
    value = os.environ.get(ENV)
    if value is None:
        return None
    return {name.strip() for name in value.split(",") if name.strip()}


def _entry_points() -> list[tuple[Distribution, EntryPoint]]:
    found: dict[tuple[str, str], tuple[Distribution, EntryPoint]] = {}
    for distribution in distributions():
        for entry_point in distribution.entry_points.select(group=GROUP):
            key = (distribution.metadata["Name"], entry_point.name)
            found.setdefault(key, (distribution, entry_point))
    return [found[key] for key in sorted(found)]


def _register(
    manager: pluggy.PluginManager, module: object, name: str, distribution: str, version: str
) -> PluginInfo:
    manager.register(module, name)
    try:
        manager.check_pending()  # else a misspelt hook would be ignored in silence
    except Exception:
        manager.unregister(name=name)
        raise
    hooks = tuple(sorted(h.name for h in manager.get_hookcallers(module) or ()))
    return PluginInfo(name, distribution, version, None, hooks)
