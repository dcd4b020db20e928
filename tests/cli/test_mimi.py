"""Mimi, a causal codec with attention, with tiny random weights: the contract, and as typed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

from support.mimi_codec import MIMI_PLUGIN, Mimi24kHz
from support.toy_systems import make_toy_dataset
from support.typed_pipeline import through_all

from midigroove_core import Codec
from midigroove_core.audio import audio_info
from midigroove_core.testing import HubCodecContract


@cache
def tiny() -> Codec:
    return Mimi24kHz(weights="tiny")


class TestMimi(HubCodecContract):
    faithful = False

    @pytest.fixture
    def codec(self) -> Codec:
        return tiny()

    def test_golden_codes(self, codec: Codec) -> None:
        assert self.golden is None  # random weights of whichever transformers is there


def test_from_cache_to_render(tmp_path: Path, install_plugin: Any) -> None:
    install_plugin("mimi-for-tests", MIMI_PLUGIN)
    data = make_toy_dataset(tmp_path / "data", train=2, test=1, end_sec=3.0)
    made = through_all("mimi_24khz", data, tmp_path, "weights=tiny")
    assert audio_info(made.rendered).sample_rate == 24000
