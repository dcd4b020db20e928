"""The embedding `aisfx`: a network trained to index libraries of sound effects.

Ma and Lerch, "Representation Learning for the Automatic Indexing of Sound Effects Libraries",
ISMIR 2022, https://zenodo.org/record/7316800. The package aisfx 0.1.2 brings the network and its
checkpoint. It pins old releases of numpy and librosa that only its own reading of files needs, so
it is installed without its dependencies, and the spectrogram that the network sees is made here.

That spectrogram is the one of the paper (Essentia's: symmetric Hann window of 2048 samples, hop
1024, 96 triangles on the HTK mel scale that are straight in mel and sum to one, log10(10000 x + 1),
divided by the largest value of the training data), time in rows. The alternative that the package
computes with librosa brings every file to one level and hands the network bands in the place of
frames.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from midigroove_core.errors import MidigrooveError
from midigroove_core.hub_codec import exact_float32
from midigroove_core.interfaces.codec_checks import sha256_of_tensors
from midigroove_core.interfaces.construct import construct
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.metrics.spectrum import validate_audio

if TYPE_CHECKING:
    import torch

SAMPLE_RATE = 44100
WINDOW_SAMPLES, HOP_SAMPLES = 2048, 1024
BANDS = 96
WINDOW_FRAMES = 100
LARGEST = 9.457798957824707
"""Largest value in the spectrograms that the network was trained on, which it knows as 1."""

_INSTALL = "pip install --no-deps aisfx"
_PREFIX = "embedding_net."


class AisfxEmbedding(Embedding):
    """512 numbers for 2.3 s of audio, half overlapping; a shorter clip is followed by silence.

    Level counts: the network was trained on audio as it is.

    Args:
        device: where the network runs.

    Raises:
        MidigrooveError: aisfx is not installed, or is not the version whose network this is.
    """

    embedding_id: ClassVar[str] = "aisfx"
    sample_rate = SAMPLE_RATE
    license = "CC-BY-4.0"
    keep_vectors: ClassVar[bool] = True

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._network = _load_network().eval().requires_grad_(False)
        self._sha = sha256_of_tensors(self._network.state_dict())
        self._network.to(device)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, path: str | None = None, device: str = "cpu"
    ) -> Self:
        if path is not None:
            raise MidigrooveError(
                f"embedding aisfx takes no `embedding_path`: its weights come with {_INSTALL}"
            )
        return construct(cls, {**config, "device": device}, f"embedding {cls.embedding_id}")

    def embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        frames = mel_frames(validate_audio(audio))
        with exact_float32():
            found = self._network(torch.from_numpy(_windows(frames)).to(self._device))
        vectors: NDArray[np.float32] = found.cpu().numpy()
        return vectors

    def front_end(self) -> dict[str, Any]:
        windows = {"window_frames": WINDOW_FRAMES, "hop_samples": HOP_SAMPLES, "bands": BANDS}
        return {**super().front_end(), **windows}

    @property
    def weights_sha(self) -> str:
        return self._sha


def mel_frames(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network sees of mono audio [S]: [frames, BANDS], frame i centred on i hops."""
    count = 1 + len(audio) // HOP_SAMPLES
    padded = np.zeros((count - 1) * HOP_SAMPLES + WINDOW_SAMPLES, np.float32)
    padded[WINDOW_SAMPLES // 2 :][: len(audio)] = audio[: len(padded) - WINDOW_SAMPLES // 2]
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = scipy.fft.rfft(frames * np.hanning(WINDOW_SAMPLES).astype(np.float32), workers=1)
    power = (spectrum.real**2 + spectrum.imag**2) @ _mel_bank()
    scaled: NDArray[np.float32] = np.log10(power * np.float32(1e4) + 1) / np.float32(LARGEST)
    return scaled


@lru_cache(maxsize=1)
def _mel_bank() -> NDArray[np.float32]:
    """Weights [bins, BANDS] of the bands; every band sums to one."""
    hz = np.arange(WINDOW_SAMPLES // 2 + 1) * SAMPLE_RATE / WINDOW_SAMPLES
    mel = np.log1p(hz / 700.0)  # any multiple of the HTK scale gives the same triangles
    edges = np.linspace(0.0, mel[-1], BANDS + 2)
    rising = (mel[:, None] - edges[:-2]) / (edges[1] - edges[0])
    falling = (edges[2:] - mel[:, None]) / (edges[1] - edges[0])
    bank = np.maximum(0.0, np.minimum(rising, falling))
    return (bank / bank.sum(axis=0)).astype(np.float32)


def _windows(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows [N, WINDOW_FRAMES, BANDS], spread evenly, about half overlapping."""
    beyond = len(frames) - WINDOW_FRAMES
    if beyond < 0:
        return np.pad(frames, ((0, -beyond), (0, 0)))[None]
    starts = np.linspace(0, beyond, 1 + round(2 * beyond / WINDOW_FRAMES)).round().astype(int)
    return np.stack([frames[start : start + WINDOW_FRAMES] for start in starts])


def _load_network() -> torch.nn.Module:
    """The network of the installed package, without its classifiers."""
    import torch

    package = importlib.util.find_spec("aisfx")
    if package is None or not package.submodule_search_locations:
        raise MidigrooveError(f"embedding aisfx needs the package aisfx: {_INSTALL}")
    folder = Path(package.submodule_search_locations[0]) / "models"
    try:
        # The module alone: importing the package would need what it was installed without.
        spec = importlib.util.spec_from_file_location("aisfx_cnn2d", folder / "cnn2d.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        with torch.random.fork_rng(devices=[]):  # its constructor draws numbers
            network: torch.nn.Module = module.EmbeddingNet("max", 3, 1, 64)
        weights = _read_checkpoint(folder / "checkpoint.pth")
        network.load_state_dict(
            {k.removeprefix(_PREFIX): v for k, v in weights.items() if k.startswith(_PREFIX)}
        )
    except Exception as error:  # a file that is gone, another version's network: many kinds
        cause = (str(error).strip().splitlines() or [""])[0]
        raise MidigrooveError(
            f"embedding aisfx: the installed package aisfx cannot be used "
            f"({type(error).__name__}: {cause}); reinstall the version known to work: "
            f"{_INSTALL}==0.1.2"
        ) from error
    return network


def _read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Reads tensors and nothing that could run code."""
    import torch
    from torch.serialization import safe_globals

    # Beside the tensors lie numbers of numpy, under the names that they had in numpy 1.
    scalar = np.int64(0).__reduce__()[0]
    allowed: list[Any] = [
        (scalar, "numpy.core.multiarray.scalar"),
        np.dtype,
        type(np.dtype(np.int64)),
    ]
    with safe_globals(allowed):
        weights, _ = torch.load(path, map_location="cpu", weights_only=True)
    return weights
