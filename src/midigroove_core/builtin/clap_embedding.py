"""The embedding `clap`: the audio half of a CLAP model of transformers.

Wu et al., "Large-scale Contrastive Language-Audio Pretraining with Feature Fusion and
Keyword-to-Caption Augmentation", ICASSP 2023, https://arxiv.org/abs/2211.06687. Needs the extra
`midigroove[clap]` and the weights: by default https://huggingface.co/laion/larger_clap_music
(Apache-2.0), or any other CLAP model without feature fusion, such as laion/clap-htsat-unfused.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.hub.transformers_models import quiet, transformers_class
from midigroove_core.hub.weights import cached_snapshot, download
from midigroove_core.hub_codec import exact_float32
from midigroove_core.interfaces.codec_checks import sha256_of_tensors
from midigroove_core.interfaces.construct import construct
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.metrics.spectrum import validate_audio

if TYPE_CHECKING:
    from torch import Tensor

HUB_REPO = "laion/larger_clap_music"
CONFIGS = ("config.json", "preprocessor_config.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""A checkpoint has one of them; the one on the hub has the latter."""


class ClapEmbedding(Embedding):
    """One vector of length 1 for up to 10 s of audio; longer clips give several, half overlapping.

    A shorter clip is repeated as often as it fits in and then followed by silence, which is what
    the network was trained on. Its input is always 10 s long, and so is the time it takes.

    Args:
        folder: `CONFIGS` and one of `WEIGHTS`, as on the hub.
        device: where the network runs.

    Raises:
        MidigrooveError: no transformers, or weights that are missing or do not fit.
    """

    embedding_id: ClassVar[str] = "clap"
    sample_rate = 48000
    license = "Apache-2.0"
    keep_vectors: ClassVar[bool] = True

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        _check_folder(folder)
        try:
            with quiet():
                self._model = _load_model(folder)
                extractor = transformers_class("ClapFeatureExtractor")
                self._extractor = extractor.from_pretrained(folder, local_files_only=True)
        except MidigrooveError:
            raise
        except Exception as error:  # transformers, torch and safetensors raise many kinds here
            cause = (str(error).strip().splitlines() or [""])[0]
            raise InputError(
                f"clap: the checkpoint in {folder} cannot be loaded "
                f"({type(error).__name__}: {cause}); download it again from {HUB_REPO}"
            ) from error
        if self._extractor.sampling_rate != self.sample_rate:
            raise InputError(
                f"clap: {folder / CONFIGS[1]} has sampling_rate {self._extractor.sampling_rate}, "
                f"expected {self.sample_rate}"
            )
        self._sha = sha256_of_tensors(self._model.state_dict())
        self._device = device
        self._model.to(device)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, path: str | None = None, device: str = "cpu"
    ) -> Self:
        if importlib.util.find_spec("transformers") is None:
            raise MidigrooveError("embedding clap needs transformers: pip install midigroove[clap]")
        folder = Path(path) if path is not None else _hub_folder()
        arguments = {**config, "folder": folder, "device": device}
        return construct(cls, arguments, f"embedding {cls.embedding_id}")

    def embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        windows = np.stack([self._filled(w) for w in self._windows(validate_audio(audio))])
        with exact_float32():
            features = self._features(torch.from_numpy(windows).to(self._device))
            found = self._model(features).audio_embeds
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(found, dim=-1).cpu().numpy()
        return vectors

    def front_end(self) -> dict[str, Any]:
        names = ("hop_length", "fft_window_size", "frequency_min", "frequency_max", "padding")
        front_end = {name: getattr(self._extractor, name) for name in names}
        return {**super().front_end(), **front_end, "window_samples": self._window_samples}

    @property
    def weights_sha(self) -> str:
        return self._sha

    @property
    def _window_samples(self) -> int:
        return int(self._extractor.nb_max_samples)

    def _windows(self, audio: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Stretches that the network takes whole: it would draw one at random from longer audio."""
        size = self._window_samples
        if len(audio) <= size:
            return [audio]
        beyond = len(audio) - size
        starts = np.linspace(0, beyond, 1 + round(2 * beyond / size)).round().astype(int)
        return [audio[start : start + size] for start in starts]

    def _filled(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """A window of full length: a shorter one as often as the checkpoint says, then silence."""
        size = self._window_samples
        fits = size // len(window)
        times = {"repeatpad": fits, "repeat": fits + 1}.get(self._extractor.padding, 1)
        repeated = np.tile(window, times)[:size]
        return np.pad(repeated, (0, size - len(repeated)))

    def _features(self, windows: Tensor) -> Tensor:
        """What the network sees of windows [N, S]: mel levels [N, 1, frames, bands] in dB.

        Made on their device. The extractor's own figures, within 2e-4 dB, in a third of its time.
        """
        import torch

        size, hop = self._extractor.fft_window_size, self._extractor.hop_length
        hann = torch.hann_window(size, device=windows.device)
        spectrum = torch.stft(windows, size, hop, window=hann, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        bank = torch.from_numpy(self._extractor.mel_filters_slaney.astype(np.float32))
        mel = bank.T.to(windows.device) @ power
        return (10 * torch.log10(mel.clamp(min=1e-10))).transpose(1, 2)[:, None]


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"clap: {folder} is not a directory; `embedding_path` names the directory")
    missing = [name for name in CONFIGS if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in WEIGHTS):
        missing.append(" or ".join(WEIGHTS))
    if missing:
        raise InputError(
            f"clap: {folder} has no {' and no '.join(missing)}; take them from {HUB_REPO}"
        )


def _hub_folder() -> Path:
    for weights in WEIGHTS:
        folder = cached_snapshot(HUB_REPO, (*CONFIGS, weights))
        if folder is not None:
            return folder
    return download("embedding clap", HUB_REPO, (*CONFIGS, WEIGHTS[1]), "embedding_path")


def _load_model(folder: Path) -> Any:
    """The audio half, strictly; the text half in the file is passed over."""
    model_class = transformers_class("ClapAudioModelWithProjection")
    config = transformers_class("ClapConfig").from_pretrained(folder, local_files_only=True)
    if config.audio_config.enable_fusion:
        raise InputError(
            f"clap: {folder} is a model with feature fusion, which draws parts of the audio at "
            f"random; use one without, such as {HUB_REPO}"
        )
    model, report = model_class.from_pretrained(
        folder,
        config=config.audio_config,
        local_files_only=True,
        dtype="float32",
        output_loading_info=True,
    )
    missing = sorted(report["missing_keys"]) + sorted(str(k) for k in report["mismatched_keys"])
    if missing:
        raise InputError(
            f"clap: the checkpoint in {folder} is not one of CLAP: {len(missing)} weights are "
            f"missing or of another shape, such as {missing[0]}"
        )
    return model.eval().requires_grad_(False)
