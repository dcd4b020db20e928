"""The built-in models, and small ones of other families, fulfil the contract of models."""

from __future__ import annotations

from typing import Any, ClassVar

from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.testing import ModelContract

SMALL = {"dim": 16, "layers": 1, "heads": 2, "conv_kernel": 3}


class TestParallelModel(ModelContract):
    model_class = ParallelModel
    args: ClassVar[dict[str, Any]] = {**SMALL, "head_dim": 16}


class TestPlainHeads(ModelContract):
    model_class = ParallelModel
    args: ClassVar[dict[str, Any]] = {
        **SMALL,
        "depth": False,
        "norm": "post",
        "conditions": ["kit"],
    }


class TestAutoregressiveModel(ModelContract):
    model_class = AutoregressiveModel
    args: ClassVar[dict[str, Any]] = {**SMALL, "head_dim": 16, "hide_past": 0.3, "span": 8}
