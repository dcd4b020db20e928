"""Ids to classes: lazy, with the distribution that each id came from."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass, replace
from typing import Any

from midigroove_core.errors import PluginError, nearest
from midigroove_core.hookspecs import Register
from midigroove_core.interfaces.classes import KINDS, faults_of_class
from midigroove_core.plugins import LoadedPlugins, PluginInfo, contained, load_plugins

__all__ = ["KINDS", "Entry", "Registry"]

_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_IMPORT_STRING = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
_KNOWN_PLUGINS = {
    "encodec": "midigroove-encodec",
    "dac": "midigroove-dac",
    "xcodec": "midigroove-xcodec",
}


def known_distribution(kind: str, id: str) -> str | None:
    """Which distribution of ours has something of that id; never what a file claims."""
    return _KNOWN_PLUGINS.get(id.split("_")[0]) if kind == "codec" else None


@dataclass(frozen=True)
class Entry:
    """One registered class.

    Attributes:
        kind: "codec", "featurizer", "model", "embedding", "reader" or "metric".
        id: registry id.
        import_string: `package.module:Class`.
        plugin: entry point name of the plugin that registered it.
        distribution: the distribution that registered it.
        version: version of that distribution.
        default: whether it is what the name of its family means.
        error: why this id cannot be used whatever the class, or None.
        rivals: other plugins that claim the same id.
    """

    kind: str
    id: str
    import_string: str
    plugin: str
    distribution: str
    version: str
    default: bool = False
    error: str | None = None
    rivals: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The part of the id before its first underscore."""
        return self.id.split("_")[0]

    def check_string(self) -> None:
        """Raises PluginError if the id or the import string cannot be used whatever the class."""
        if self.error is not None:
            raise PluginError(self.error)
        if not _IMPORT_STRING.fullmatch(self.import_string):
            raise PluginError(
                f"{self.kind} {self.id!r} from {self.distribution} {self.version}: "
                f"{self.import_string!r} is not of the form package.module:Class"
            )

    def load(self) -> Any:
        """Imports the class and checks that it is one of its kind.

        Raises:
            PluginError: the id is claimed twice or malformed, the import fails, or the class is of
                another kind, lacks a fact or says another id; names the distribution and the cause.
        """
        self.check_string()
        try:
            with contained():
                cls = pkgutil.resolve_name(self.import_string)
                faults = faults_of_class(self.kind, self.id, cls)
        except PluginError as error:
            faults = [str(error)]
        if faults:
            raise PluginError(
                f"{self.kind} {self.id!r} from {self.distribution} {self.version} cannot be "
                f"loaded ({'; '.join(faults)}); reinstall or remove {self.distribution}"
            )
        return cls


class Registry:
    """All ids that the loaded plugins registered.

    Nothing that a plugin does is an error here: a hook that raises registers nothing and is listed
    in `infos`, and an id that is malformed or claimed twice is an error when that id is used.

    Args:
        plugins: from `load_plugins()`; loaded when not given.
    """

    def __init__(self, plugins: LoadedPlugins | None = None) -> None:
        self.plugins = plugins or load_plugins()
        self.infos: tuple[PluginInfo, ...] = self.plugins.infos
        self._entries: dict[tuple[str, str], Entry] = {}
        for kind in KINDS:
            self._collect(kind)

    @property
    def broken(self) -> list[PluginInfo]:
        """Plugins that could not be loaded, or with a hook that raised."""
        return [info for info in self.infos if info.error is not None]

    def _collect(self, kind: str) -> None:
        found: list[Entry] = []

        def register_for(info: PluginInfo) -> Register:
            def register(id: str, import_string: str, default: bool = False) -> None:
                source = (info.name, info.distribution, info.version)
                found.append(Entry(kind, str(id), str(import_string), *source, bool(default)))

            return register

        raised = self.plugins.call(f"register_{kind}s", register_for)
        for info, error in raised:
            self._add_error(info, error)
        half = {info.name for info, _ in raised}  # half of what a hook means to do is worth nothing
        for entry in found:
            if entry.plugin not in half:
                self._add(entry)

    def _add_error(self, info: PluginInfo, error: str) -> None:
        def with_error(one: PluginInfo) -> PluginInfo:
            return replace(one, error="; ".join(filter(None, (one.error, error))))

        self.infos = tuple(with_error(i) if i.name == info.name else i for i in self.infos)

    def _add(self, entry: Entry) -> None:
        other = self._entries.get((entry.kind, entry.id))
        if other is not None:
            error = (
                f"{entry.kind} id {entry.id!r} is claimed by both {other.distribution} and "
                f"{entry.distribution}; uninstall one of them"
            )
            entry = replace(other, error=error, rivals=(*other.rivals, entry.plugin))
        elif not _ID.fullmatch(entry.id):
            error = f"{entry.distribution}: {entry.kind} id {entry.id!r} is not snake_case"
            entry = replace(entry, error=error)
        self._entries[entry.kind, entry.id] = entry

    def entries(self, kind: str) -> list[Entry]:
        """All entries of a kind, in order of registration; those with an `error` too."""
        return [entry for entry in self._entries.values() if entry.kind == kind]

    def entry(self, kind: str, name: str) -> Entry:
        """The entry with that id, or the default variant of the family of that name.

        The family of `dac_44khz` is `dac`; its default variant is the one that was registered with
        `default=True`, whatever else is installed.

        Raises:
            PluginError: no such id, or one claimed twice or malformed; a family without a default
                variant, or with two. Says what there is, or what to install.
        """
        if (kind, name) in self._entries:
            entry = self._entries[kind, name]
            entry.check_string()
            return entry
        family = [e for e in self.entries(kind) if e.family == name and e.error is None]
        if not family:
            raise PluginError(self._missing(kind, name))
        defaults = [entry for entry in family if entry.default]
        if len(defaults) == 1:
            return defaults[0]
        if defaults:
            both = " and ".join(f"{e.id} of {e.distribution}" for e in defaults)
            raise PluginError(
                f"{kind} {name!r} has more than one default variant, {both}; name one"
            )
        variants = ", ".join(entry.id for entry in family)
        raise PluginError(f"{kind} {name!r} has no default variant; name one of: {variants}")

    def _missing(self, kind: str, name: str) -> str:
        known = ", ".join(entry.id for entry in self.entries(kind)) or "none"
        hint = nearest(name, [entry.id for entry in self.entries(kind)])
        message = f"no {kind} {name!r} is installed{hint} (installed: {known})"
        distribution = known_distribution(kind, name)
        broken = [info for info in self.broken if info.distribution == distribution]
        if broken:
            return f"{message}; {distribution} is installed but broken: {broken[0].error}"
        if distribution:
            return f"{message}; pip install {distribution}"
        for info in self.broken:
            message += f"; plugin {info.name} of {info.distribution} is broken: {info.error}"
        return message

    def load(self, kind: str, name: str) -> Any:
        """The class with that id or family name.

        Raises:
            PluginError: no such id, or a class that cannot be used; see `Entry.load`.
        """
        return self.entry(kind, name).load()
