"""X-Codec with tiny random weights: the contract, and what is particular to this family."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from midigroove_xcodec.codec import Xcodec16kHz

from midigroove_core.errors import MidigrooveError
from midigroove_core.testing import HubCodecContract
from midigroove_core.testing.signals import drum_like


@cache
def tiny(**arguments: Any) -> Xcodec16kHz:
    """Built once for all tests of the contract, which leave a codec as it was."""
    return Xcodec16kHz(weights="tiny", **arguments)


class TestXcodec16kHz(HubCodecContract):
    faithful = False
    golden = Path(__file__).parent / "golden" / "xcodec_16khz.json"
    golden_tolerance = 0.02

    @pytest.fixture
    def codec(self) -> Xcodec16kHz:
        return tiny()


def test_whole_frames_are_encoded_as_transformers_does() -> None:
    codec = tiny()
    audio = drum_like(codec, 40 * codec.clock.hop_length)
    with torch.no_grad():
        reference = codec._model.encode(audio, bandwidth=2.0).audio_codes
        decoded = codec._model.decode(reference).audio_values
    assert torch.equal(codec.encode(audio), reference)
    assert torch.allclose(codec.decode(reference), decoded, atol=1e-6)


def test_padding_changes_the_codes() -> None:
    """Why takes of unequal lengths must not share a batch: the norm runs over all of the time."""
    codec = tiny()
    audio = drum_like(codec, 60 * codec.clock.hop_length)
    padded = torch.nn.functional.pad(audio, (0, 60 * codec.clock.hop_length))
    assert not torch.equal(codec.encode(padded)[..., :40], codec.encode(audio)[..., :40])
    assert codec.encode_reach is None


def test_parts_are_equal_and_at_most_30_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = tiny()
    assert codec.segment_frames / codec.clock.frame_rate == 30
    lengths: list[int] = []
    encode = codec._model.encode
    monkeypatch.setattr(
        codec._model, "encode", lambda a, **kw: (lengths.append(a.shape[-1]), encode(a, **kw))[1]
    )
    monkeypatch.setattr(Xcodec16kHz, "segment_frames", 100)
    assert codec.encode(drum_like(codec, 201 * 320 - 1)).shape[-1] == 201
    assert lengths == [67 * 320] * 3


@pytest.mark.parametrize("bandwidth, codebooks", [(0.5, 1), (1, 2), (1.5, 3), (2.0, 4), (4.0, 8)])
def test_bandwidth_decides_the_codebooks(bandwidth: float, codebooks: int) -> None:
    codec = tiny(bandwidth=bandwidth)
    assert codec.num_codebooks == len(codec.facts()["codebooks"]) == codebooks
    codes = codec.encode(drum_like(codec, 1000))
    assert codes.shape == (1, codebooks, 4)
    assert codec.decode(codes).shape == (1, 1, 1280)
    assert codec.bits_per_second == 1000 * bandwidth


@pytest.mark.parametrize("bandwidth", [0, 3, True, "2"])
def test_wrong_bandwidth(bandwidth: object) -> None:
    with pytest.raises(MidigrooveError, match="bandwidth must be one of 0.5, 1, 1.5, 2, 4"):
        Xcodec16kHz(weights="tiny", bandwidth=bandwidth)  # type: ignore[arg-type]


def test_reach_of_the_decoder() -> None:
    """By gradients in float64: an output frame depends on no more than the promised context."""
    codec = Xcodec16kHz(weights="tiny")
    model, hop = codec._model.double(), codec.clock.hop_length
    latents = torch.randn(1, 8, 60, dtype=torch.double, requires_grad=True)
    model.acoustic_decoder(latents)[..., 30 * hop : 31 * hop].sum().backward()
    touched = latents.grad[0].abs().sum(0).nonzero().flatten()
    assert max(30 - int(touched.min()), int(touched.max()) - 30) == codec.decode_reach[0]
