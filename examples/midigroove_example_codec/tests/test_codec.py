from pathlib import Path

import pytest
from midigroove_example_codec.codec import BandVocoder

from midigroove_core.testing import CodecContract, PluginContract


class TestBandVocoder(CodecContract):
    golden = Path(__file__).parent / "band_vocoder_24khz.json"
    golden_tolerance = 0.01

    @pytest.fixture
    def codec(self):
        return BandVocoder()


class TestPlugin(PluginContract):
    module = "midigroove_example_codec.plugin"
