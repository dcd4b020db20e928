"""Ids to classes: lazy, with the distribution that each id came from."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass, replace
from typing import Any

from midigroove_core.errors import PluginError
from midigroove_core.plugins import LoadedPlugins, PluginInfo, describe, load_plugins

KINDS = ("codec", "featurizer", "model", "embedding")
_HOOKS = {kind: f"register_{kind}s" for kind in KINDS}
_ID = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_KNOWN_PLUGINS = {
    "encodec": "midigroove-encodec",
    "dac": "midigroove-dac",
    "xcodec": "midigroove-xcodec",
}


@dataclass(frozen=True)
class Entry:
    """One registered class.

    Attributes:
        kind: "codec", "featurizer", "model" or "embedding".
        id: registry id.
        import_string: `package.module:Class`.
        distribution: the distribution that registered it.
        version: version of that distribution.
    """

    kind: str
    id: str
    import_string: str
    distribution: str
    version: str

    def load(self) -> Any:
        """Imports the class.

        Raises:
            PluginError: the import fails; names the distribution and the cause.
        """
        try:
            return pkgutil.resolve_name(self.import_string)
        except Exception as error:
            raise PluginError(
                f"{self.kind} {self.id!r} from {self.distribution} {self.version} cannot be "
                f"loaded ({describe(error)}); reinstall or remove {self.distribution}"
            ) from error


class Registry:
    """All ids that the loaded plugins registered.

    Args:
        plugins: from `load_plugins()`; loaded when not given.

    Raises:
        PluginError: two plugins claim one id (both distributions are named), or an id is malformed.
    """

    def __init__(self, plugins: LoadedPlugins | None = None) -> None:
        self.plugins = plugins or load_plugins()
        self.broken: list[PluginInfo] = list(self.plugins.broken)
        self._entries: dict[tuple[str, str], Entry] = {}
        for kind, hook in _HOOKS.items():
            self._collect(kind, getattr(self.plugins.manager.hook, hook))

    def _collect(self, kind: str, hook: Any) -> None:
        # Called one implementation at a time, in order of registration, to know who registers what.
        for implementation in hook.get_hookimpls():
            info = self.plugins.info(implementation.plugin_name)

            def register(id: str, import_string: str, *, _info: Any = info) -> None:
                self._add(Entry(kind, id, import_string, _info.distribution, _info.version))

            try:
                implementation.function(register)
            except PluginError:  # a conflict of ids, or a malformed one: to be mended, not survived
                raise
            except Exception as error:
                self.broken.append(replace(info, error=describe(error)))

    def _add(self, entry: Entry) -> None:
        if not _ID.match(entry.id):
            raise PluginError(
                f"{entry.distribution}: {entry.kind} id {entry.id!r} is not snake_case"
            )
        other = self._entries.get((entry.kind, entry.id))
        if other is not None:
            raise PluginError(
                f"{entry.kind} id {entry.id!r} is claimed by both {other.distribution} and "
                f"{entry.distribution}; uninstall one of them"
            )
        self._entries[entry.kind, entry.id] = entry

    def entries(self, kind: str) -> list[Entry]:
        """All entries of a kind, in order of registration."""
        return [entry for entry in self._entries.values() if entry.kind == kind]

    def entry(self, kind: str, name: str) -> Entry:
        """The entry with that id, or the default variant of the family of that name.

        The family of `dac_44khz` is `dac`; its default variant is the one registered first.

        Raises:
            PluginError: no such id; says what there is, or what to install.
        """
        if (kind, name) in self._entries:
            return self._entries[kind, name]
        family = [e for e in self.entries(kind) if e.id.split("_")[0] == name]
        if family:
            return family[0]
        raise PluginError(self._missing(kind, name))

    def _missing(self, kind: str, name: str) -> str:
        known = ", ".join(entry.id for entry in self.entries(kind)) or "none"
        message = f"no {kind} {name!r} is installed (installed: {known})"
        distribution = _KNOWN_PLUGINS.get(name.split("_")[0]) if kind == "codec" else None
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
            PluginError: no such id, or its import fails.
        """
        return self.entry(kind, name).load()
