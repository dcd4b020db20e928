"""Commands of plugins: each plugin fills a program of its own, and what is sound is taken over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer

from midigroove_core.errors import PluginError
from midigroove_core.plugins import LoadedPlugins, PluginInfo, contained


@dataclass(frozen=True)
class Trouble:
    """Why a plugin, or a command of it, was left out.

    Attributes:
        plugin: whose it is.
        reason: one line.
        command: the command that was left out; empty when it is more than one.
    """

    plugin: PluginInfo
    reason: str
    command: str = ""

    def __str__(self) -> str:
        info = self.plugin
        return f"plugin {info.name} of {info.distribution} {info.version}: {self.reason}"


@dataclass(frozen=True)
class PluginCommands:
    """What plugins added to the program.

    Attributes:
        added: (plugin, name of a command or group of commands).
        troubles: what was left out; plugins that could not be loaded at all come first.
    """

    added: tuple[tuple[PluginInfo, str], ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class _Offer:
    """One command or group of commands that a plugin offers, under its name."""

    name: str
    plugin: PluginInfo
    command: Any
    group: bool


def add_plugin_commands(app: typer.Typer, plugins: LoadedPlugins) -> PluginCommands:
    """Adds to the program what plugins add, apart from what cannot be.

    A plugin never sees the program itself: it fills an empty one. If that raises, or if one of its
    commands cannot be built, none of its commands are taken over. The names of core's own commands
    are reserved, and a name that two plugins claim is nobody's.
    """
    troubles = [Trouble(info, str(info.error)) for info in plugins.broken]
    scratch: dict[str, typer.Typer] = {}
    raised = plugins.call(
        "register_commands", lambda info: scratch.setdefault(info.name, typer.Typer())
    )
    offers: dict[str, list[_Offer]] = {}
    for name, program in scratch.items():
        info = plugins.info(name)
        if any(info is other for other, _ in raised):
            continue
        try:
            with contained():
                found = _offers(info, program)
        except PluginError as error:
            raised.append((info, f"register_commands adds what cannot be built: {error}"))
            continue
        for offer in found:
            offers.setdefault(offer.name, []).append(offer)
    troubles += [Trouble(info, reason) for info, reason in raised]
    left_out = _take_over(app, offers)
    refused = {(trouble.plugin.name, trouble.command) for trouble in left_out}
    added = [
        (offer.plugin, offer.name)
        for claims in offers.values()
        for offer in claims
        if (offer.plugin.name, offer.name) not in refused
    ]
    return PluginCommands(tuple(added), (*troubles, *left_out))


def _take_over(app: typer.Typer, offers: dict[str, list[_Offer]]) -> list[Trouble]:
    """Adds what has a name of its own; returns the rest."""
    troubles: list[Trouble] = []
    reserved = _names(app) if offers else set()
    for name, claims in offers.items():
        if name in reserved:
            reason = f"its command {name!r} is left out: midigroove has one of that name"
            troubles += [Trouble(claim.plugin, reason, name) for claim in claims]
        elif len(claims) > 1:
            both = " and ".join(claim.plugin.distribution for claim in claims)
            reason = f"its command {name!r} is left out: {both} claim that name; uninstall one"
            troubles += [Trouble(claim.plugin, reason, name) for claim in claims]
        elif claims[0].group:
            app.registered_groups.append(claims[0].command)
        else:
            app.registered_commands.append(claims[0].command)
    return troubles


def _offers(info: PluginInfo, program: typer.Typer) -> list[_Offer]:
    """The commands and groups of a program, each built once to see that it can be."""
    found = [_Offer(_only_name(c, False), info, c, False) for c in program.registered_commands]
    return found + [_Offer(_only_name(g, True), info, g, True) for g in program.registered_groups]


def _only_name(command: Any, group: bool) -> str:
    alone = typer.Typer()
    (alone.registered_groups if group else alone.registered_commands).append(command)
    (name,) = _names(alone)
    return name


def _names(app: typer.Typer) -> set[str]:
    """Names of the commands of a program, as the command line has them."""
    holder = typer.Typer()  # with a callback, else a single command would become the program itself
    holder.callback()(lambda: None)
    holder.registered_commands = app.registered_commands
    holder.registered_groups = app.registered_groups
    return set(typer.main.get_group(holder).commands)
