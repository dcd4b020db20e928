"""What is heard: where, how loud, on which side, from how many levels, from latents."""

from __future__ import annotations

import pytest
import torch

from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.interfaces.codec_checks import check_codes
from midigroove_core.testing.codec_contract.base import CodecSuite
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


class CodecSound(CodecSuite):
    """Place, level, channels, levels of codes, latents."""

    @pytest.mark.parametrize("gain", [1.0, 0.1], ids=["loud", "soft"])
    def test_hits_stay_as_loud_as_they_were(self, codec: Codec, gain: float) -> None:
        if not self.faithful:
            return
        audio = gain * drum_like(codec, codec.clock.sample_rate)
        heard = codec.decode(codec.encode(audio))
        level = 20 * torch.log10(heard.norm() / audio.norm())
        assert abs(float(level)) < 6.0, f"it plays {float(level):.1f} dB louder"

    def test_hits_stay_where_they_were(self, codec: Codec) -> None:
        """At the end as at the start: a clock that runs a little fast drifts."""
        if not self.faithful:
            return
        rate = codec.clock.sample_rate
        audio = drum_like(codec, 2 * rate)
        heard = codec.decode(codec.encode(audio))[..., : 2 * rate]
        for part in (slice(0, rate // 2), slice(3 * rate // 2, 2 * rate)):
            late = _lateness(codec, audio[..., part], heard[..., part])
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
        sizes = torch.tensor([book.size for book in codec.codebooks], device=codes.device)
        others = codec.embed((codes + 1) % sizes[:, None])
        missed = (codec.embed(again) - latents).norm()
        if self.faithful:
            assert missed < (others - latents).norm(), "quantize gives codes of something else"
        heard, whole = codec.decode_latents(latents), codec.decode(codes)
        if self.latents_exact:
            self.assert_close(heard, whole)
        assert heard.shape == whole.shape
        assert abs(float(torch.log10(heard.norm() / whole.norm()))) < 0.05
