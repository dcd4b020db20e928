"""What is right and what is wrong with each plugin, for `midigroove plugins`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from midigroove_core.errors import PluginError
from midigroove_core.plugins import contained
from midigroove_core.registry import KINDS, Entry, Registry


@dataclass(frozen=True)
class PluginState:
    """One plugin and what was found about it.

    Attributes:
        name, distribution, version, hooks: as in `PluginInfo`.
        errors: what of it cannot be used, and why; all else of it can.
        warnings: what is odd.
        found: what was loaded and is sound: ids by kind, and commands.
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    found: tuple[str, ...]

    def text(self, *, checked: bool) -> str:
        """One cell of the listing."""
        lines = [*self.errors, *(f"warning: {warning}" for warning in self.warnings)]
        if not self.errors and not checked:
            return "; ".join(["ok", *lines])
        ok = [f"ok: {', '.join(self.found)}"] if self.found else []
        return "\n".join([*lines, *ok]) or "ok"

    def to_json(self) -> dict[str, Any]:
        """All fields, and `error`: the errors in one line, or None."""
        return {**asdict(self), "error": "; ".join(self.errors) or None}


def check_plugins(*, load_classes: bool) -> list[PluginState]:
    """Runs every hook of every plugin.

    Args:
        load_classes: also import every registered class and read the facts of codecs, which can
            take seconds.
    """
    from midigroove_core.cli import build

    registry = Registry()
    _, commands = build(registry.plugins)
    errors: dict[str, list[str]] = {info.name: [] for info in registry.infos}
    found: dict[str, list[str]] = {info.name: [] for info in registry.infos}
    for info in registry.broken:
        errors[info.name].append(str(info.error))
    for trouble in commands.troubles:
        if trouble.reason not in errors[trouble.plugin.name]:
            errors[trouble.plugin.name].append(trouble.reason)
    for entry in (entry for kind in KINDS for entry in registry.entries(kind)):
        fault = _fault(entry, load_classes)
        if fault is None:
            found[entry.plugin].append(f"{entry.kind} {entry.id}")
        for name in {entry.plugin, *entry.rivals} if fault else ():
            errors[name].append(str(fault))
    for info, name in commands.added:
        found[info.name].append(f"command {name}")
    return [
        PluginState(
            info.name, info.distribution, info.version, info.hooks,
            tuple(errors[info.name]), info.warnings, tuple(found[info.name]),
        )
        for info in registry.infos
    ]  # fmt: skip


def _fault(entry: Entry, load: bool) -> str | None:
    try:
        if not load:
            entry.check_string()
            return None
        cls = entry.load()
        if entry.kind == "codec":
            with contained():
                cls.describe()
    except PluginError as error:
        return str(error)
    return None
