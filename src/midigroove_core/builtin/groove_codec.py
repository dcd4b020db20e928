"""`groove_32khz`: the drum codec that ships with midigroove.

32 kHz mono, 62.5 frames a second, 8 codebooks of 1024 entries: 5 kbit/s.  How it was made and
what it can do, with figures, is in docs/groove_codec.md.
"""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec, residual_codebooks
from midigroove_core.interfaces.codec_checks import check_audio, check_codes, check_latents
from midigroove_core.interfaces.construct import construct
from midigroove_core.structured import decode_json_as

if TYPE_CHECKING:
    import torch

    from midigroove_core.builtin.groove_codec_net import GrooveNet

WEIGHTS = "groove_32khz.safetensors"


class GrooveCodec(Codec):
    """The built-in codec; see `Codec` for the contract.

    Encoding runs in float64 (float32 on devices without it): with 53 bits the rounding, which
    depends on how long a chunk is and how many are in the batch, never changes a code.  Decoding
    runs in float32 and agrees between chunk and whole to about 1e-6.

    Before the first and after the last sample there is silence.  The last 4 ms of the last frame
    fade out, because the transform frame that would complete them is not there.

    Args:
        num_codebooks: how many of the 8 codebooks to use, from the first; fewer is coarser.
        random: build a network of these sizes (`NetConfig` fields) with random weights instead of
            loading any, for tests.
        path: weights other than the shipped ones: a file, or a folder with
            `groove_32khz.safetensors`.

    Raises:
        MidigrooveError: no weights at `path`, or weights that do not fit.
    """

    codec_id: ClassVar[str] = "groove_32khz"
    clock = FrameClock(32_000, 512)
    channels = 1
    codebooks = residual_codebooks(8, 1024)
    decodes_prefix = True
    latent_dim: int | None = 64
    license = "MIT"
    encode_reach: tuple[int, int] | None = (7, 7)
    decode_reach: tuple[int, int] | None = (18, 18)

    def __init__(
        self,
        num_codebooks: int = 8,
        random: dict[str, Any] | None = None,
        path: str | None = None,
    ) -> None:
        self._random = random
        self._net = _random_net(random) if random is not None else _load_net(path)
        config = self._net.config
        if not 1 <= num_codebooks <= config.num_codebooks:
            raise MidigrooveError(
                f"codec {self.codec_id}: num_codebooks must be 1 to {config.num_codebooks}, "
                f"not {num_codebooks}"
            )
        self.codebooks = residual_codebooks(num_codebooks, config.codebook_size)
        self.clock = FrameClock(config.sample_rate, config.hop_length)
        self.latent_dim = config.latent
        self.encode_reach = (config.encoder_context, config.encoder_context)
        self.decode_reach = (config.decoder_context, config.decoder_context)

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"num_codebooks": self.num_codebooks}
        return config if self._random is None else config | {"random": self._random}

    @cached_property
    def weights_sha(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self._net.state_dict().items()):
            digest.update(f"{name} {list(tensor.shape)} ".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @property
    def device(self) -> torch.device:
        return self._net.codebooks.device

    def to(self, device: str | torch.device) -> Self:
        self._net.to(device)
        self.__dict__.pop("_precise", None)
        return self

    @cached_property
    def _precise(self) -> GrooveNet:
        """The network in float64 where the device has it."""
        import copy

        return self._net if self.device.type == "mps" else copy.deepcopy(self._net).double()

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        import torch

        check_audio(self, audio)
        net, hop = self._precise, self.clock.hop_length
        with torch.no_grad():
            mono = audio[:, 0].to(net.basis)
            mono = torch.nn.functional.pad(mono, (0, -mono.shape[1] % hop))
            return net.quantize(net.analyse(mono), self.num_codebooks).clone()

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        import torch

        check_codes(self, codes, levels)
        with torch.no_grad():
            codes = codes[:, : self.num_rows(levels)].to(self.device)
            audio = self._net.synthesise(self._net.lookup(codes), codes)
            return audio[:, None].clone()

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        import torch

        check_codes(self, codes)
        with torch.no_grad():
            return self._net.lookup(codes.to(self.device)).transpose(1, 2).clone()

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents `[B, D, T]` to audio; the noise in it is seeded by the codes nearest to them."""
        import torch

        codes = self.quantize(latents)
        with torch.no_grad():
            frames = latents.to(self.device).transpose(1, 2)
            return self._net.synthesise(frames, codes)[:, None].clone()

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        import torch

        check_latents(self, latents)
        net = self._precise
        with torch.no_grad():
            frames = latents.transpose(1, 2).to(net.basis)
            return net.quantize(frames, self.num_codebooks).clone()


def _random_net(sizes: dict[str, Any]) -> GrooveNet:
    """A network of the given sizes with weights from a fixed seed."""
    import torch

    from midigroove_core.builtin.groove_codec_net import GrooveNet, NetConfig

    config = construct(NetConfig, sizes, "codec groove_32khz: random")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = GrooveNet(config)
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
    return net.eval().requires_grad_(False)


def _weights_file(path: str) -> Path:
    return Path(path) / WEIGHTS if Path(path).is_dir() else Path(path)


def _load_net(path: str | None) -> GrooveNet:
    """The network in a weights file, checked name by name and shape by shape."""
    import torch
    from safetensors import SafetensorError, safe_open

    from midigroove_core.builtin.groove_codec_net import GrooveNet, NetConfig
    from midigroove_core.interfaces.shapes import shapes_without_memory

    shipped = files("midigroove_core") / "assets" / WEIGHTS
    with as_file(shipped) if path is None else nullcontext(_weights_file(path)) as file:
        try:
            with safe_open(file, "pt") as opened:
                config = decode_json_as(
                    (opened.metadata() or {})["config"], NetConfig, f"{file}: config"
                )
                tensors = {name: opened.get_tensor(name) for name in sorted(opened.keys())}
            # A config may claim sizes that fill the memory.
            shapes = shapes_without_memory(lambda: GrooveNet(config))
            if shapes != {name: tuple(value.shape) for name, value in tensors.items()}:
                raise KeyError("other tensors than its config says")
            with torch.random.fork_rng(devices=[]):
                net = GrooveNet(config)
            net.load_state_dict({name: value.float() for name, value in tensors.items()})
        except (OSError, SafetensorError, KeyError, TypeError, RuntimeError) as error:
            raise MidigrooveError(
                f"codec groove_32khz: {file} does not hold its weights: {error}; leave `path` out "
                "to use the ones that ship"
            ) from error
    return net.eval().requires_grad_(False)
