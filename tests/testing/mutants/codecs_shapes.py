"""Codecs with wrong lengths, types or chunks, and codecs that take what they should refuse."""

from __future__ import annotations

import torch
from support.cache_fixtures import SmearedCodec
from support.loudness_codecs import MultiRateCodec, StereoCodec

from midigroove_core.interfaces.codec_checks import check_latents


class DropsTheLastFrame(StereoCodec):
    """Leaves the frame out that the audio does not fill: the floor for the ceiling."""

    refused_by = "test_lengths"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        codes = super().encode(audio)
        whole = max(1, audio.shape[-1] // self.clock.hop_length)
        return codes[..., :whole]


class OneFrameMore(StereoCodec):
    """Gives a frame more than there is audio for."""

    refused_by = "test_lengths"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        codes = super().encode(audio)
        return torch.cat([codes, codes[..., -1:]], dim=-1)


class TrimsItsAudio(StereoCodec):
    """Decodes to a few samples less than whole frames."""

    refused_by = "test_lengths"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return super().decode_latents(latents)[..., :-8]


class SmallCodes(StereoCodec):
    """Gives codes of 32 bits."""

    refused_by = "test_codes_and_audio_are_plain"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        return super().encode(audio).int()


class TooLargeCodes(StereoCodec):
    """Gives codes beyond what it says is the size of its codebooks."""

    refused_by = "test_codes_and_audio_are_plain"

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        return super().quantize(latents) + 40


class InferenceTensors(StereoCodec):
    """Gives tensors that no model can be trained on."""

    refused_by = "test_codes_and_audio_are_plain"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return super().encode(audio)


class WantsGradients(StereoCodec):
    """Keeps the graph of what it decodes."""

    refused_by = "test_codes_and_audio_are_plain"

    def __init__(self) -> None:
        super().__init__()
        self._carrier.requires_grad_()


class BreaksOnSomeCodes(MultiRateCodec):
    """Plays codes that it never gives itself as NaN."""

    refused_by = "test_any_codes_decode"

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        audio = super().decode(codes, levels)
        return audio / (codes[:, :1].amin(-1, keepdim=True) < 63)


class BreaksOnSilence(MultiRateCodec):
    """Divides by the loudness."""

    refused_by = "test_silence"

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        audio = super().decode(codes, levels)
        return audio / audio.abs().amax(-1, keepdim=True) * 0.3


class BatchDependent(StereoCodec):
    """Looks at the whole batch."""

    refused_by = "test_batch_equals_single"

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return super().analyse(audio * 0.3 / audio.std())


class EncoderReachesFurther(SmearedCodec):
    """Looks two frames to each side and says one."""

    refused_by = "test_encoding_in_chunks"
    encode_reach = (1, 1)


class EncoderIsNotCausal(SmearedCodec):
    """Says that it needs no frame after."""

    refused_by = "test_encoding_in_chunks"
    encode_reach = (2, 0)


class DecoderReachesFurther(StereoCodec):
    """Smears over a frame to each side and says that it does not."""

    refused_by = "test_decoding_in_chunks"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        check_latents(self, latents)
        padded = torch.nn.functional.pad(latents, (1, 1), mode="replicate")
        return super().decode_latents(padded.unfold(2, 3, 1).mean(-1))


class CutsUnequally(StereoCodec):
    """Cuts long takes at a length of its own, not into the equal parts that it should."""

    refused_by = "test_segments"
    encode_reach = None
    segment_frames = 40

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        parts = audio.split(self.segment_frames * self.clock.hop_length, dim=-1)
        found = [super(StereoCodec, self).analyse(part) for part in parts]
        return torch.cat([part * (0.99**number) for number, part in enumerate(found)], dim=-1)


class NaNIsCodeZero(StereoCodec):
    """Takes audio that is not a number for silence."""

    refused_by = "test_wrong_audio_is_refused"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        return super().encode(audio.nan_to_num(0.0, 0.0, 0.0))


class TakesAnyChannels(StereoCodec):
    """Takes the first two of any number of channels."""

    refused_by = "test_wrong_audio_is_refused"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        return super().encode(audio[:, :2])


class TakesDoubles(StereoCodec):
    """Takes audio of 64 bits."""

    refused_by = "test_wrong_audio_is_refused"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        return super().encode(audio.float())


class ClampsCodes(StereoCodec):
    """Takes codes that lie outside its codebooks for the nearest that do not."""

    refused_by = "test_wrong_codes_are_refused"

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        return super().decode(codes.clamp(0, 63), levels)


class TakesAnyInteger(StereoCodec):
    """Takes codes of 32 bits."""

    refused_by = "test_wrong_codes_are_refused"

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        return super().decode(codes.long(), levels)
