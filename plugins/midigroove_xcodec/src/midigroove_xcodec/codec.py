"""X-Codec over transformers.

Ye et al., "Codec Does Matter: Exploring the Semantic Shortcoming of Codec for Audio Language
Model", 2024 (https://arxiv.org/abs/2408.17175).

This module imports neither torch nor transformers at its top, so that codecs can be listed fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.hub_codec import HubCodec, in_chunks
from midigroove_core.interfaces.codec import residual_codebooks, split_frames

if TYPE_CHECKING:
    import torch


class Xcodec16kHz(HubCodec):
    """X-Codec at 16 kHz: 4 codebooks of 1024 at 50 frames a second at 2 kbit/s (the default).

    Args:
        bandwidth: kbit/s, one of 0.5, 1, 1.5, 2 and 4, with 1, 2, 3, 4 and 8 codebooks.
        weights, seed, path: see `HubCodec`.

    The encoder contains HuBERT, which normalises over all of the time that it sees and attends to
    all of it: no finite context makes a chunk equal to the whole, padding changes every frame, and
    memory grows with the square of the length. So `encode` cuts a take longer than 30 s
    (`segment_frames`) into the fewest equal parts of at most 30 s and encodes each by itself. The
    decoder is a convolution and has no such limit.
    """

    codec_id = "xcodec_16khz"
    hub_repo = "hf-audio/xcodec-hubert-general"
    model_name = "XcodecModel"
    clock = FrameClock(16000, 320)
    codebooks = residual_codebooks(4, 1024)
    decodes_prefix = True
    latent_dim = 1024
    license = "see model card"
    encode_reach = None
    decode_reach = (10, 10)
    segment_frames = 1500
    bandwidths: ClassVar[dict[float, int]] = {0.5: 1, 1.0: 2, 1.5: 3, 2.0: 4, 4.0: 8}
    _decode_chunk_frames: ClassVar[int] = 500

    def __init__(
        self,
        *,
        bandwidth: float = 2.0,
        weights: str = "pretrained",
        seed: int = 0,
        path: str | None = None,
    ) -> None:
        if isinstance(bandwidth, bool) or bandwidth not in self.bandwidths:
            raise MidigrooveError(
                f"{self.codec_id}: bandwidth must be one of "
                f"{', '.join(f'{b:g}' for b in self.bandwidths)} kbit/s, got {bandwidth!r}"
            )
        self.bandwidth = float(bandwidth)
        self.codebooks = residual_codebooks(self.bandwidths[self.bandwidth], 1024)
        super().__init__(weights=weights, seed=seed, path=path)
        self.latent_dim = self._model.config.hidden_size

    def get_config(self) -> dict[str, Any]:
        return {"bandwidth": self.bandwidth, **super().get_config()}

    def _new_config(self, tiny: bool) -> Any:
        from transformers import DacConfig, HubertConfig, XcodecConfig

        acoustic = {"encoder_hidden_size": 64, "decoder_hidden_size": 1024, "hidden_size": 256}
        semantic: dict[str, Any] = {}
        if tiny:
            acoustic = {"encoder_hidden_size": 4, "decoder_hidden_size": 32, "hidden_size": 8}
            semantic = {
                "hidden_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 32,
                "conv_dim": (8,) * 7,
                "num_conv_pos_embeddings": 16,
                "num_conv_pos_embedding_groups": 2,
            }
        dac = DacConfig(downsampling_ratios=[8, 5, 4, 2])
        for name, value in {**acoustic, "upsampling_ratios": [8, 5, 4, 2]}.items():
            setattr(dac, name, value)  # the constructor of DacConfig derives two of these itself
        return XcodecConfig(
            acoustic_model_config=dac, semantic_model_config=HubertConfig(**semantic)
        )

    def _geometry(self, config: Any) -> tuple[int, int, int, int]:
        return config.sample_rate, config.hop_length, config.num_quantizers, config.codebook_size

    def _codebooks(self, model: Any) -> list[torch.Tensor]:
        return [quantizer.codebook.embed for quantizer in model.quantizer.quantizers]

    def _encode(self, audio: torch.Tensor) -> torch.Tensor:
        import torch

        hop = self.clock.hop_length
        parts = split_frames(audio.shape[-1] // hop, self.segment_frames)
        codes = [
            self._model.encode(
                audio[..., start * hop : (start + length) * hop], bandwidth=self.bandwidth
            ).audio_codes
            for start, length in parts
        ]
        return torch.cat(codes, dim=-1)

    def _embed(self, codes: torch.Tensor) -> torch.Tensor:
        return self._model.quantizer.decode(codes.transpose(0, 1))

    def _quantize(self, latents: torch.Tensor) -> torch.Tensor:
        codes = self._model.quantizer.encode(latents, self.bandwidth)
        return codes.transpose(0, 1).contiguous()

    def _decode_chunk(self, latents: torch.Tensor) -> torch.Tensor:
        acoustic = self._model.fc2(latents.transpose(1, 2)).transpose(1, 2)
        return self._model.acoustic_decoder(acoustic)

    def _decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return in_chunks(
            self._decode_chunk,
            latents,
            num_frames=latents.shape[-1],
            chunk_frames=self._decode_chunk_frames,
            reach=self.decode_reach,
        )
