"""All that a plugin can extend. Read this file first; docs/plugin_hooks.md shows each hook in use.

A plugin is a distribution with an entry point in the group `midigroove` whose module has functions
marked with `midigroove_core.hookimpl`. `register(id, "package.module:Class")` takes an import
string: the class is imported on first use, so listing plugins stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pluggy

if TYPE_CHECKING:
    import typer

EDITION = 2
"""The edition of these hooks and of the contracts behind them. It goes up when a plugin written for
the one before would no longer work; a plugin module says `midigroove_edition = 2`."""

hookspec = pluggy.HookspecMarker("midigroove")


class Register(Protocol):
    """Names a class by id; the import string is resolved on first use.

    `default=True` makes it what the family name alone means: the part of the id before the first
    underscore, as in `--codec dac` for `dac_44khz`.
    """

    def __call__(self, id: str, import_string: str, default: bool = False) -> None: ...


@hookspec
def register_codecs(register: Register) -> None:
    """Register subclasses of `midigroove_core.Codec`."""


@hookspec
def register_featurizers(register: Register) -> None:
    """Register subclasses of `midigroove_core.GridFeaturizer`."""


@hookspec
def register_models(register: Register) -> None:
    """Register subclasses of `midigroove_core.Model`."""


@hookspec
def register_embeddings(register: Register) -> None:
    """Register subclasses of `midigroove_core.Embedding`, the spaces of set distances."""


@hookspec
def register_readers(register: Register) -> None:
    """Register subclasses of `midigroove_core.PerformanceReader`, for files of performances."""


@hookspec
def register_metrics(register: Register) -> None:
    """Register subclasses of `midigroove_core.Metric`, figures of clips that `eval` asks for."""


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands to the `midigroove` program."""
