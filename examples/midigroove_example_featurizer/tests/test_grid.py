import numpy as np
import pytest
from midigroove_example_featurizer.grid import ThreeDrums

from midigroove_core import DrumPerformance, FrameClock
from midigroove_core.testing import FeaturizerContract, PluginContract


class TestThreeDrums(FeaturizerContract):
    @pytest.fixture
    def featurizer(self):
        return ThreeDrums()


class TestPlugin(PluginContract):
    module = "midigroove_example_featurizer.plugin"


def test_the_louder_of_two_hits_in_a_frame_counts():
    played = DrumPerformance(
        onset_sec=np.array([0.101, 0.102]),
        duration_sec=np.full(2, 0.1),
        pitch=np.array([36, 36]),
        velocity=np.array([127, 40]),
        end_sec=1.0,
    )
    grid = ThreeDrums().featurize(played, FrameClock(16000, 320), 0, 50).values
    assert np.flatnonzero(grid[0]).tolist() == [5] and grid[0, 5] == 1
