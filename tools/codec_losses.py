"""Spectral losses for training the built-in codec."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


def mel_bank(size: int, sample_rate: int, bands: int) -> Tensor:
    """Triangular mel filters `[size // 2 + 1, bands]`, each summing to one."""

    def to_mel(hertz: np.ndarray | float) -> np.ndarray:
        return 2595 * np.log10(1 + np.asarray(hertz) / 700)

    edges = 700 * (10 ** (np.linspace(0, to_mel(sample_rate / 2), bands + 2) / 2595) - 1)
    place = np.linspace(0, sample_rate / 2, size // 2 + 1)[:, None]
    rising = (place - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - place) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0.0, np.minimum(rising, falling))
    bank = bank[:, bank.sum(0) > 0]
    return torch.tensor(bank / bank.sum(0), dtype=torch.float32)


class SpectralLoss(nn.Module):
    """Five terms, each averaged over resolutions (FFT size, quarter hop, Hann).
    To save time a step draws `sizes_each_step` of the resolutions.

    - `convergence`: || |R| - |E| || / || |R| ||, the figure that the codec is judged by;
    - `wave`: the same with phases, which keeps low drums in place;
    - `mel`: mean absolute difference of log mel amplitudes (nepers), floored;
    - `level`: the same after averaging each band over the crop, against a level bias;
    - `flux`: the same for the rise over about 10 ms in eight wide bands, where the randomness of
      noise averages out: it sharpens attacks and calms flickering tails.
    """

    def __init__(self, config: dict[str, Any], sample_rate: int) -> None:
        super().__init__()
        self.sizes, self.floor = list(config["sizes"]), 10 ** (config["floor_db"] / 20)
        self.sample_rate = sample_rate
        self.each_step = config["sizes_each_step"]
        for size, bands in zip(config["sizes"], config["bands"], strict=True):
            self.register_buffer(f"window{size}", torch.hann_window(size))
            self.register_buffer(f"bank{size}", mel_bank(size, sample_rate, bands))

    def spectrum(self, audio: Tensor, size: int) -> Tensor:
        window = getattr(self, f"window{size}")
        return torch.stft(audio, size, size // 4, window=window, return_complex=True) / (size / 4)

    def flux(self, mel: Tensor, size: int) -> Tensor:
        """Rise over 10 ms in nepers `[B, frames - lag, 8]`, of mel amplitudes `[B, frames, M]`."""
        lag = max(1, round(0.01 * self.sample_rate / (size // 4)))
        wide = functional.adaptive_avg_pool1d(mel.square(), 8)
        level = 0.5 * torch.log(wide + self.floor**2)
        return level[:, lag:] - level[:, :-lag]

    def forward(self, reference: Tensor, estimated: Tensor) -> dict[str, Tensor]:
        names = ("convergence", "wave", "mel", "level", "flux")
        terms = {name: torch.zeros((), device=reference.device) for name in names}
        drawn = [self.sizes[i] for i in torch.randperm(len(self.sizes))[: self.each_step]]
        for size in drawn:
            with torch.no_grad():
                ours = self.spectrum(reference, size)
                our_size = ours.abs()
                norm = our_size.square().mean((1, 2)).sqrt() + 3e-4
            theirs = self.spectrum(estimated, size)
            power = theirs.real.square() + theirs.imag.square()
            their_size = (power + 1e-12).sqrt()
            difference = ours - theirs
            wave = difference.real.square() + difference.imag.square()
            gap = (our_size - their_size).square().mean((1, 2))
            terms["convergence"] += ((gap + 1e-14).sqrt() / norm).mean()
            terms["wave"] += ((wave.mean((1, 2)) + 1e-14).sqrt() / norm).mean()
            bank = getattr(self, f"bank{size}")
            our_mel = our_size.transpose(1, 2) @ bank
            their_mel = their_size.transpose(1, 2) @ bank
            logs = [torch.log(mel + self.floor) for mel in (our_mel, their_mel)]
            rises = [self.flux(mel, size) for mel in (our_mel, their_mel)]
            terms["flux"] += (rises[0] - rises[1]).abs().mean()
            terms["mel"] += (logs[0] - logs[1]).abs().mean()
            means = [torch.log(mel.mean(1) + self.floor) for mel in (our_mel, their_mel)]
            terms["level"] += (means[0] - means[1]).abs().mean()
        return {name: value / len(drawn) for name, value in terms.items()}


def repetition(reference: Tensor, estimated: Tensor) -> Tensor:
    """How much more the output repeats itself from subframe to subframe than the recording does.

    Without this term a decoder fills noisy tails with one fixed pattern a frame, which satisfies
    every magnitude loss and sounds like a buzz at the frame rate.  Both arguments are MDCT
    coefficients `[B, subframes, bins]`.  For lags of 1, 2, 3, 4 and 8 subframes and six bands:
    squared correlation over four subframes, averaged over time; the absolute difference is the
    loss.
    """
    bins = reference.shape[-1]
    edges = [bins // 32 * step for step in (1, 2, 4, 8, 16, 24, 31)]
    total = torch.zeros((), device=reference.device)
    for lag in (1, 2, 3, 4, 8):
        means = []
        for spectrum in (reference, estimated):
            early, late = spectrum[:, :-lag], spectrum[:, lag:]
            parts = [early * late, early.square(), late.square()]
            product, first, second = (
                functional.avg_pool1d(_bands(part, edges).transpose(1, 2), 4) for part in parts
            )
            means.append((product.square() / (first * second + 1e-12)).mean(-1))
        total = total + (means[0] - means[1]).abs().mean()
    return total / 5


def _bands(values: Tensor, edges: list[int]) -> Tensor:
    sizes = [high - low for low, high in zip(edges, edges[1:], strict=False)]
    parts = values[..., edges[0] : edges[-1]].split(sizes, -1)
    return torch.stack([part.sum(-1) for part in parts], -1)
