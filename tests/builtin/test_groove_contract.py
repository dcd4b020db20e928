"""The codec that ships keeps the contract that others are held to."""

from __future__ import annotations

from pathlib import Path

import pytest

from midigroove_core.builtin.groove_codec import GrooveCodec
from midigroove_core.interfaces.codec import Codec
from midigroove_core.testing import CodecContract


class TestGrooveCodec(CodecContract):
    golden = Path(__file__).parents[1] / "data" / "golden" / "groove_32khz.json"
    latents_exact = False  # the noise of decoded latents is seeded by the codes nearest to them

    @pytest.fixture
    def codec(self) -> Codec:
        return GrooveCodec()
