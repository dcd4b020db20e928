"""The built-in models, and small ones of other families, fulfil the contract of models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from support.small_models import FlowModel, FramesModel

from midigroove_core.builtin import masked
from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.latent_flow import LatentFlowModel
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.testing import ModelContract

EXAMPLE = Path(__file__).parents[2] / "examples" / "midigroove_example_model" / "src"
sys.path.append(str(EXAMPLE))
from midigroove_example_model.model import MaskedModel  # noqa: E402

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


class TestListeningModel(ModelContract):
    model_class = AutoregressiveModel
    args: ClassVar[dict[str, Any]] = {**SMALL, "head_dim": 16, "span": 8, "sketch": True}


class TestFrames(ModelContract):
    model_class = FramesModel


class TestFlow(ModelContract):
    model_class = FlowModel
    steps = 400


class TestExample(ModelContract):
    """The masked model of examples/midigroove_example_model."""

    model_class = MaskedModel
    args: ClassVar[dict[str, Any]] = {"dim": 32, "layers": 1}


class TestMaskedModel(ModelContract):
    model_class = masked.MaskedModel
    args: ClassVar[dict[str, Any]] = {**SMALL, "head_dim": 16, "coarse": 1, "code_dim": 8}


class TestMaskedModelOfOneStage(ModelContract):
    model_class = masked.MaskedModel
    args: ClassVar[dict[str, Any]] = {**SMALL, "head_dim": 16, "code_dim": 8}


class TestLatentFlowModel(ModelContract):
    model_class = LatentFlowModel
    args: ClassVar[dict[str, Any]] = {**SMALL, "components": 6}
