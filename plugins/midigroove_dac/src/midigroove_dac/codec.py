"""DAC, the Descript Audio Codec, over transformers.

Kumar et al., "High-Fidelity Audio Compression with Improved RVQGAN", 2023
(https://arxiv.org/abs/2306.06546).

This module imports neither torch nor transformers at its top, so that codecs can be listed fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.hub_codec import HubCodec, in_chunks
from midigroove_core.interfaces.codec import residual_codebooks

if TYPE_CHECKING:
    import torch


class DacCodec(HubCodec):
    """What the three DAC models share.

    Args:
        num_codebooks: how many of the residual codebooks to use, from the first on; None for all
            that the model has. Any prefix decodes.
        weights, seed, path: see `HubCodec`.

    Encoder and decoder are convolutions that reach 8 and 10 frames to each side,
    so takes of any length are encoded and decoded in chunks that give exactly what the whole gives.
    """

    license = "MIT"
    strides: ClassVar[tuple[int, ...]]
    max_codebooks: ClassVar[int]
    decodes_prefix = True
    latent_dim = 1024
    encode_reach, decode_reach = (8, 8), (10, 10)
    model_name = "DacModel"
    _chunk_sec: ClassVar[int] = 10

    def __init__(
        self,
        *,
        num_codebooks: int | None = None,
        weights: str = "pretrained",
        seed: int = 0,
        path: str | None = None,
    ) -> None:
        wanted = self.max_codebooks if num_codebooks is None else num_codebooks
        if type(wanted) is not int or not 1 <= wanted <= self.max_codebooks:
            raise MidigrooveError(
                f"{self.codec_id}: num_codebooks must be an integer from 1 to "
                f"{self.max_codebooks}, got {num_codebooks!r}"
            )
        self.codebooks = residual_codebooks(wanted, 1024)
        super().__init__(weights=weights, seed=seed, path=path)
        self.latent_dim = self._model.config.hidden_size

    def get_config(self) -> dict[str, Any]:
        return {"num_codebooks": self.num_codebooks, **super().get_config()}

    def _new_config(self, tiny: bool) -> Any:
        from transformers import DacConfig

        sizes: dict[str, Any] = {}
        if tiny:
            sizes = {"encoder_hidden_size": 4, "decoder_hidden_size": 32}
        return DacConfig(
            downsampling_ratios=list(self.strides),
            n_codebooks=self.max_codebooks,
            codebook_size=1024,
            sampling_rate=self.clock.sample_rate,
            **sizes,
        )

    def _geometry(self, config: Any) -> tuple[int, int, int, int]:
        return config.sampling_rate, config.hop_length, config.n_codebooks, config.codebook_size

    def _codebooks(self, model: Any) -> list[torch.Tensor]:
        return [quantizer.codebook.weight for quantizer in model.quantizer.quantizers]

    @property
    def _chunk_frames(self) -> int:
        return self.clock.num_frames(self._chunk_sec * self.clock.sample_rate)

    def _encode(self, audio: torch.Tensor) -> torch.Tensor:
        return in_chunks(
            self._encode_chunk,
            audio,
            num_frames=audio.shape[-1] // self.clock.hop_length,
            chunk_frames=self._chunk_frames,
            reach=self.encode_reach,
        )

    def _encode_chunk(self, audio: torch.Tensor) -> torch.Tensor:
        # Without the feature extractor there is no padding mask, which `encode` does not accept.
        return self._model.encode(audio, n_quantizers=self.num_codebooks).audio_codes

    def _decode(self, codes: torch.Tensor) -> torch.Tensor:
        return in_chunks(
            lambda part: self._decode_chunk(self._embed(part)),
            codes,
            num_frames=codes.shape[-1],
            chunk_frames=self._chunk_frames,
            reach=self.decode_reach,
        )

    def _embed(self, codes: torch.Tensor) -> torch.Tensor:
        return self._model.quantizer.from_codes(codes)[0]

    def _decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return in_chunks(
            self._decode_chunk,
            latents,
            num_frames=latents.shape[-1],
            chunk_frames=self._chunk_frames,
            reach=self.decode_reach,
        )

    def _quantize(self, latents: torch.Tensor) -> torch.Tensor:
        return self._model.quantizer(latents, n_quantizers=self.num_codebooks)[1]

    def _decode_chunk(self, latents: torch.Tensor) -> torch.Tensor:
        import torch

        audio = self._model.decoder(latents)
        # Odd strides lose samples at the end (8 of them at 24 and 16 kHz): make up the last frame.
        missing = self.clock.num_samples(latents.shape[-1]) - audio.shape[-1]
        return torch.nn.functional.pad(audio, (0, missing))


class Dac44kHz(DacCodec):
    """DAC at 44.1 kHz: 9 codebooks of 1024 at 86.13 frames a second, 7.75 kbit/s."""

    codec_id = "dac_44khz"
    hub_repo = "descript/dac_44khz"
    clock = FrameClock(44100, 512)
    strides = (2, 4, 8, 8)
    max_codebooks = 9
    codebooks = residual_codebooks(9, 1024)


class Dac24kHz(DacCodec):
    """DAC at 24 kHz: 32 codebooks of 1024 at 75 frames a second, 24 kbit/s."""

    codec_id = "dac_24khz"
    hub_repo = "descript/dac_24khz"
    clock = FrameClock(24000, 320)
    strides = (2, 4, 5, 8)
    max_codebooks = 32
    codebooks = residual_codebooks(32, 1024)


class Dac16kHz(DacCodec):
    """DAC at 16 kHz: 12 codebooks of 1024 at 50 frames a second, 6 kbit/s."""

    codec_id = "dac_16khz"
    hub_repo = "descript/dac_16khz"
    clock = FrameClock(16000, 320)
    strides = (2, 4, 5, 8)
    max_codebooks = 12
    codebooks = residual_codebooks(12, 1024)
