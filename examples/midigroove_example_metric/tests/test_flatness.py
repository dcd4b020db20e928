import numpy as np
import pytest
from midigroove_example_metric.flatness import SpectralFlatness

from midigroove_core.testing import MetricContract, PluginContract


class TestSpectralFlatness(MetricContract):
    @pytest.fixture
    def metric(self):
        return SpectralFlatness()


class TestPlugin(PluginContract):
    module = "midigroove_example_metric.plugin"


def test_hiss_is_above_zero_and_hum_below():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 32000).astype(np.float32)
    tone = (0.1 * np.sin(np.arange(32000) / 10)).astype(np.float32)
    both, metric = noise + tone, SpectralFlatness()
    assert metric.measure(noise, both, 32000, None) > 1
    assert metric.measure(tone, both, 32000, None) < -1
