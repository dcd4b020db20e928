"""Shapes of every length, batches, and takes in pieces."""

from __future__ import annotations

import torch

from midigroove_core.interfaces.codec import Codec, split_frames
from midigroove_core.interfaces.codec_checks import check_codes
from midigroove_core.testing.codec_contract.base import CodecSuite
from midigroove_core.testing.signals import drum_like


class CodecChunks(CodecSuite):
    """Lengths, dtypes, batches, chunks with the promised context, segments."""

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
