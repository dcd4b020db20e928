"""The names and shapes of a network's weights, found without making them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_FILLS = frozenset(
    ("normal_", "uniform_", "zero_", "fill_", "exponential_", "copy_", "mul_", "add_", "div_")
)

_ELEMENTWISE = frozenset(
    ("add", "sub", "mul", "div", "truediv", "true_divide", "pow", "neg", "sin", "cos", "sqrt",
     "rsqrt", "exp", "log", "clamp", "abs", "where")
)  # fmt: skip

Shapes = dict[str, tuple[int, ...]]


class _NothingIsFilled(TorchFunctionMode):
    """Values of tensors without memory mean nothing, and what makes them on torch's meta device
    loads a compiler first, which takes a second."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named, kwargs = getattr(func, "__name__", ""), dict(kwargs or {})
        if named in _FILLS or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        if named in ("randn", "rand"):
            return torch.empty(*args, dtype=kwargs.get("dtype"))
        if named == "arange" and not kwargs.keys() - {"dtype"}:
            return _arange(*args, **kwargs)
        if named == "linspace" and len(args) == 3:
            return torch.empty(args[2], dtype=kwargs.get("dtype"))
        if named == "searchsorted":
            return torch.empty(args[1].shape, dtype=torch.int64)
        if named == "__setitem__":
            return None
        if named == "__getitem__" and isinstance(args[1], Tensor) and args[1].dtype != torch.bool:
            return torch.empty((*args[1].shape, *args[0].shape[1:]), dtype=args[0].dtype)
        if named.strip("_").removeprefix("r") in _ELEMENTWISE or named in _ELEMENTWISE:
            return _elementwise([x for x in args if isinstance(x, Tensor)])
        return func(*args, **kwargs)


def _elementwise(tensors: list[Tensor]) -> Tensor:
    # torch.broadcast_shapes would import sympy.
    sizes = zip_longest(*(reversed(x.shape) for x in tensors), fillvalue=1)
    shape = [max(size) if 0 not in size else 0 for size in sizes][::-1]
    return torch.empty(shape, dtype=max((x.dtype for x in tensors), key=lambda d: d.itemsize))


def _arange(first: float, last: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    start, stop = (0, first) if last is None else (first, last)
    if dtype is None and all(isinstance(x, int) for x in (start, stop, step)):
        dtype = torch.int64
    return torch.empty(max(0, math.ceil((stop - start) / step)), dtype=dtype)


def shapes_without_memory(build: Callable[[], nn.Module]) -> Shapes | None:
    """What the weights of a network would be, built on torch's meta device: no memory, whatever
    sizes are asked for. None where the constructor needs values to go on."""
    try:
        with torch.device("meta"), _NothingIsFilled():
            return shapes_of(build())
    except Exception:  # what is wrong with it will be seen when it is built in earnest
        return None


def shapes_of(network: nn.Module) -> Shapes:
    """Name -> shape of each weight."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
