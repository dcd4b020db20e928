"""Codecs that are not what they say they are, or not always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from support.loudness_codecs import MultiRateCodec, StereoCodec, WideCodec

from midigroove_core.clock import FrameClock
from midigroove_core.interfaces.codec_checks import sha256_of_tensors


class AnotherClock(StereoCodec):
    """Says that its frames are longer than they are."""

    refused_by = "test_lengths"
    clock = FrameClock(16000, 256)

    def __init__(self) -> None:
        super().__init__()
        self.clock = FrameClock(16000, 320)

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        self.clock, said = FrameClock(16000, 256), self.clock
        try:
            return super().analyse(audio)
        finally:
            self.clock = said


class ConstantSha(StereoCodec):
    """Has the same sum whatever its weights are."""

    refused_by = "test_weights_sha_tells_other_weights"
    weights_sha = "0" * 64


class ShapeSha(StereoCodec):
    """Sums the shapes of its weights, not their values."""

    refused_by = "test_weights_sha_tells_other_weights"

    @property
    def weights_sha(self) -> str:
        return sha256_of_tensors({"carrier": torch.zeros_like(self._carrier)})


class ShortSha(StereoCodec):
    """Names its weights by a word."""

    refused_by = "test_weights_sha"
    weights_sha = "v1"


class LosesAnArgument(WideCodec):
    """Is built with an argument that its configuration leaves out."""

    refused_by = "test_config_round_trip"

    def __init__(self, steps: int = 16, seed: int | None = None) -> None:
        super().__init__(steps)
        if seed is not None:
            self._carrier = self._carrier.flip(-1)

    @classmethod
    def built(cls) -> LosesAnArgument:
        return cls(seed=1)


class ConfigOfAnother(WideCodec):
    """Is built again with other sizes than it has."""

    refused_by = "test_config_round_trip"

    def get_config(self) -> dict[str, Any]:
        return {"steps": 8}


class LocalPath(StereoCodec):
    """Says in its configuration where its weights lie on this machine."""

    refused_by = "test_config_has_no_path"

    def __init__(self, file: str = "") -> None:
        super().__init__()

    def get_config(self) -> dict[str, Any]:
        return {"file": str(Path("/weights/stereo.safetensors"))}


class AnyArgument(StereoCodec):
    """Takes any argument, and so a misspelt one too."""

    refused_by = "test_unknown_argument_is_refused"

    def __init__(self, **arguments: object) -> None:
        super().__init__()


class OfInstances:
    """An attribute that a class has not and its instances have."""

    def __get__(self, instance: object, owner: type) -> str:
        if instance is None:
            raise AttributeError("license")
        return "MIT"


class LicenceOnlyWhenBuilt(StereoCodec):
    """Cannot be listed, since it knows its licence only once it is built."""

    refused_by = "test_facts_are_known_without_an_instance"
    license = OfInstances()


class DrawsGlobally(StereoCodec):
    """Dithers with the generator that everybody shares."""

    refused_by = "test_determinism"

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return super().analyse(audio + 0.01 * torch.rand_like(audio))


class Reseeds(StereoCodec):
    """Seeds the generator that everybody shares, to be the same every time."""

    refused_by = "test_determinism"

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return super().decode_latents(latents)


class Remembers(StereoCodec):
    """Goes on from what it encoded before, as a streaming codec does that is never reset."""

    refused_by = "test_determinism"

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        latents = super().analyse(audio)
        latents[..., 0] = (latents[..., 0] + self._last) / 2
        self._last = float(latents[..., -1].mean()) + 0.3
        return latents


class WritesInItsInput(StereoCodec):
    """Clips the caller's own audio."""

    refused_by = "test_input_is_left_alone"

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        codes = super().encode(audio)
        audio.mul_(0.5)
        return codes


class Training(MultiRateCodec):
    """Has a network whose dropout is on."""

    refused_by = "test_eval_mode"

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Dropout(0.0)


class StaysOnItsDevice(StereoCodec):
    """Does not move."""

    refused_by = "test_device"

    def to(self, device: str | torch.device) -> Any:
        return self


class MovesACopy(StereoCodec):
    """Gives another codec where it should move."""

    refused_by = "test_device"

    def to(self, device: str | torch.device) -> Any:
        return StereoCodec().to(device)


class SaysItsDeviceByHeart(StereoCodec):
    """Moves, and says it is where it was."""

    refused_by = "test_device"
    device = torch.device("cpu")
