"""A codec without weights: the levels of 8 bands of each 10 ms, in 64 steps of 1.5 dB."""

from midigroove_core import Codec, FrameClock
from midigroove_core.interfaces.codec import residual_codebooks
from midigroove_core.interfaces.codec_checks import check_audio, check_codes, sha256_of_tensors


class BandVocoder(Codec):
    """Encodes band levels; decoding gives noise the same levels."""

    codec_id = "band_vocoder_24khz"
    clock = FrameClock(sample_rate=24000, hop_length=240)
    codebooks = residual_codebooks(8, 64)
    license = "MIT"
    encode_reach = decode_reach = (0, 0)  # a frame depends on its own samples alone

    def __init__(self, *, seed=0):
        import torch  # here and not at the top: listing codecs must not import torch

        self.seed, edges = seed, torch.tensor([2, 4, 8, 16, 32, 64, 96])
        self.bands = torch.eye(8)[torch.bucketize(torch.arange(121), edges, right=True)]
        noise = torch.fft.rfft(torch.randn(240, generator=torch.Generator().manual_seed(seed)))
        self.noise = noise / (self.levels(noise) @ self.bands.T)

    def levels(self, spectrum):  # [..., 121 bins] -> root mean square of each band [..., 8]
        return (spectrum.abs().square() @ self.bands / self.bands.sum(0)).sqrt()

    def get_config(self):
        return {"seed": self.seed}

    weights_sha = property(lambda self: sha256_of_tensors({"noise": self.noise}))
    device = property(lambda self: self.noise.device)

    def to(self, device):
        self.bands, self.noise = self.bands.to(device), self.noise.to(device)
        return self

    def encode(self, audio):
        import torch

        check_audio(self, audio)
        padded = torch.nn.functional.pad(audio[:, 0].to(self.device), (0, -audio.shape[-1] % 240))
        spectrum = torch.fft.rfft(padded.unflatten(-1, (-1, 240)), norm="ortho")
        decibels = 20 * torch.log10(self.levels(spectrum) + 1e-9)
        return ((decibels + 76.5) / 1.5).round().clamp(0, 63).long().transpose(1, 2).contiguous()

    def decode(self, codes, levels=None):
        import torch

        check_codes(self, codes, levels)
        codes = codes.to(self.device).transpose(1, 2)
        levels = 10 ** ((codes * 1.5 - 76.5) / 20) * (codes > 0)  # level 0 is silence
        return torch.fft.irfft(levels @ self.bands.T * self.noise, norm="ortho").flatten(1)[:, None]
