"""EnCodec over transformers.

Defossez et al., "High Fidelity Neural Audio Compression", 2022 (https://arxiv.org/abs/2210.13438);
the 32 kHz model is the tokenizer of MusicGen (https://arxiv.org/abs/2306.05284).

This module imports neither torch nor transformers at its top, so that codecs can be listed fast.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.hub_codec import HubCodec, in_chunks
from midigroove_core.interfaces.codec import residual_codebooks

if TYPE_CHECKING:
    import torch

# The convolutions before the encoder's LSTM and after the decoder's reach 2 frames at most.
_CONV_CONTEXT = 4


class EncodecCodec(HubCodec):
    """What the two EnCodec models share.

    Args:
        bandwidth: kbit/s, one of `bandwidths`; it decides the number of codebooks.
        weights, seed, path: see `HubCodec`.

    An LSTM runs over the whole take, so no finite context makes a chunk equal to the whole
    (`encode_reach` is None) and a take has to be given to `encode` whole. Inside, the
    convolutions, which need the memory, run in chunks of ten seconds and only the LSTM sees all
    frames: the result is that of the whole, at any length.
    """

    encode_reach = decode_reach = None
    codebook_size: ClassVar[int]
    decodes_prefix = True
    latent_dim = 128
    bandwidths: ClassVar[tuple[float, ...]]
    default_bandwidth: ClassVar[float]
    _published: ClassVar[dict[str, Any]]
    model_name = "EncodecModel"
    _chunk_sec: ClassVar[int] = 10

    def __init__(
        self,
        *,
        bandwidth: float | None = None,
        weights: str = "pretrained",
        seed: int = 0,
        path: str | None = None,
    ) -> None:
        wanted = self.default_bandwidth if bandwidth is None else bandwidth
        if isinstance(wanted, bool) or wanted not in self.bandwidths:
            raise MidigrooveError(
                f"{self.codec_id}: bandwidth must be one of "
                f"{', '.join(map(str, self.bandwidths))} kbit/s, got {bandwidth!r}"
            )
        self.bandwidth = float(wanted)
        rows = self._num_codebooks(self.bandwidth)
        self.codebooks = residual_codebooks(rows, self.codebook_size)
        super().__init__(weights=weights, seed=seed, path=path)
        self.latent_dim = self._model.config.hidden_size

    @classmethod
    def _num_codebooks(cls, bandwidth: float) -> int:
        bits = math.log2(cls.codebook_size) * float(cls.clock.frame_rate)
        return int(1000 * bandwidth / bits + 1e-6)

    def get_config(self) -> dict[str, Any]:
        return {"bandwidth": self.bandwidth, **super().get_config()}

    def _new_config(self, tiny: bool) -> Any:
        from transformers import EncodecConfig

        sizes = {"num_filters": 2, "hidden_size": 8, "codebook_dim": 8} if tiny else {}
        return EncodecConfig(**{**self._published, **sizes})

    def _geometry(self, config: Any) -> tuple[int, int, int, int]:
        codebooks = self._num_codebooks(max(config.target_bandwidths))
        return config.sampling_rate, config.hop_length, codebooks, config.codebook_size

    def _codebooks(self, model: Any) -> list[torch.Tensor]:
        return [layer.codebook.embed for layer in model.quantizer.layers]

    def _random(self) -> Any:
        # Left as transformers starts them, the biases outweigh the signal by far and every frame
        # would get the same code.
        model = super()._random()
        for name, parameter in model.encoder.named_parameters():
            if "bias" in name:
                parameter.data.zero_()
        for codebook in self._codebooks(model):
            codebook.mul_(0.02)
        return model

    @property
    def _chunk_frames(self) -> int:
        return self.clock.num_frames(self._chunk_sec * self.clock.sample_rate)

    def _encode(self, audio: torch.Tensor) -> torch.Tensor:
        before, lstm, after = _around_lstm(self._model.encoder.layers)
        features = in_chunks(
            before,
            audio,
            num_frames=audio.shape[-1] // self.clock.hop_length,
            chunk_frames=self._chunk_frames,
            reach=(_CONV_CONTEXT, _CONV_CONTEXT),
        )
        return self._quantize(after(self._run_lstm(lstm, features)))

    def _embed(self, codes: torch.Tensor) -> torch.Tensor:
        return self._model.quantizer.decode(codes.transpose(0, 1))

    def _quantize(self, latents: torch.Tensor) -> torch.Tensor:
        codes = self._model.quantizer.encode(latents, self.bandwidth)
        return codes.transpose(0, 1).contiguous()

    def _decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        before, lstm, after = _around_lstm(self._model.decoder.layers)
        return in_chunks(
            after,
            self._run_lstm(lstm, before(latents)),
            num_frames=latents.shape[-1],
            chunk_frames=self._chunk_frames,
            reach=(_CONV_CONTEXT, _CONV_CONTEXT),
        )

    def _run_lstm(self, layer: Any, features: torch.Tensor) -> torch.Tensor:
        """[B, D, T] -> [B, D, T]: the LSTM with its skip connection, state carried on."""
        import torch

        outputs, state = [], None
        for part in features.permute(2, 0, 1).split(self._chunk_frames):
            output, state = layer.lstm(part.contiguous(), state)
            outputs.append(output + part)
        return torch.cat(outputs).permute(1, 2, 0)


def _around_lstm(layers: Any) -> tuple[Any, Any, Any]:
    """The layers before the LSTM, the LSTM, and the layers after it."""
    import torch

    position = next(i for i, layer in enumerate(layers) if hasattr(layer, "lstm"))
    sequence = torch.nn.Sequential
    return sequence(*layers[:position]), layers[position], sequence(*layers[position + 1 :])


class Encodec32kHz(EncodecCodec):
    """EnCodec at 32 kHz: 4 codebooks of 2048 at 50 frames a second, 2.2 kbit/s."""

    codec_id = "encodec_32khz"
    hub_repo = "facebook/encodec_32khz"
    clock = FrameClock(32000, 640)
    codebook_size = 2048
    codebooks = residual_codebooks(4, 2048)
    license = "CC-BY-NC-4.0"
    bandwidths = (2.2,)
    default_bandwidth = 2.2
    _published = {
        "sampling_rate": 32000,
        "upsampling_ratios": [8, 5, 4, 4],
        "codebook_size": 2048,
        "target_bandwidths": [2.2],
        "num_filters": 64,
        "use_causal_conv": False,
        "use_conv_shortcut": False,
    }


class Encodec24kHz(EncodecCodec):
    """EnCodec at 24 kHz: 8 codebooks of 1024 at 75 frames a second at 6 kbit/s (the default)."""

    codec_id = "encodec_24khz"
    hub_repo = "facebook/encodec_24khz"
    clock = FrameClock(24000, 320)
    codebook_size = 1024
    codebooks = residual_codebooks(8, 1024)
    license = "not stated"
    bandwidths = (1.5, 3.0, 6.0, 12.0, 24.0)
    default_bandwidth = 6.0
    _published = {
        "sampling_rate": 24000,
        "upsampling_ratios": [8, 5, 4, 2],
        "codebook_size": 1024,
        "target_bandwidths": [1.5, 3.0, 6.0, 12.0, 24.0],
    }
