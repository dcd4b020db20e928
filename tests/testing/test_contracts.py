"""The built-ins fulfil the contracts that plugin authors subclass."""

from __future__ import annotations

import pytest

from midigroove_core import GridFeaturizer
from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.builtin.paper_grid import PaperGrid
from midigroove_core.testing import FeaturizerContract, PluginContract

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


class TestBuiltinPlugin(PluginContract):
    module = "midigroove_core.builtin.plugin"
