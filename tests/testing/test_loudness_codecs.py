"""Stereo, levels of several rates, and more entries than 16 bits hold, through the contract."""

from __future__ import annotations

import pytest
from support.loudness_codecs import MultiRateCodec, StereoCodec, WideCodec

from midigroove_core import Codec
from midigroove_core.testing import CodecContract


class WithoutGolden(CodecContract):
    """Codecs of these tests, whose codes may change with them."""

    def test_golden_codes(self, codec: Codec) -> None:
        assert self.golden is None


class TestMultiRateCodec(WithoutGolden):
    @pytest.fixture
    def codec(self) -> Codec:
        return MultiRateCodec()


class TestStereoCodec(WithoutGolden):
    @pytest.fixture
    def codec(self) -> Codec:
        return StereoCodec()


class TestWideCodec(WithoutGolden):
    @pytest.fixture(params=[16, 17], ids=["65,536", "83,521"])
    def codec(self, request: pytest.FixtureRequest) -> Codec:
        return WideCodec(request.param)
