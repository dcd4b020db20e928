"""The names and shapes of a model's weights, found without making them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from midigroove_core.interfaces.model import Model, ModelSpec

_FILLS = frozenset(
    ("normal_", "uniform_", "zero_", "fill_", "exponential_", "copy_", "mul_", "add_", "div_")
)

Shapes = dict[str, tuple[int, ...]]


class _NothingIsFilled(TorchFunctionMode):
    """Values of tensors without memory mean nothing, and filling such tensors loads a compiler."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = getattr(func, "__name__", "")
        if named in _FILLS or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def shapes_without_memory(
    cls: type[Model], spec: ModelSpec, args: Mapping[str, Any]
) -> Shapes | None:
    """What the weights of a model would be, built on torch's meta device: no memory, whatever the
    arguments ask for. None where the constructor needs values to go on."""
    try:
        with torch.device("meta"), _NothingIsFilled():
            return shapes_of(cls.build(spec, **args))
    except Exception:  # what is wrong with it will be seen when it is built in earnest
        return None


def shapes_of(model: Model) -> Shapes:
    """Name -> shape of each weight."""
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}
