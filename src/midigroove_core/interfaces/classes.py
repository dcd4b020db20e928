"""What can be registered: the base class of each kind, and whether a class is one of that kind."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from typing import Any

_BASES = {
    "codec": ("codec", "Codec"),
    "featurizer": ("featurizer", "GridFeaturizer"),
    "model": ("model", "Model"),
    "embedding": ("embedding", "Embedding"),
    "reader": ("reader", "PerformanceReader"),
    "metric": ("metric", "Metric"),
}
KINDS = tuple(_BASES)
"""Kinds of classes, in the order they are listed in; the hook of each is `register_<kind>s`."""


def base_of(kind: str) -> type:
    """The class that all of a kind derive from; imported here, since that of models needs torch."""
    module, name = _BASES[kind]
    base: type = getattr(importlib.import_module(f"midigroove_core.interfaces.{module}"), name)
    return base


def faults_of_class(kind: str, id: str, cls: Any) -> list[str]:
    """What keeps a class from being used as that kind under that id; empty when it can be.

    It has to derive from the base of its kind, to implement all that is abstract there, to have
    every fact that the base declares, of the type declared there, and to say the id that it is
    registered by.
    """
    base = base_of(kind)
    if not inspect.isclass(cls):
        return [f"it is a {type(cls).__name__}, no class"]
    if not issubclass(cls, base):
        return [f"{cls.__name__} is no subclass of midigroove_core.{base.__name__}"]
    faults = []
    if inspect.isabstract(cls):
        lacks = sorted(getattr(cls, "__abstractmethods__", ()))
        faults.append(f"{cls.__name__} lacks {', '.join(lacks)}")
    faults += _faults_of_facts(base, cls)
    own_id = getattr(cls, f"{kind}_id", id)
    if own_id != id:
        faults.append(f"{cls.__name__} says {kind}_id = {own_id!r}, which is not its id")
    return faults


def _faults_of_facts(base: type, cls: type) -> list[str]:
    """Facts are what the base annotates: those without a value there have to be said."""
    declared = vars(base).get("__annotations__", {})
    missing = [name for name in declared if not hasattr(cls, name)]
    faults = [f"{cls.__name__} does not say its {', '.join(missing)}"] if missing else []
    if missing:
        return faults
    hints = typing.get_type_hints(base)
    for name in declared:
        value = inspect.getattr_static(cls, name)
        if not hasattr(value, "__get__") and not _is_of(value, hints[name]):
            faults.append(f"{cls.__name__}.{name} is {value!r}, expected {declared[name]}")
    return faults


def _is_of(value: object, hint: Any) -> bool:
    """Whether a value is of a type as facts are annotated with; True for types it does not know."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.ClassVar:
        return _is_of(value, inner[0])
    if origin is typing.Literal:
        return value in inner
    if origin in (typing.Union, types.UnionType):
        return any(_is_of(value, one) for one in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = inner[:1] * len(value) if inner[-1] is ... else inner
        return len(value) == len(kinds) and all(map(_is_of, value, kinds))
    if isinstance(hint, type):
        return isinstance(value, hint) and not (hint is int and isinstance(value, bool))
    return True
