"""A base for codecs whose weights are a Hugging Face checkpoint (config.json, model.safetensors).

It finds the two files (local directory, hub cache, hub), loads them strictly and without noise,
builds random weights from a configuration, pads to whole frames, and runs long input in chunks. A
plugin adds what is particular to its model family. Importing this module imports neither torch nor
transformers, and core itself does not need transformers: the plugin that uses this class does.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.hub.transformers_models import quiet, transformers_class
from midigroove_core.hub.weights import FILES, cached_snapshot, download
from midigroove_core.interfaces.codec import Codec
from midigroove_core.interfaces.codec_checks import (
    check_audio,
    check_codes,
    check_latents,
    sha256_of_tensors,
)

if TYPE_CHECKING:
    import torch

WEIGHTS = ("pretrained", "random", "tiny")


class HubCodec(Codec):
    """A codec over a model of transformers.

    Args:
        weights: `pretrained`; `random`, the full geometry with random weights, for measuring speed
            and memory without the hub; or `tiny`, the same clock, K and V with a few channels, for
            tests.
        seed: seed of `random` and `tiny` weights.
        path: local directory with config.json and model.safetensors, instead of the hub.

    Attributes:
        hub_repo: repository of the pretrained weights.
        model_name: the model's class in transformers.

    Raises:
        MidigrooveError: an unknown argument, or weights that are missing or do not fit; says what
            to do.
    """

    hub_repo: ClassVar[str]
    model_name: ClassVar[str]

    def __init__(self, *, weights: str = "pretrained", seed: int = 0, path: str | None = None):
        if weights not in WEIGHTS:
            raise MidigrooveError(
                f"{self.codec_id}: weights must be one of {', '.join(WEIGHTS)}, got {weights!r}"
            )
        if path is not None and weights != "pretrained":
            raise MidigrooveError(f"{self.codec_id}: {weights} weights take no path")
        self._weights = weights
        self._seed = seed
        self._sha: str | None = None
        self._model = self._load(path) if weights == "pretrained" else self._random()
        self._model.eval().requires_grad_(False)

    @abstractmethod
    def _new_config(self, tiny: bool) -> Any:
        """The configuration of the published model, or one with few channels and the same facts."""

    @abstractmethod
    def _geometry(self, config: Any) -> tuple[int, int, int, int]:
        """(sample rate, hop length, codebooks the model has, codebook size) of a configuration."""

    @abstractmethod
    def _codebooks(self, model: Any) -> list[torch.Tensor]:
        """The codebooks of a model, [V, D] each, for random initialisation."""

    @abstractmethod
    def _encode(self, audio: torch.Tensor) -> torch.Tensor:
        """[B, C, T * hop] -> codes [B, K, T]."""

    @abstractmethod
    def _embed(self, codes: torch.Tensor) -> torch.Tensor:
        """codes [B, K', T] of the first K' <= K rows -> latents [B, D, T]."""

    @abstractmethod
    def _decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """latents [B, D, T] -> [B, C, T * hop]."""

    @abstractmethod
    def _quantize(self, latents: torch.Tensor) -> torch.Tensor:
        """latents [B, D, T] -> codes [B, K, T]."""

    def _decode(self, codes: torch.Tensor) -> torch.Tensor:
        """codes [B, K', T] of the first K' <= K rows -> [B, C, T * hop]."""
        return self._decode_latents(self._embed(codes))

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"weights": self._weights}
        if self._weights != "pretrained":
            config["seed"] = self._seed
        return config

    @classmethod
    def weights_here(cls) -> bool:
        return cached_snapshot(cls.hub_repo) is not None

    @property
    def weights_sha(self) -> str:
        if self._sha is None:
            self._sha = sha256_of_tensors(self._model.state_dict())
        return self._sha

    @property
    def device(self) -> torch.device:
        return next(self._model.parameters()).device

    def to(self, device: str | torch.device) -> Self:
        self._model.to(device)
        return self

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        """See `Codec.encode`; the last frame is filled up with silence."""
        import torch

        check_audio(self, audio)
        num_frames = self.clock.num_frames(audio.shape[-1])
        missing = self.clock.num_samples(num_frames) - audio.shape[-1]
        with exact_float32():
            padded = torch.nn.functional.pad(audio.to(self.device), (0, missing))
            return self._encode(padded)

    def decode(self, codes: torch.Tensor, levels: int | None = None) -> torch.Tensor:
        """See `Codec.decode`."""
        check_codes(self, codes, levels)
        with exact_float32():
            return self._decode(codes[:, : self.num_rows(levels)].to(self.device))

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """See `Codec.embed`."""
        check_codes(self, codes)
        with exact_float32():
            return self._embed(codes.to(self.device))

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """See `Codec.decode_latents`."""
        check_latents(self, latents)
        with exact_float32():
            return self._decode_latents(latents.to(self.device))

    def quantize(self, latents: torch.Tensor) -> torch.Tensor:
        """See `Codec.quantize`."""
        check_latents(self, latents)
        with exact_float32():
            return self._quantize(latents.to(self.device))

    def _random(self) -> Any:
        import torch

        config = self._new_config(self._weights == "tiny")
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(self._seed)
            model = transformers_class(self.model_name)(config)
            for codebook in self._codebooks(model):
                # transformers starts some of them at zero, where every frame gets the same code
                codebook.data.normal_(std=config.codebook_size**-0.5)
        return model

    def _load(self, path: str | None) -> Any:
        folder = _local_folder(self.codec_id, path) if path else self._hub_folder()
        model_class = transformers_class(self.model_name)
        try:
            with quiet():
                config = model_class.config_class.from_pretrained(folder, local_files_only=True)
                self._check_geometry(folder, config)
                model, report = model_class.from_pretrained(
                    folder,
                    config=config,
                    local_files_only=True,
                    use_safetensors=True,
                    dtype="float32",
                    output_loading_info=True,
                )
        except MidigrooveError:
            raise
        except Exception as error:  # transformers and safetensors raise many kinds here
            cause = (str(error).strip().splitlines() or [""])[0]
            raise InputError(
                f"{self.codec_id}: the checkpoint in {folder} cannot be loaded "
                f"({type(error).__name__}: {cause}); download it again from {self.hub_repo}"
            ) from error
        missing = sorted(report["missing_keys"]) + sorted(str(k) for k in report["mismatched_keys"])
        if missing:
            raise InputError(
                f"{self.codec_id}: the checkpoint in {folder} is not one of this codec: "
                f"{len(missing)} weights are missing or of another shape, such as {missing[0]}"
            )
        return model

    def _check_geometry(self, folder: Path, config: Any) -> None:
        names = ("sample rate", "hop length", "codebooks", "codebook size")
        size = self.codebooks[0].size
        wanted = (*self.clock.to_json().values(), self.num_codebooks, size)
        for name, found, want in zip(names, self._geometry(config), wanted, strict=True):
            if (found < want) if name == "codebooks" else (found != want):
                raise InputError(
                    f"{self.codec_id}: {folder} / config.json has {name} {found}, expected {want}; "
                    f"the checkpoint of this codec is {self.hub_repo}"
                )

    def _hub_folder(self) -> Path:
        folder = cached_snapshot(self.hub_repo)
        return folder if folder is not None else download(self.codec_id, self.hub_repo)


def in_chunks(
    function: Callable[[torch.Tensor], torch.Tensor],
    values: torch.Tensor,
    *,
    num_frames: int,
    chunk_frames: int,
    reach: tuple[int, int],
) -> torch.Tensor:
    """Applies a function with a finite reach to long input, piece by piece, to bound the memory.

    Args:
        function: [..., n * a] -> [..., n * b] for n frames.
        values: [..., num_frames * a].
        num_frames: frames in `values`.
        chunk_frames: frames that each piece adds to the output.
        reach: frames that each piece sees before and after those.

    Returns:
        [..., num_frames * b], equal to `function(values)` when the reach is at most
        `reach`.
    """
    import torch

    step = values.shape[-1] // num_frames
    pieces = []
    for first in range(0, num_frames, chunk_frames):
        last = min(first + chunk_frames, num_frames)
        start, stop = max(0, first - reach[0]), min(num_frames, last + reach[1])
        output = function(values[..., start * step : stop * step])
        out_step = output.shape[-1] // (stop - start)
        # a copy, else the piece would keep its context alive
        pieces.append(output[..., (first - start) * out_step : (last - start) * out_step].clone())
    return torch.cat(pieces, dim=-1) if len(pieces) > 1 else pieces[0]


@contextmanager
def exact_float32() -> Iterator[None]:
    """No gradients and true float32: in bf16 or TF32 the shape of a batch alone flips codes."""
    import torch

    kinds = ("cuda", "cpu")
    with (
        torch.no_grad(),
        torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
        torch.autocast(kinds[0], enabled=False),
        torch.autocast(kinds[1], enabled=False),
    ):
        yield


def _local_folder(codec_id: str, path: str) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"{codec_id}: {path} is not a directory; `codec_path` names the directory")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{codec_id}: {path} has no {' and no '.join(missing)}; a checkpoint directory has "
            f"{' and '.join(FILES)}"
        )
    return folder
