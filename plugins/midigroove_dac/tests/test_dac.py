"""DAC with tiny random weights: the contract, and what is particular to this family."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from midigroove_dac.codec import Dac16kHz, Dac24kHz, Dac44kHz, DacCodec

from midigroove_core.errors import MidigrooveError
from midigroove_core.testing import HubCodecContract
from midigroove_core.testing.signals import drum_like

GOLDEN = Path(__file__).parent / "golden"
VARIANTS = (Dac44kHz, Dac24kHz, Dac16kHz)


@cache
def tiny(variant: type[DacCodec], **arguments: Any) -> DacCodec:
    """Built once for all tests of the contract, which leave a codec as it was."""
    return variant(weights="tiny", **arguments)


class DacContract(HubCodecContract):
    faithful = False
    golden_tolerance = 0.02


class TestDac44kHz(DacContract):
    golden = GOLDEN / "dac_44khz.json"

    @pytest.fixture
    def codec(self) -> DacCodec:
        return tiny(Dac44kHz)


class TestDac24kHz(DacContract):
    golden = GOLDEN / "dac_24khz.json"

    @pytest.fixture
    def codec(self) -> DacCodec:
        return tiny(Dac24kHz, num_codebooks=4)


class TestDac16kHz(DacContract):
    golden = GOLDEN / "dac_16khz.json"

    @pytest.fixture
    def codec(self) -> DacCodec:
        return tiny(Dac16kHz)


@pytest.mark.parametrize("variant", VARIANTS)
def test_reach_is_the_promised_context(variant: type[DacCodec]) -> None:
    """By gradients in float64: frame 30 depends on no more than the context, and not on less."""
    codec = variant(weights="tiny")
    model, hop = codec._model.double(), codec.clock.hop_length
    audio = torch.randn(1, 1, 60 * hop, dtype=torch.double, requires_grad=True)
    model.encoder(audio)[0, :, 30].sum().backward()
    touched = audio.grad[0, 0].nonzero().flatten()
    reach = max(30 - int(touched.min()) / hop, (int(touched.max()) + 1) / hop - 31)
    assert codec.encode_reach[0] - 1 < reach <= codec.encode_reach[0]
    latents = torch.randn(1, model.config.hidden_size, 60, dtype=torch.double, requires_grad=True)
    model.decoder(latents)[0, 0, 30 * hop : 31 * hop].sum().backward()
    touched = latents.grad[0].abs().sum(0).nonzero().flatten()
    reach = max(30 - int(touched.min()), int(touched.max()) - 30)
    assert reach == codec.decode_reach[0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_whole_frames_are_encoded_as_transformers_does(variant: type[DacCodec]) -> None:
    codec = variant(weights="tiny")
    audio = drum_like(codec, 40 * codec.clock.hop_length)
    with torch.no_grad():
        reference = codec._model.encode(audio).audio_codes
        decoded = codec._model.decode(audio_codes=reference).audio_values[:, None]
    assert torch.equal(codec.encode(audio), reference)
    estimated = codec.decode(reference)
    assert torch.allclose(estimated[..., : decoded.shape[-1]], decoded, atol=1e-6)


def test_24khz_makes_up_for_the_samples_that_the_model_loses() -> None:
    codec = Dac24kHz(weights="tiny", num_codebooks=2)
    codes = codec.encode(drum_like(codec, 24000))
    with torch.no_grad():
        assert codec._model.decode(audio_codes=codes).audio_values.shape[-1] == 23992
    assert codec.decode(codes).shape[-1] == 24000


def test_long_input_runs_in_chunks_that_equal_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Dac24kHz(weights="tiny", num_codebooks=3)
    audio = drum_like(codec, 3 * 24000 + 100)
    whole = codec.encode(audio)
    decoded = codec.decode(whole)
    monkeypatch.setattr(DacCodec, "_chunk_sec", 1)
    assert torch.equal(codec.encode(audio), whole)
    assert torch.allclose(codec.decode(whole), decoded, atol=1e-6)


def test_any_prefix_of_the_codebooks() -> None:
    full, part = Dac44kHz(weights="tiny"), Dac44kHz(weights="tiny", num_codebooks=3)
    audio = drum_like(full, 5000)
    assert part.num_codebooks == len(part.facts()["codebooks"]) == 3
    assert torch.equal(part.encode(audio), full.encode(audio)[:, :3])
    assert part.weights_sha == full.weights_sha
    assert Dac44kHz(weights="tiny", seed=1).weights_sha != full.weights_sha


@pytest.mark.parametrize("value", [0, 10, 1.5, True, "9"])
def test_wrong_number_of_codebooks(value: object) -> None:
    with pytest.raises(MidigrooveError, match="num_codebooks must be an integer from 1 to 9"):
        Dac44kHz(weights="tiny", num_codebooks=value)  # type: ignore[arg-type]
