"""EnCodec with tiny random weights: the contract, and what is particular to this family."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from midigroove_encodec.codec import _CONV_CONTEXT, Encodec24kHz, Encodec32kHz, EncodecCodec

from midigroove_core.errors import MidigrooveError
from midigroove_core.testing import HubCodecContract
from midigroove_core.testing.signals import drum_like

GOLDEN = Path(__file__).parent / "golden"
VARIANTS = (Encodec32kHz, Encodec24kHz)


@cache
def tiny(variant: type[EncodecCodec], **arguments: Any) -> EncodecCodec:
    """Built once for all tests of the contract, which leave a codec as it was."""
    return variant(weights="tiny", **arguments)


class EncodecContract(HubCodecContract):
    faithful = False
    golden_tolerance = 0.02


class TestEncodec32kHz(EncodecContract):
    golden = GOLDEN / "encodec_32khz.json"

    @pytest.fixture
    def codec(self) -> EncodecCodec:
        return tiny(Encodec32kHz)


class TestEncodec24kHz(EncodecContract):
    golden = GOLDEN / "encodec_24khz.json"

    @pytest.fixture
    def codec(self) -> EncodecCodec:
        return tiny(Encodec24kHz)

    def test_checkpoint_with_the_old_names_of_weight_norm(
        self, codec: EncodecCodec, saved: Path
    ) -> None:
        """The published files have weight_g and weight_v."""
        from safetensors.torch import load_file, save_file

        path = saved / "model.safetensors"
        old = {
            name.replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): value
            for name, value in load_file(path).items()
        }
        assert any(name.endswith("weight_g") for name in old)
        save_file(old, path, metadata={"format": "pt"})
        assert self.pretrained(codec, saved).weights_sha == codec.weights_sha


@pytest.mark.parametrize("variant", VARIANTS)
def test_whole_frames_are_encoded_as_transformers_does(variant: type[EncodecCodec]) -> None:
    codec = tiny(variant)
    audio = drum_like(codec, 40 * codec.clock.hop_length)
    with torch.no_grad():
        reference = codec._model.encode(audio, bandwidth=codec.bandwidth).audio_codes
        decoded = codec._model.decode(reference, [None]).audio_values
    assert torch.equal(codec.encode(audio), reference[0])
    assert torch.allclose(codec.decode(reference[0]), decoded, atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_long_takes_equal_the_whole(
    variant: type[EncodecCodec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Convolutions in chunks and the LSTM's state carried on: not what slicing gives."""
    codec = tiny(variant)
    rate = codec.clock.sample_rate
    audio = drum_like(codec, 3 * rate + 100, batch=2)
    whole = codec.encode(audio)
    decoded = codec.decode(whole)
    sliced = torch.cat([codec.encode(audio[..., i * rate : (i + 1) * rate]) for i in range(3)], -1)
    assert not torch.equal(sliced, whole[..., : sliced.shape[-1]])
    monkeypatch.setattr(EncodecCodec, "_chunk_sec", 1)
    assert torch.equal(codec.encode(audio), whole)
    assert torch.allclose(codec.decode(whole), decoded, atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_reach_of_the_convolutions(variant: type[EncodecCodec]) -> None:
    """By gradients in float64: around the LSTM, frames depend on no more than the context."""
    codec = variant(weights="tiny")
    model, hop = codec._model.double(), codec.clock.hop_length
    position = next(i for i, layer in enumerate(model.encoder.layers) if hasattr(layer, "lstm"))
    audio = torch.randn(1, 1, 40 * hop, dtype=torch.double, requires_grad=True)
    torch.nn.Sequential(*model.encoder.layers[:position])(audio)[0, :, 20].sum().backward()
    touched = audio.grad[0, 0].nonzero().flatten()
    assert 20 - int(touched.min()) / hop <= _CONV_CONTEXT
    assert (int(touched.max()) + 1) / hop - 21 <= _CONV_CONTEXT
    position = next(i for i, layer in enumerate(model.decoder.layers) if hasattr(layer, "lstm"))
    width = model.decoder.layers[position].lstm.hidden_size
    features = torch.randn(1, width, 40, dtype=torch.double, requires_grad=True)
    decoded = torch.nn.Sequential(*model.decoder.layers[position + 1 :])(features)
    decoded[..., 20 * hop : 21 * hop].sum().backward()
    touched = features.grad[0].abs().sum(0).nonzero().flatten()
    assert 20 - int(touched.min()) <= _CONV_CONTEXT and int(touched.max()) - 20 <= _CONV_CONTEXT


@pytest.mark.parametrize("bandwidth, codebooks", [(1.5, 2), (3, 4), (6.0, 8), (24.0, 32)])
def test_bandwidth_decides_the_codebooks(bandwidth: float, codebooks: int) -> None:
    codec = Encodec24kHz(weights="tiny", bandwidth=bandwidth)
    assert codec.num_codebooks == len(codec.facts()["codebooks"]) == codebooks
    assert codec.encode(drum_like(codec, 1000)).shape == (1, codebooks, 4)
    assert codec.bits_per_second == 1000 * bandwidth


def test_default_is_not_the_smallest_bandwidth() -> None:
    assert tiny(Encodec24kHz).bandwidth == 6.0
    assert tiny(Encodec32kHz).bandwidth == 2.2 and tiny(Encodec32kHz).num_codebooks == 4


@pytest.mark.parametrize("bandwidth", [0, 2.2, True, "6"])
def test_wrong_bandwidth(bandwidth: object) -> None:
    with pytest.raises(MidigrooveError, match="bandwidth must be one of 1.5, 3.0, 6.0"):
        Encodec24kHz(weights="tiny", bandwidth=bandwidth)  # type: ignore[arg-type]
