"""What a codec says of itself, and that it is always the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec, read_codebooks
from midigroove_core.testing.codec_contract.base import CodecSuite
from midigroove_core.testing.signals import drum_like


class CodecFacts(CodecSuite):
    """Facts, configuration, weights, determinism, device."""

    def test_facts(self, codec: Codec) -> None:
        assert isinstance(codec.clock, FrameClock)
        assert codec.channels >= 1 and codec.num_codebooks >= 1
        assert read_codebooks(codec.facts()) == codec.codebooks
        order = [(book.level, book.slot) for book in codec.codebooks]
        slots = {book.level: book.slots for book in codec.codebooks}
        levels = [(level, slot) for level in range(len(slots)) for slot in range(slots[level])]
        assert order == levels, "rows are in order of level, coarsest first, then of slot"
        assert codec.license
        assert json.loads(json.dumps(codec.facts())) == codec.facts()
        assert codec.bits_per_second > 0
        assert isinstance(type(codec).weights_here(), bool)

    def test_facts_are_known_without_an_instance(self, codec: Codec) -> None:
        for name in ("codec_id", "clock", "codebooks", "license"):
            assert hasattr(type(codec), name), f"`midigroove codecs` reads {name} off the class"

    def test_config_round_trip(self, codec: Codec) -> None:
        config = codec.get_config()
        again = self.rebuilt(codec)
        assert again.get_config() == config
        assert again.facts() == codec.facts()
        assert again.weights_sha == codec.weights_sha
        audio = drum_like(codec, 3 * codec.clock.hop_length)
        assert torch.equal(again.encode(audio), codec.encode(audio))

    def test_config_has_no_path(self, codec: Codec) -> None:
        config = codec.get_config()
        assert "path" not in config
        assert not [v for v in config.values() if isinstance(v, str) and Path(v).is_absolute()]

    def test_unknown_argument_is_refused(self, codec: Codec) -> None:
        with pytest.raises(MidigrooveError, match="no_such_argument"):
            type(codec).from_config({**codec.get_config(), "no_such_argument": 1})

    def test_weights_sha(self, codec: Codec) -> None:
        assert len(codec.weights_sha) == 64 and int(codec.weights_sha, 16) >= 0

    def test_weights_sha_tells_other_weights(self, codec: Codec) -> None:
        other = self.rebuilt(codec)
        tensors = [value for value in vars(other).values() if isinstance(value, torch.Tensor)]
        for module in vars(other).values():
            if isinstance(module, torch.nn.Module):
                tensors += module.state_dict().values()
        weights = [t for t in tensors if t.is_floating_point() or t.is_complex()]
        if not weights:
            return  # weights that cannot be found cannot be changed
        with torch.no_grad():
            for tensor in weights:
                tensor.add_(1.0)
        assert other.weights_sha != codec.weights_sha

    def test_determinism(self, codec: Codec) -> None:
        audio = drum_like(codec, 10 * codec.clock.hop_length)
        before = torch.get_rng_state()
        try:
            state = torch.manual_seed(20_101).get_state()
            codes = codec.encode(audio)
            audio_out = codec.decode(codes)
            other = self.rebuilt(codec)
            unmoved = torch.equal(torch.get_rng_state(), state)
            assert unmoved, "it draws from the global generator, or seeds it"
            torch.manual_seed(1)
            assert torch.equal(codec.encode(audio), codes)
            assert torch.equal(other.encode(audio), codes)
            assert torch.equal(codec.decode(codes), audio_out)
        finally:
            torch.set_rng_state(before)

    def test_input_is_left_alone(self, codec: Codec) -> None:
        audio = drum_like(codec, 4 * codec.clock.hop_length)
        kept = audio.clone()
        codes = codec.encode(audio)
        kept_codes = codes.clone()
        codec.decode(codes)
        assert torch.equal(audio, kept) and torch.equal(codes, kept_codes)

    def test_eval_mode(self, codec: Codec) -> None:
        modules = [v for v in vars(codec).values() if isinstance(v, torch.nn.Module)]
        for module in modules:
            training = [name for name, part in module.named_modules() if part.training]
            assert not training, "dropout, of quantizers too, is on in train mode"

    def test_device(self, codec: Codec) -> None:
        audio = drum_like(codec, 10 * codec.clock.hop_length)
        codes = codec.encode(audio)
        assert codec.to("cpu") is codec
        assert codec.device.type == "cpu" and codec.encode(audio).device.type == "cpu"
        # No values there, but every machine has it: whether `to` moves the weights at all.
        assert self.rebuilt(codec).to("meta").device.type == "meta"
        if torch.cuda.is_available():
            codec.to("cuda")
            there = codec.encode(audio.to("cuda"))
            assert there.device.type == "cuda" and codec.decode(there).device.type == "cuda"
            assert (there.cpu() == codes).double().mean() >= 0.95
            codec.to("cpu")
            assert torch.equal(codec.encode(audio), codes)
