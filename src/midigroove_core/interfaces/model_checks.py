"""Calls of a model whose results are checked: a plugin's mistake is one line that names it."""

from __future__ import annotations

import torch
from torch import Tensor

from midigroove_core.errors import PluginError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import CodeScores, Loss, Model
from midigroove_core.interfaces.sampling import SamplingConfig


def check_loss(model: Model, loss: object) -> Loss:
    """What `loss` gave, if it is a loss; whether it is finite is for the caller to see.

    Raises:
        PluginError: something else than a `Loss` with a scalar `total` and scalar `logs`.
    """
    if not isinstance(loss, Loss):
        raise _wrong(model, "loss", f"gave a {type(loss).__name__}, expected a Loss")
    if not isinstance(loss.total, Tensor) or loss.total.ndim != 0:
        raise _wrong(model, "loss", f"total is {_what(loss.total)}, expected a scalar tensor")
    for name, value in loss.logs.items():
        if not isinstance(name, str) or not isinstance(value, int | float | Tensor):
            raise _wrong(model, "loss", f"log {name!r} is {_what(value)}, expected a scalar")
        if isinstance(value, Tensor) and value.numel() != 1:
            raise _wrong(model, "loss", f"log {name!r} is {_what(value)}, expected a scalar")
    return loss


def score_codes(model: Model, batch: GridBatch) -> CodeScores:
    """`model.score(batch)`, checked.

    Raises:
        PluginError: results of another type or shape.
    """
    found = model.score(batch)
    assert batch.codes is not None
    if not isinstance(found, CodeScores):
        raise _wrong(model, "score", f"gave a {type(found).__name__}, expected CodeScores")
    for name, kind in (("nll", torch.float32), ("correct", torch.bool)):
        value = getattr(found, name)
        if not isinstance(value, Tensor) or (value.shape, value.dtype) != (batch.codes.shape, kind):
            wanted = f"{kind} {list(batch.codes.shape)}"
            raise _wrong(model, "score", f"{name} is {_what(value)}, expected {wanted}")
    return found


def generate_codes(model: Model, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
    """`model.generate(batch, sampling)`, checked.

    Raises:
        PluginError: codes of another type or shape, out of range, or other ones than were known.
    """
    codes = model.generate(batch, sampling)
    sizes = model.spec.codebook_sizes
    shape = (len(batch.grid), len(sizes), batch.grid.shape[2])
    if not isinstance(codes, Tensor) or (codes.shape, codes.dtype) != (shape, torch.int64):
        wanted = f"torch.int64 {list(shape)}"
        raise _wrong(model, "generate", f"codes are {_what(codes)}, expected {wanted}")
    lowest, highest = codes.amin(dim=(0, 2)).tolist(), codes.amax(dim=(0, 2)).tolist()
    for row, (low, high, size) in enumerate(zip(lowest, highest, sizes, strict=True)):
        if low < 0 or high >= size:
            raise _wrong(
                model, "generate", f"codes of codebook {row} lie in [{low}, {high}], "
                f"expected [0, {size})"
            )  # fmt: skip
    if batch.codes is not None and batch.known.any():
        kept = torch.where(batch.known[:, None], batch.codes == codes, True)
        if not kept.all():
            frames = int((~kept.all(dim=1)).sum())
            raise _wrong(model, "generate", f"{frames} frames that were known have other codes")
    return codes


def _wrong(model: Model, method: str, what: str) -> PluginError:
    return PluginError(f"model {model.model_id}: {method}: {what}")


def _what(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype} {list(value.shape)}"
    return f"a {type(value).__name__}"
