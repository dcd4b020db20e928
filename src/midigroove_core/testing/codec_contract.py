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
from midigroove_core.interfaces.codec import Codec, read_codebooks, split_frames
from midigroove_core.interfaces.codec_checks import check_codes
from midigroove_core.testing.golden import golden_codes
from midigroove_core.testing.signals import drum_like


def _lateness(codec: Codec, audio: torch.Tensor, heard: torch.Tensor) -> float:
    """Seconds by which the loudness of `heard` follows that of `audio`, in steps of 1 ms."""
    step = max(1, codec.clock.sample_rate // 1000)
    one, two = (
        torch.nn.functional.avg_pool1d(sound.square().sum(1), step).sqrt()[0]
        for sound in (audio, heard)
    )
    # Rises, not levels: a codec may smooth the tails.
    one, two = (torch.relu(level.diff()) for level in (one, two))
    shifts = range(-60, 61)
    match = [float((one * torch.roll(two, -shift)).sum()) for shift in shifts]
    return shifts[match.index(max(match))] * step / codec.clock.sample_rate


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
        faithful: whether what is decoded sounds like what was encoded; False for random weights.
        latents_exact: whether decoding `embed(codes)` gives the samples of decoding the codes.
    """

    golden: ClassVar[Path | None] = None
    golden_tolerance: ClassVar[float] = 0.0
    decode_tolerance: ClassVar[float] = 1e-4
    segments_tested: ClassVar[bool] = True
    faithful: ClassVar[bool] = True
    latents_exact: ClassVar[bool] = True

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

    # sound

    def test_hits_stay_where_and_as_loud_as_they_were(self, codec: Codec) -> None:
        if not self.faithful:
            return
        heard = codec.decode(codec.encode(drum_like(codec, codec.clock.sample_rate)))
        audio = drum_like(codec, heard.shape[-1])
        level = 20 * torch.log10(heard.norm() / audio.norm())
        assert abs(float(level)) < 6.0, f"it plays {float(level):.1f} dB louder"
        late = _lateness(codec, audio, heard)
        assert abs(late) <= 0.005, f"it plays {1000 * late:.1f} ms late"

    def test_channels_keep_their_places(self, codec: Codec) -> None:
        if not self.faithful or codec.channels < 2:
            return
        for channel in range(codec.channels):
            audio = drum_like(codec, codec.clock.sample_rate // 2)
            others = [other for other in range(codec.channels) if other != channel]
            audio[:, others] = 0.0
            level = codec.decode(codec.encode(audio))[0].norm(dim=-1)
            assert int(level.argmax()) == channel

    # levels and latents

    def test_levels(self, codec: Codec) -> None:
        """The rows of finer levels are not looked at, and those of the coarser ones are."""
        codes = codec.encode(drum_like(codec, 20 * codec.clock.hop_length))
        whole = codec.decode(codes)
        assert torch.equal(codec.decode(codes, levels=codec.num_levels), whole)
        for levels in (0, codec.num_levels + 1, True):
            with pytest.raises(MidigrooveError, match="levels"):
                codec.decode(codes, levels=levels)
        for levels in range(1, codec.num_levels):
            if not codec.decodes_prefix:
                with pytest.raises(MidigrooveError, match="levels"):
                    codec.decode(codes, levels=levels)
                continue
            part = codec.decode(codes, levels=levels)
            assert part.shape == whole.shape and bool(torch.isfinite(part).all())
            finer = codes.clone()
            for row in range(codec.num_rows(levels), codec.num_codebooks):
                finer[:, row] = (finer[:, row] + 1) % codec.codebooks[row].size
            assert torch.equal(codec.decode(finer, levels=levels), part)
            assert not torch.equal(codec.decode(finer), whole), "finer levels do nothing"

    def test_latents(self, codec: Codec) -> None:
        codes = codec.encode(drum_like(codec, 20 * codec.clock.hop_length, batch=2))
        if codec.latent_dim is None:
            for call in (codec.embed, codec.decode_latents, codec.quantize):
                with pytest.raises(MidigrooveError, match="no latents"):
                    call(codes)
            return
        latents = codec.embed(codes)
        assert latents.shape == (2, codec.latent_dim, codes.shape[-1])
        assert latents.dtype == torch.float32 and not latents.is_inference()
        again = codec.quantize(latents)
        check_codes(codec, again)
        assert again.shape == codes.shape
        heard, whole = codec.decode_latents(latents), codec.decode(codes)
        if self.latents_exact:
            self.assert_close(heard, whole)
        assert heard.shape == whole.shape
        assert abs(float(torch.log10(heard.norm() / whole.norm()))) < 0.05

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
