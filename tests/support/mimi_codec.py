"""Mimi (24 kHz, causal) as a plugin's author would wrap the model of transformers.

https://huggingface.co/kyutai/mimi; the tests build it with tiny random weights.
"""

from __future__ import annotations

from typing import Any

import torch

from midigroove_core.clock import FrameClock
from midigroove_core.hub_codec import HubCodec
from midigroove_core.interfaces.codec import residual_codebooks

MIMI_PLUGIN = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("mimi_24khz", "support.mimi_codec:Mimi24kHz")
"""
_TINY = {
    "num_filters": 2, "hidden_size": 16, "codebook_dim": 8,
    "vector_quantization_hidden_dimension": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
    "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 16, "sliding_window": 4,
    "upsample_groups": 16,
}  # fmt: skip


class Mimi24kHz(HubCodec):
    """8 of its codebooks, one semantic and seven acoustic: 1.1 kbit/s.

    Both halves are causal: of later frames they see nothing.
    """

    codec_id = "mimi_24khz"
    hub_repo = "kyutai/mimi"
    model_name = "MimiModel"
    clock = FrameClock(24000, 1920)
    codebooks = residual_codebooks(8, 2048)
    license = "CC-BY-4.0"
    decodes_prefix = True
    encode_reach = decode_reach = None  # eight layers of attention over ten seconds each

    def __init__(self, *, weights: str = "pretrained", seed: int = 0, path: str | None = None):
        super().__init__(weights=weights, seed=seed, path=path)
        self.latent_dim = self._model.config.hidden_size
        if weights == "tiny":  # one layer of attention over four latents, two of them in a frame
            self.encode_reach = self.decode_reach = (8, 0)

    def _new_config(self, tiny: bool) -> Any:
        from transformers import MimiConfig

        return MimiConfig(**{"num_quantizers": 8, **(_TINY if tiny else {})})

    def _geometry(self, config: Any) -> tuple[int, int, int, int]:
        return config.sampling_rate, config.frame_size, config.num_quantizers, config.codebook_size

    def _codebooks(self, model: Any) -> list[torch.Tensor]:
        quantizer = model.quantizer
        halves = (quantizer.semantic_residual_vector_quantizer,
                  quantizer.acoustic_residual_vector_quantizer)  # fmt: skip
        return [layer.codebook.embed_sum for half in halves for layer in half.layers]

    def _encode(self, audio: torch.Tensor) -> torch.Tensor:
        return self._quantize(self._model.encoder(audio).latents)

    def _quantize(self, latents: torch.Tensor) -> torch.Tensor:
        codes = self._model.quantizer.encode(latents, self.num_codebooks)
        return codes.transpose(0, 1).contiguous()

    def _embed(self, codes: torch.Tensor) -> torch.Tensor:
        return self._model.quantizer.decode(codes)

    def _decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        return self._model.decoder(latents).audio_values
