"""ToyCodec fulfils the codec contract, and keeps hits where they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from midigroove_core.errors import MidigrooveError
from midigroove_core.testing import CodecContract, ToyCodec


class TestToyCodec(CodecContract):
    golden = Path(__file__).parents[1] / "data" / "golden" / "toy.json"
    decode_tolerance = 0.0

    @pytest.fixture
    def codec(self) -> ToyCodec:
        return ToyCodec()


def test_silence_stays_silent() -> None:
    codec = ToyCodec()
    codes = codec.encode(torch.zeros(1, 1, 1000))
    assert not codes.any()
    assert not codec.decode(codes).any()


def test_loudness_and_place_survive() -> None:
    codec = ToyCodec()
    audio = torch.zeros(1, 1, 16000)
    audio[..., 5000:5064] = 0.5
    out = codec.decode(codec.encode(audio))[0, 0]
    part = codec.clock.hop_length // codec.num_codebooks
    loud = out.abs().nonzero().flatten()
    assert 5000 - part < int(loud.min()) <= 5000
    assert 5063 <= int(loud.max()) < 5064 + part
    assert out.square().sum() == pytest.approx(64 * 0.25, rel=0.1)


def test_round_trip_of_codes_is_exact() -> None:
    codec = ToyCodec(sample_rate=44100, hop_length=512, num_codebooks=2, codebook_size=256)
    codes = torch.randint(0, 256, (2, 2, 50), generator=torch.Generator().manual_seed(0))
    assert torch.equal(codec.encode(codec.decode(codes)), codes)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(MidigrooveError, match="must divide"):
        ToyCodec(hop_length=100, num_codebooks=3)
