"""Finds plugins and survives broken ones.

Entry points of the group `midigroove` are walked one by one with a `try` around each: pluggy's own
loader has none, so that one plugin that fails to import would end every command.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distributions
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

import pluggy

from midigroove_core import __version__, hookspecs
from midigroove_core.errors import PluginError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

GROUP = "midigroove"
ENV = "MIDIGROOVE_LOAD_PLUGINS"
CORE = "midigroove"
_PLAIN_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*?)\s*((?:[<>=!~][^;@\[\]()]*)?)")


@dataclass(frozen=True)
class PluginInfo:
    """One plugin as `midigroove plugins` lists it.

    Attributes:
        name: entry point name.
        distribution: name of the distribution it came in.
        version: version of that distribution.
        error: why it, or one of its hooks, cannot be used, or None.
        hooks: names of the hooks it implements.
        warnings: what is odd about it and hurts nothing, such as a hook that this version of
            midigroove does not have.
    """

    name: str
    distribution: str
    version: str
    error: str | None = None
    hooks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedPlugins:
    """A fresh plugin manager and what was found while filling it."""

    manager: pluggy.PluginManager
    infos: tuple[PluginInfo, ...]

    def info(self, name: str) -> PluginInfo:
        """The plugin with that entry point name."""
        return next(info for info in self.infos if info.name == name)

    def call(
        self, hook: str, argument: Callable[[PluginInfo], Any]
    ) -> list[tuple[PluginInfo, str]]:
        """Calls a hook, each plugin's implementation by itself: one that raises hurts no other.

        Args:
            hook: its name; every hook takes one argument.
            argument: makes what a plugin is given.

        Returns:
            The plugins whose implementation raised, and what, in order of registration.
        """
        raised = []
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            info = self.info(implementation.plugin_name)
            value = argument(info)
            try:
                with contained():  # one may leave out an argument that it has no use for
                    implementation.function(*(value for _ in implementation.argnames))
            except PluginError as error:
                raised.append((info, f"{hook} raises {error}"))
        return raised

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
    infos = [_register(manager, builtin, PluginInfo("builtin", CORE, __version__))]
    wanted = _wanted()
    for distribution, entry_point in _entry_points():
        name = distribution.metadata["Name"]
        if wanted is not None and not {entry_point.name, name} & wanted:
            continue
        info = PluginInfo(entry_point.name, name, distribution.version)
        other = next((info for info in infos if info.name == entry_point.name), None)
        if other is not None:
            error = f"its entry point name is already taken by {other.distribution}"
            infos.append(replace(info, error=error))
            continue
        try:
            with contained():
                _check_requirements(distribution)
                infos.append(_register(manager, entry_point.load(), info))
        except PluginError as error:
            manager.set_blocked(info.name)  # also takes out what was half registered
            infos.append(replace(info, error=str(error)))
    return LoadedPlugins(manager, tuple(infos))


@contextmanager
def contained() -> Iterator[None]:
    """Whatever a plugin's code raises, `SystemExit` included, becomes a `PluginError` of one line.

    Only Ctrl-C gets through: a plugin may fail in any way, and must not take others along.
    """
    try:
        yield
    except (PluginError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(describe(error)) from error


def describe(error: BaseException) -> str:
    """One line for an exception: its type and the first line of its message."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a plugin's own exception may not even have a text
        lines = []
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


def _check_requirements(distribution: Distribution) -> None:
    """Refuses a plugin that needs another midigroove, or midigroove plugin, than is installed.

    pip says so once, when it installs; what is installed later can still take the version away.
    """
    texts = [text for text in distribution.requires or () if text.lower().startswith(GROUP)]
    if not texts:
        return
    for text in texts:
        name, specifier = _needed(text)
        if name is None:
            continue
        try:
            there = __version__ if name.lower() == CORE else installed_version(name)
        except PackageNotFoundError:
            raise PluginError(f"it needs {name}{specifier}; not installed") from None
        if not specifier.contains(there, prereleases=True):
            raise PluginError(
                f"it needs {name}{specifier}, and {there} is installed; "
                f"upgrade {name} or {distribution.metadata['Name']}"
            )


def _needed(text: str) -> tuple[str | None, SpecifierSet]:
    """Name and versions of a requirement; no name if it is not for here (another system, extra)."""
    from packaging.specifiers import SpecifierSet

    plain = _PLAIN_REQUIREMENT.fullmatch(text.strip())
    if plain:  # nearly all are; the parser for the others takes long to import
        return plain[1], SpecifierSet(plain[2])
    from packaging.requirements import Requirement

    needed = Requirement(text)
    here = needed.marker is None or needed.marker.evaluate({"extra": ""})
    return needed.name if here else None, needed.specifier


def _register(manager: pluggy.PluginManager, module: Any, info: PluginInfo) -> PluginInfo:
    edition = getattr(module, "midigroove_edition", hookspecs.EDITION)
    if edition != hookspecs.EDITION:
        raise PluginError(
            f"it is written for edition {edition} of the hooks, and midigroove {__version__} has "
            f"edition {hookspecs.EDITION}; install a version of {info.distribution} for it"
        )
    manager.register(module, info.name)
    hooks, warnings = [], []
    for hook in manager.get_hookcallers(module) or ():
        hooks.append(hook.name)
        if not hook.has_spec():
            known = [s for s in vars(hookspecs) if s.startswith("register_")]
            warnings.append(f"unknown hook {hook.name} (the hooks are {', '.join(known)})")
    return replace(info, hooks=tuple(sorted(hooks)), warnings=tuple(warnings))
