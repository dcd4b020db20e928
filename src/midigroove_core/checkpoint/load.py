"""From a checkpoint file to a model that can play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core.checkpoint.codecs import build_stored_codec, find_entry
from midigroove_core.checkpoint.metadata import (
    CheckpointMetadata,
    CodecPart,
    TrainedWindow,
    checkpoint_file,
    read_metadata,
)
from midigroove_core.errors import InputError, MidigrooveError, MismatchError, PluginError
from midigroove_core.interfaces.sampling import SamplingConfig, read_sampling
from midigroove_core.plugins import describe
from midigroove_core.registry import Registry
from midigroove_core.tensorfile import read_header

if TYPE_CHECKING:
    import torch

    from midigroove_core.interfaces.codec import Codec
    from midigroove_core.interfaces.featurizer import GridFeaturizer
    from midigroove_core.interfaces.model import Model


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, loaded.

    Attributes:
        path: the file it came from.
        model: in eval mode, float32, on the device asked for.
        featurizer: built from its stored config.
        metadata: all that the file says, licence and model card included.
    """

    path: Path
    model: Model
    featurizer: GridFeaturizer
    metadata: CheckpointMetadata

    @property
    def codec(self) -> CodecPart:
        """The codec whose codes the model predicts, as the file names it."""
        return self.metadata.codec

    @property
    def vocabularies(self) -> dict[str, tuple[str, ...]]:
        """Condition -> names, in the order of the model's indices."""
        return self.metadata.vocabularies

    @property
    def window(self) -> TrainedWindow:
        """What the model saw in training."""
        return self.metadata.window

    @property
    def training(self) -> dict[str, Any]:
        """Summary written by the training run."""
        return self.metadata.training

    def sampling(self, asked: Mapping[str, Any] | None = None, *, seed: int = 0) -> SamplingConfig:
        """Settings by name, with what the checkpoint says for those that are not named.

        Raises:
            InputError: a setting that the model does not have, or a value that does not fit.
        """
        return read_sampling(
            asked or {},
            self.model.sampling_options(),
            defaults=self.metadata.model.sampling,
            seed=seed,
            model_id=self.metadata.model.id,
        )

    def build_codec(
        self,
        registry: Registry | None = None,
        *,
        path: str | None = None,
        device: str | torch.device = "cpu",
    ) -> Codec:
        """The codec whose codes the model predicts.

        Args:
            registry: where its class is looked up.
            path: a local directory or file with its weights; None for its default place.
            device: where to put it.

        Raises:
            PluginError: no such codec is installed; says what to install.
            MismatchError: the codec built here is another one (facts or weights differ).
        """
        return build_stored_codec(
            self.path, self.codec, registry or Registry(), path=path, device=device
        )


def load_checkpoint(
    path: str | Path,
    *,
    registry: Registry | None = None,
    device: str | torch.device = "cpu",
    needs_codec: bool = True,
) -> Checkpoint:
    """Builds the model and the featurizer of a checkpoint and loads the weights strictly.

    Args:
        path: the file; the folder of a run, which means its best checkpoint; or
            `hf://USER/NAME@REVISION` (docs/hub.md).
        registry: where classes are looked up; what is installed if not given.
        device: where the model goes.
        needs_codec: refuse now what could not decode later; False for work on codes alone.

    Raises:
        InputError: not a checkpoint, or damaged.
        PluginError: a model, featurizer or codec that is not installed; says what to install.
        MismatchError: what was built does not agree with the file; names the field.
    """
    path, registry = checkpoint_file(path), registry or Registry()
    metadata = read_metadata(path)
    if needs_codec:
        find_entry(registry, "codec", metadata.codec.id, metadata.codec.distribution, path)
    part = metadata.featurizer
    featurizer_class = find_entry(registry, "featurizer", part.id, part.distribution, path).load()
    try:
        featurizer: GridFeaturizer = featurizer_class.from_config(part.config)
    except MidigrooveError as error:
        raise type(error)(f"{path}: {error}") from error
    _check_features(path, metadata, featurizer)
    model = _build(path, metadata, registry)
    _load_weights(path, model)
    return Checkpoint(path, model.to(device).eval(), featurizer, metadata)


def _check_features(path: Path, metadata: CheckpointMetadata, featurizer: GridFeaturizer) -> None:
    names, here = metadata.feature_names, featurizer.feature_names
    if tuple(here) == names:
        return
    pairs = zip(names, here, strict=False)
    differing = next((pair for pair in pairs if pair[0] != pair[1]), None)
    detail = f"{differing[0]!r} and {differing[1]!r}" if differing else "their number"
    part = metadata.featurizer
    raise MismatchError(
        f"{path}: feature_names: the checkpoint has {len(names)}, featurizer "
        f"{part.id!r} {len(here)} here, and they differ in {detail}; "
        f"install {part.distribution} {part.version}"
    )


def _build(path: Path, metadata: CheckpointMetadata, registry: Registry) -> Model:
    """The model with random weights, once its shapes are known to be those of the file."""
    from midigroove_core.interfaces.shapes import shapes_of, shapes_without_memory
    from midigroove_core.interfaces.spec import ModelSpec

    part = metadata.model
    cls = find_entry(registry, "model", part.id, part.distribution, path).load()
    clock, codebooks = metadata.geometry(path)
    spec = ModelSpec(metadata.feature_names, clock, codebooks, metadata.vocabularies)
    if cls.likelihood != part.likelihood:
        raise MismatchError(
            f"{path}: model.likelihood is {part.likelihood}, but {cls.likelihood} here; "
            f"install {part.distribution} {part.version}"
        )
    there = {name: info.shape for name, info in read_header(path).tensors.items()}
    foreseen = shapes_without_memory(lambda: cls.build(spec, **part.args))
    if foreseen is not None:
        _compare(path, foreseen, there)
    try:
        model: Model = cls.build(spec, **part.args)
    except MidigrooveError as error:
        raise type(error)(f"{path}: {error}") from error
    except Exception as error:
        raise PluginError(
            f"{path}: model {part.id} of {part.distribution} cannot be built ({describe(error)})"
        ) from error
    _compare(path, shapes_of(model), there)
    return model


def _compare(
    path: Path, own: Mapping[str, tuple[int, ...]], there: Mapping[str, tuple[int, ...]]
) -> None:
    for name in sorted({*own, *there}):
        if name not in there:
            raise MismatchError(f"{path}: weight {name!r} of the model is missing")
        if name not in own:
            raise MismatchError(f"{path}: weight {name!r} is not one of the model's")
        if own[name] != there[name]:
            raise MismatchError(
                f"{path}: weight {name!r} has shape {list(there[name])}, "
                f"the model's has {list(own[name])}"
            )


def _load_weights(path: Path, model: Model) -> None:
    import torch
    from safetensors.torch import load_file

    weights = load_file(path)
    for name, value in weights.items():
        # As float32, for torch cannot ask this of 8-bit floats.
        if value.is_floating_point() and not torch.isfinite(value.float()).all():
            raise InputError(
                f"{path}: weight {name!r} has NaN or infinite values; its training went wrong, "
                f"or the file is damaged"
            )
    model.load_state_dict(weights)  # converts what is shorter to the model's float32 while copying
