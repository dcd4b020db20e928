"""The built-ins fulfil the contracts that plugin authors subclass."""

from __future__ import annotations

import pytest
import torch

from midigroove_core import GridFeaturizer, Model
from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.builtin.paper_grid import PaperGrid
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.testing import FeaturizerContract, ModelContract, PluginContract

SIZES = {"num_features": 7, "codebook_sizes": [16, 24, 8]}
WORDS = {"kit": ["a", "b"], "drummer": ["d1", "d2", "d3"], "style": ["rock"]}


class TestExpressiveGrid(FeaturizerContract):
    @pytest.fixture
    def featurizer(self) -> GridFeaturizer:
        return ExpressiveGrid()


class TestPaperGrid(FeaturizerContract):
    @pytest.fixture
    def featurizer(self) -> GridFeaturizer:
        return PaperGrid()


class TestParallelModel(ModelContract):
    @pytest.fixture(params=[True, False], ids=["depth", "plain"])
    def model(self, request: pytest.FixtureRequest) -> Model:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return ParallelModel(
                **SIZES, vocabularies=WORDS, dim=32, layers=2, heads=2, depth=request.param
            )


class TestBuiltinPlugin(PluginContract):
    module = "midigroove_core.builtin.plugin"
