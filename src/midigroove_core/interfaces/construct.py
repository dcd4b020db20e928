"""Builds a class from its JSON arguments, and names the argument that does not fit."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from midigroove_core.errors import InputError, PluginError

T = TypeVar("T")


def construct(cls: type[T], arguments: Mapping[str, Any], what: str, **given: Any) -> T:
    """`cls(**given, **arguments)`, after a look at its signature.

    Only the names are judged here: what the constructor itself raises, a TypeError from a mistake
    inside it included, is left as it is.

    Args:
        cls: the class.
        arguments: JSON, by name.
        what: what is built, for the error (`codec dac_44khz`).
        given: arguments that core adds, whatever is asked for.

    Raises:
        InputError: an argument that the class does not take, or one that it cannot do without;
            names it, and those that there are.
        PluginError: the class does not take what core gives.
    """
    if not isinstance(arguments, Mapping):
        raise InputError(f"{what}: its arguments are {arguments!r}, expected a JSON object")
    parameters = inspect.signature(cls).parameters.values()
    by_name = {p.name: p for p in parameters if p.kind in _NAMED and p.name not in given}
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    takes = f"it takes {', '.join(by_name)}" if by_name else "it takes none"
    for name in given:
        if name not in inspect.signature(cls).parameters and not takes_any:
            raise PluginError(f"{what}: its constructor does not take {name!r}, as it has to")
    for name in arguments:
        if name in given or (name not in by_name and not takes_any):
            raise InputError(f"{what}: no argument {name!r}; {takes}")
    for name, parameter in by_name.items():
        if parameter.default is inspect.Parameter.empty and name not in arguments:
            raise InputError(f"{what}: argument {name!r} is missing; {takes}")
    return cls(**given, **arguments)


def with_defaults(cls: type, arguments: Mapping[str, Any], *given: str) -> dict[str, Any]:
    """The arguments and, where some are not said, the defaults of the constructor.

    Args:
        cls: the class.
        arguments: by name.
        given: names that core adds and that are left out.
    """
    parameters = inspect.signature(cls).parameters.values()
    defaults = {
        p.name: p.default
        for p in parameters
        if p.kind in _NAMED and p.name not in given and p.default is not inspect.Parameter.empty
    }
    return {**defaults, **arguments}


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
