"""What every codec has to do, as a pytest class to subclass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from midigroove_core.atomic import read_json
from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec, split_frames
from midigroove_core.interfaces.codec_checks import check_codes
from midigroove_core.testing.golden import golden_codes
from midigroove_core.testing.signals import drum_like


class CodecContract:
    """Subclass with a fixture `codec` (small: some tests encode a hundred times).

    Attributes:
        golden: JSON file written by `python -m midigroove_core.testing.golden`; a missing file
            fails, since it is made once and on purpose.
        golden_tolerance: share of golden codes that may differ. Codes are the nearest entry of a
            table, and another CPU sums in another order, so a neural codec may need 0.02.
        decode_tolerance: largest difference of two samples that should be equal; neural codecs
            add up floats in another order for another shape.
        segments_tested: whether to encode a take longer than `segment_frames`.
    """

    golden: ClassVar[Path | None] = None
    golden_tolerance: ClassVar[float] = 0.0
    decode_tolerance: ClassVar[float] = 1e-4
    segments_tested: ClassVar[bool] = True

    @pytest.fixture
    def codec(self) -> Codec:
        raise NotImplementedError("a subclass of CodecContract needs a fixture named codec")

    @staticmethod
    def rebuilt(codec: Codec) -> Codec:
        """The codec that the JSON text of this codec's configuration describes."""
        return type(codec).from_config(json.loads(json.dumps(codec.get_config())))

    def assert_close(self, estimated: torch.Tensor, reference: torch.Tensor) -> None:
        assert estimated.shape == reference.shape
        assert (estimated - reference).abs().max() <= self.decode_tolerance

    # facts and configuration

    def test_facts(self, codec: Codec) -> None:
        assert isinstance(codec.clock, FrameClock)
        assert codec.channels >= 1 and codec.num_codebooks >= 1
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

    # shapes

    def test_lengths(self, codec: Codec) -> None:
        """T = ceil(S / hop) and S' = T * hop for 50 lengths around multiples of the hop."""
        hop = codec.clock.hop_length
        offsets = (-(hop // 3), -1, 0, 1, hop // 3)
        lengths = {max(1, m * hop + o) for m in range(1, 11) for o in offsets} | {1, 2}
        assert len(lengths) >= 50
        for num_samples in sorted(lengths):
            codes = codec.encode(drum_like(codec, num_samples))
            frames = -(-num_samples // hop)
            assert codes.shape == (1, codec.num_codebooks, frames), num_samples
            assert codec.decode(codes).shape == (1, codec.channels, frames * hop), num_samples

    def test_codes_and_audio_are_plain(self, codec: Codec) -> None:
        codes = codec.encode(drum_like(codec, 20 * codec.clock.hop_length, batch=2))
        assert codes.dtype == torch.int64
        check_codes(codec, codes)
        audio = codec.decode(codes)
        assert audio.dtype == torch.float32 and bool(torch.isfinite(audio).all())
        assert not audio.requires_grad and not audio.is_inference() and not codes.is_inference()

    def test_codes_depend_on_the_audio(self, codec: Codec) -> None:
        samples = 20 * codec.clock.hop_length
        one, two = drum_like(codec, samples), drum_like(codec, samples, seed=1)
        assert not torch.equal(codec.encode(one), codec.encode(two))

    def test_any_codes_decode(self, codec: Codec) -> None:
        last = torch.tensor([book.size - 1 for book in codec.codebooks])
        for row in (torch.zeros_like(last), last):
            codes = row[None, :, None].repeat(1, 1, 3)
            assert bool(torch.isfinite(codec.decode(codes)).all())

    def test_silence(self, codec: Codec) -> None:
        hop = codec.clock.hop_length
        codes = codec.encode(torch.zeros(2, codec.channels, 12 * hop))
        assert torch.equal(codes[0], codes[1])
        assert bool(torch.isfinite(codec.decode(codes)).all())

    # batches and chunks

    def test_batch_equals_single(self, codec: Codec) -> None:
        audio = drum_like(codec, 15 * codec.clock.hop_length + 7, batch=3)
        together = codec.encode(audio)
        alone = torch.cat([codec.encode(row[None]) for row in audio])
        assert torch.equal(together, alone)
        decoded = torch.cat([codec.decode(row[None]) for row in alone])
        self.assert_close(codec.decode(together), decoded)

    def test_encoding_in_chunks(self, codec: Codec) -> None:
        """With the promised context, every chunk has the codes that the whole has."""
        reach = codec.encode_reach
        if reach is None:
            return  # a whole take at once; test_segments covers how a long one is cut
        hop, chunk = codec.clock.hop_length, 12
        frames = 3 * chunk + sum(reach) + 5
        audio = drum_like(codec, frames * hop - hop // 3)
        whole = codec.encode(audio)
        assert whole.shape[-1] == frames
        for first in range(0, frames, chunk):
            last = min(first + chunk, frames)
            start, stop = max(0, first - reach[0]), min(frames, last + reach[1])
            codes = codec.encode(audio[..., start * hop : stop * hop])
            assert torch.equal(codes[..., first - start : last - start], whole[..., first:last])

    def test_decoding_in_chunks(self, codec: Codec) -> None:
        reach = codec.decode_reach
        if reach is None:
            return  # codes of a whole take at once
        hop, chunk = codec.clock.hop_length, 12
        frames = 3 * chunk + sum(reach) + 5
        codes = codec.encode(drum_like(codec, frames * hop))
        whole = codec.decode(codes)
        for first in range(0, frames, chunk):
            last = min(first + chunk, frames)
            start, stop = max(0, first - reach[0]), min(frames, last + reach[1])
            part = codec.decode(codes[..., start:stop])
            self.assert_close(
                part[..., (first - start) * hop : (last - start) * hop],
                whole[..., first * hop : last * hop],
            )

    def test_segments(self, codec: Codec) -> None:
        """A take longer than `segment_frames` is its equal parts, each encoded by itself."""
        longest = codec.segment_frames
        if longest is None or not self.segments_tested:
            return
        assert codec.encode_reach is None, "chunks with context make segments pointless"
        hop, frames = codec.clock.hop_length, longest + 10
        audio = drum_like(codec, frames * hop)
        parts = [
            codec.encode(audio[..., start * hop : (start + length) * hop])
            for start, length in split_frames(frames, longest)
        ]
        assert len(parts) == 2
        assert torch.equal(codec.encode(audio), torch.cat(parts, dim=-1))

    # determinism

    def test_determinism(self, codec: Codec) -> None:
        audio = drum_like(codec, 10 * codec.clock.hop_length)
        state = torch.get_rng_state()
        codes = codec.encode(audio)
        audio_out = codec.decode(codes)
        other = self.rebuilt(codec)
        assert torch.equal(torch.get_rng_state(), state), "it draws from the global generator"
        torch.manual_seed(1)
        try:
            assert torch.equal(codec.encode(audio), codes)
            assert torch.equal(other.encode(audio), codes)
            assert torch.equal(codec.decode(codes), audio_out)
        finally:
            torch.set_rng_state(state)

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
        if torch.cuda.is_available():
            codec.to("cuda")
            there = codec.encode(audio.to("cuda"))
            assert there.device.type == "cuda" and codec.decode(there).device.type == "cuda"
            assert (there.cpu() == codes).double().mean() >= 0.95
            codec.to("cpu")
            assert torch.equal(codec.encode(audio), codes)

    # wrong input

    @pytest.mark.parametrize(
        "change, says",
        [
            (lambda a: a[0], "shape"),
            (lambda a: a.repeat(1, a.shape[1] + 1, 1), "shape"),
            (lambda a: a[..., :0], "shape"),
            (lambda a: a[:0], "shape"),
            (lambda a: a.double(), "float64"),
            (lambda a: a.index_fill(2, torch.tensor([1]), float("nan")), "NaN"),
            (lambda a: a.index_fill(2, torch.tensor([1]), float("inf")), "NaN or infinite"),
            (lambda a: a.numpy(), "ndarray"),
        ],
        ids=["rank", "channels", "samples", "batch", "dtype", "nan", "inf", "type"],
    )
    def test_wrong_audio_is_refused(self, codec: Codec, change: Any, says: str) -> None:
        with pytest.raises(MidigrooveError, match=f"{codec.codec_id}.*{says}"):
            codec.encode(change(drum_like(codec, 2 * codec.clock.hop_length)))

    @pytest.mark.parametrize(
        "change, says",
        [
            (lambda c: c[0], "shape"),
            (lambda c: c.repeat(1, 2, 1), "shape"),
            (lambda c: c[..., :0], "shape"),
            (lambda c: c.int(), "int32"),
            (lambda c: c - 1, r"\[-1"),
            (lambda c: c + 2**31, str(2**31)),
        ],
        ids=["rank", "codebooks", "frames", "dtype", "negative", "large"],
    )
    def test_wrong_codes_are_refused(self, codec: Codec, change: Any, says: str) -> None:
        with pytest.raises(MidigrooveError, match=f"{codec.codec_id}.*{says}"):
            codec.decode(change(torch.zeros(1, codec.num_codebooks, 3, dtype=torch.int64)))

    # golden codes

    def test_golden_codes(self, codec: Codec) -> None:
        assert self.golden is not None, "set `golden` to the path of the golden file"
        assert self.golden.is_file(), (
            f"{self.golden} is missing; once the codec does what it should, write it with "
            f"python -m midigroove_core.testing.golden {type(codec).__module__}:"
            f"{type(codec).__qualname__} {self.golden.name} --config '{codec.get_config()}'"
        )
        golden = read_json(self.golden)
        assert golden["config"] == codec.get_config()
        assert golden["facts"] == codec.facts()
        codes, reference = golden_codes(codec), torch.tensor(golden["codes"])
        assert codes.shape == reference.shape
        differing = (codes != reference).double().mean().item()
        assert differing <= self.golden_tolerance, f"{differing:.1%} of the codes differ"
