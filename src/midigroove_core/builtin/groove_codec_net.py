"""The network of the built-in codec: MDCT in, residual vector quantization, MDCT out.

Everything runs on code frames (62.5 a second), channels last: `[B, T, D]`.  A plain linear
transform codec (companded MDCT, principal components, codebooks by k-means) is inside as a skip
path, and the ConvNeXt blocks add to it, so that training starts from something that works.

All context is finite: depthwise convolutions along time with zeros beyond the two ends, and no
normalisation over time.  That is what makes a chunk with enough context equal the whole.

Sources: Zeghidour et al., "SoundStream", 2021, https://arxiv.org/abs/2107.03312 (residual vector
quantization with quantizer dropout); Liu et al., "A ConvNet for the 2020s", 2022,
https://arxiv.org/abs/2201.03545 (blocks); Siuzdak, "Vocos", 2023,
https://arxiv.org/abs/2306.00814 (generating spectral frames at frame rate); Jiang et al.,
"MDCTCodec", 2024, https://arxiv.org/abs/2411.00464 (MDCT frames); Engel et al., "DDSP", 2020,
https://arxiv.org/abs/2001.04643 (filtered noise beside the deterministic part).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from midigroove_core.bounds import SHARE_ABOVE_0, Bounds

_SIZE = Bounds(0, 65_536, whole=True)
_BLOCKS = Bounds(0, 64, whole=True)

HASH_PRIMES = (73856093, 19349663, 83492791, 50331653, 12582917, 25165843, 6291469, 3145739)
MASK_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class NetConfig:
    """Geometry and sizes; `hop_length` is `subframes` MDCT hops."""

    sample_rate: int = 32_000
    hop_length: int = 512
    subframes: int = 4
    num_codebooks: int = 8
    codebook_size: int = 1024
    latent: int = 64
    width: int = 256
    expansion: int = 3
    encoder_blocks: int = 2
    decoder_blocks: int = 5
    kernel: int = 7
    noise_bands: int = 16
    compand: float = 0.7
    first_random_bin: int = 8

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            limits = _BLOCKS if name.endswith("_blocks") else _SIZE
            limits = SHARE_ABOVE_0 if name == "compand" else limits
            limits.check(f"groove_32khz: {name}", value)

    @property
    def bins(self) -> int:
        """MDCT coefficients in one subframe, and its hop in samples."""
        return self.hop_length // self.subframes

    @property
    def encoder_context(self) -> int:
        """Frames to each side of a frame that its codes depend on (1 for the MDCT's overlap)."""
        return self.encoder_blocks * (self.kernel // 2) + 1

    @property
    def decoder_context(self) -> int:
        """Frames to each side of a frame that its samples depend on (noise seed and overlap: 3)."""
        return self.decoder_blocks * (self.kernel // 2) + 3

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def mdct_basis(bins: int) -> Tensor:
    """Windowed MDCT basis `[2 * bins, bins]`, orthonormal with overlap-add (sine window)."""
    time = torch.arange(2 * bins, dtype=torch.float64) + 0.5
    frequency = torch.arange(bins, dtype=torch.float64) + 0.5
    window = torch.sin(math.pi * time / (2 * bins)) * math.sqrt(2 / bins)
    phase = (time + bins / 2)[:, None] * frequency * (math.pi / bins)
    return window[:, None] * torch.cos(phase)


def band_matrix(bands: int, bins: int) -> Tensor:
    """Triangular interpolation `[bands, bins]` from band levels, narrower at the lows, to bins."""
    centres = torch.linspace(0, 1, bands, dtype=torch.float64) ** 2 * (bins - 1)
    place = torch.arange(bins, dtype=torch.float64)
    upper = torch.searchsorted(centres, place, right=False).clamp(1, bands - 1)
    share = (place - centres[upper - 1]) / (centres[upper] - centres[upper - 1])
    matrix = torch.zeros(bands, bins, dtype=torch.float64)
    index = torch.arange(bins)
    matrix[upper - 1, index] = 1 - share
    matrix[upper, index] = share
    return matrix


class Block(nn.Module):
    """ConvNeXt: depthwise convolution along time, then a two-layer perceptron per frame."""

    def __init__(self, width: int, expansion: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Parameter(torch.randn(kernel, width) / math.sqrt(kernel))
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.up = nn.Linear(width, width * expansion)
        self.down = nn.Linear(width * expansion, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor) -> Tensor:
        kernel, frames = self.depthwise.shape[0], x.shape[1]
        padded = functional.pad(x, (0, 0, kernel // 2, kernel // 2))
        mixed = padded[:, :frames] * self.depthwise[0]
        for tap in range(1, kernel):
            mixed = torch.addcmul(mixed, padded[:, tap : tap + frames], self.depthwise[tap])
        return x + self.down(functional.gelu(self.up(self.norm(mixed))))


class GrooveNet(nn.Module):
    """Encoder, codebooks and decoder.  See the module's docstring."""

    basis: Tensor
    bands: Tensor
    codebooks: Tensor

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = c = config
        self.register_buffer("basis", mdct_basis(c.bins).float(), persistent=False)
        self.register_buffer("bands", band_matrix(c.noise_bands, c.bins).float(), persistent=False)
        self.register_buffer("codebooks", torch.randn(c.num_codebooks, c.codebook_size, c.latent))
        size = c.hop_length
        self.analysis = nn.Linear(size, c.latent, bias=False)
        self.synthesis = nn.Linear(c.latent, size, bias=False)
        self.enter = nn.Linear(2 * size, c.width)
        self.encoder = nn.ModuleList(
            Block(c.width, c.expansion, c.kernel) for _ in range(c.encoder_blocks)
        )
        self.encoder_norm = nn.RMSNorm(c.width, eps=1e-6)
        self.latent = nn.Linear(c.width, c.latent)
        self.open = nn.Linear(c.latent, c.width)
        self.decoder = nn.ModuleList(
            Block(c.width, c.expansion, c.kernel) for _ in range(c.decoder_blocks)
        )
        self.decoder_norm = nn.RMSNorm(c.width, eps=1e-6)
        self.tone = nn.Linear(c.width, size)
        self.noise = nn.Linear(c.width, c.subframes * c.noise_bands)
        for layer in (self.latent, self.tone):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.reset_noise()

    def reset_noise(self) -> None:
        """Start the noise low but audible: lower, and its gradient would vanish."""
        nn.init.zeros_(self.noise.weight)
        nn.init.constant_(self.noise.bias, -5.0)

    # -- signal side ---------------------------------------------------------------------------
    def spectrum(self, audio: Tensor) -> Tensor:
        """Audio `[B, T * hop]` to MDCT coefficients `[B, T, hop]`, subframe after subframe."""
        bins = self.config.bins
        padded = functional.pad(audio, (bins, 0))
        frames = padded.unfold(-1, 2 * bins, bins) @ self.basis
        return frames.reshape(audio.shape[0], -1, self.config.hop_length)

    def waveform(self, spectrum: Tensor) -> Tensor:
        """The inverse; only the last `bins` samples of all lack their second half."""
        bins = self.config.bins
        frames = spectrum.reshape(spectrum.shape[0], -1, bins) @ self.basis.T
        first, second = frames[..., :bins], frames[..., bins:]
        whole = functional.pad(first, (0, 0, 0, 1)) + functional.pad(second, (0, 0, 1, 0))
        return whole.flatten(1)[:, bins:]

    def companded(self, spectrum: Tensor) -> Tensor:
        return spectrum * (spectrum.square() + 1e-10) ** ((self.config.compand - 1) / 2)

    def expanded(self, values: Tensor) -> Tensor:
        return values * (values.square() + 1e-10) ** ((1 / self.config.compand - 1) / 2)

    # -- the two halves ------------------------------------------------------------------------
    def analyse(self, audio: Tensor) -> Tensor:
        """Audio `[B, T * hop]` to latents `[B, T, latent]`."""
        spectrum = self.spectrum(audio)
        flat = self.companded(spectrum)
        levels = torch.log(spectrum.abs() + 1e-4) / 3 + 1.5
        hidden = self.enter(torch.cat([flat, levels], -1))
        for block in self.encoder:
            hidden = block(hidden)
        return self.analysis(flat) + self.latent(self.encoder_norm(hidden))

    def synthesise(self, latents: Tensor, codes: Tensor) -> Tensor:
        """Quantized latents `[B, T, latent]` to audio `[B, T * hop]`; codes only seed the noise."""
        hidden = self.open(latents)
        for block in self.decoder:
            hidden = block(hidden)
        hidden = self.decoder_norm(hidden)
        tone = self.expanded(self.synthesis(latents) + self.tone(hidden))
        shape = (*hidden.shape[:2], self.config.subframes, self.config.noise_bands)
        level = torch.exp(self.noise(hidden).clamp(-14, 4)).reshape(shape) @ self.bands
        noise = self.noise_like(codes, tone)
        # From 1 kHz up the codes tell levels but hardly signs, and a decoder left to itself fills
        # in one fixed pattern again and again, which buzzes: so signs are drawn there.
        signs = torch.where(noise > 0, 1.0, -1.0)
        place = torch.arange(self.config.hop_length, device=tone.device) % self.config.bins
        signs = torch.where(place < self.config.first_random_bin, 1.0, signs)
        return self.waveform(tone * signs + level.flatten(2) * noise)

    def noise_like(self, codes: Tensor, like: Tensor) -> Tensor:
        """Noise of unit variance `[B, T, hop]`: a hash of the codes of a frame and the two before.

        The same codes give the same noise on every machine, in any chunk and batch.  Codes of -1
        stand for codebooks left out.
        """
        primes = torch.tensor(HASH_PRIMES[: codes.shape[1]], device=codes.device)
        own = ((codes + 1) * primes[:, None]).sum(1)
        seed = own + 31 * functional.pad(own, (1, 0))[:, :-1]
        seed = (seed + 1009 * functional.pad(own, (2, 0))[:, :-2]) & MASK_32
        place = torch.arange(self.config.hop_length, device=codes.device) * 2654435761
        value = (seed[..., None] + place) & MASK_32
        for _ in range(2):
            value = ((value ^ (value >> 16)) * 0x45D9F3B) & MASK_32
        value = value ^ (value >> 16)
        return (value.to(like.dtype) * 2.0**-31 - 1.0) * math.sqrt(3.0)

    # -- codes ---------------------------------------------------------------------------------
    def quantize(self, latents: Tensor, num_codebooks: int) -> Tensor:
        """Latents `[B, T, latent]` to codes `[B, K, T]`, nearest entry first to last codebook."""
        rest, codes = latents, []
        for book in self.codebooks[:num_codebooks]:
            distance = book.square().sum(1) - 2 * rest @ book.T
            index = distance.argmin(-1)
            codes.append(index)
            rest = rest - functional.embedding(index, book)
        return torch.stack(codes, 1)

    def lookup(self, codes: Tensor) -> Tensor:
        """Codes `[B, K', T]`, the first K' codebooks, to latents `[B, T, latent]`."""
        books = self.codebooks[: codes.shape[1]]
        return sum(
            (functional.embedding(codes[:, k], book) for k, book in enumerate(books)),
            start=torch.zeros((), device=codes.device),
        )
