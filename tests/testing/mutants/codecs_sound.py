"""Codecs whose audio or levels or latents are wrong. `refused_by`: the test that has to fail."""

from __future__ import annotations

import torch
from support.loudness_codecs import MultiRateCodec, StereoCodec

from midigroove_core.interfaces.codec_checks import check_audio, check_codes


class Late(StereoCodec):
    """Plays 20 ms late."""

    refused_by = "test_hits_stay_where_they_were"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        audio = super().decode_latents(latents)
        late = self.clock.sample_rate // 50
        return torch.nn.functional.pad(audio, (late, 0))[..., : audio.shape[-1]]


class Drifting(StereoCodec):
    """Plays 1 % slower, as a frame rate that was rounded up makes it."""

    refused_by = "test_hits_stay_where_they_were"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        audio = super().decode_latents(latents)
        places = (torch.arange(audio.shape[-1]) * 0.99).long()
        return audio[..., places]


class Quiet(StereoCodec):
    """Plays 40 dB too quiet."""

    refused_by = "test_hits_stay_as_loud_as_they_were"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return super().decode_latents(latents) * 0.01


class Normalizing(StereoCodec):
    """Brings what it encodes to full scale, so that a soft take is as loud as a loud one."""

    refused_by = "test_hits_stay_as_loud_as_they_were"

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        peak = audio.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-9)
        return super().analyse(0.5 * audio / peak)


class Silent(StereoCodec):
    """Plays nothing."""

    refused_by = "test_hits_stay_as_loud_as_they_were"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(super().decode_latents(latents))


class Swapping(StereoCodec):
    """Plays the left channel on the right."""

    refused_by = "test_channels_keep_their_places"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return super().decode_latents(latents).flip(1)


class Mono(StereoCodec):
    """Plays the mean of the channels on both."""

    refused_by = "test_channels_keep_their_places"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        audio = super().decode_latents(latents)
        return audio.mean(1, keepdim=True).expand_as(audio).clone()


class Deaf(StereoCodec):
    """Gives the same codes for any audio."""

    refused_by = "test_codes_depend_on_the_audio"

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return torch.full_like(super().analyse(audio), 0.5)


class AllLevels(MultiRateCodec):
    """Decodes all levels however few are asked for."""

    refused_by = "test_levels"

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        check_codes(self, codes, levels)
        return super().decode(codes)


class CoarseOnly(MultiRateCodec):
    """Never looks at the finest level."""

    refused_by = "test_levels"

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        check_codes(self, codes, levels)
        return self.decode_latents(self._vectors(codes, self.num_rows(min(levels or 2, 2))))


class NoPrefix(MultiRateCodec):
    """Says that it decodes all levels or none, and decodes some."""

    refused_by = "test_levels"
    decodes_prefix = False

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        check_codes(self, codes)
        return self.decode_latents(self._vectors(codes, self.num_rows(levels)))


class RowsOutOfOrder(MultiRateCodec):
    """Lists its finest level first."""

    refused_by = "test_facts"
    codebooks = MultiRateCodec.codebooks[::-1]


class OtherLatents(MultiRateCodec):
    """`embed` is not what `decode_latents` reads."""

    refused_by = "test_latents"

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        return super().embed(codes).flip(1)


class WrongQuantizer(MultiRateCodec):
    """`quantize` gives codes of other latents than those it was given."""

    refused_by = "test_latents"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        check_audio(self, audio)
        return super().quantize(self.analyse(audio))

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        return super().quantize(1.0 - latents)


class WrongLatentWidth(MultiRateCodec):
    """Says another width of its latents than they have."""

    refused_by = "test_latents"

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        return super().embed(codes).repeat(1, 2, 1)
