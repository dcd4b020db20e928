"""Writing checkpoints, and training state beside them; without pickle, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core.atomic import dump_json, write_bytes
from midigroove_core.checkpoint.metadata import (
    KEY,
    SCHEMA,
    STATE_KEY,
    CheckpointMetadata,
    CodecPart,
    FeaturizerPart,
    ModelPart,
    TrainedWindow,
)
from midigroove_core.registry import Registry
from midigroove_core.tensorfile import read_header

if TYPE_CHECKING:
    import torch

    from midigroove_core.interfaces.featurizer import GridFeaturizer
    from midigroove_core.interfaces.model import Model


def save_checkpoint(
    path: str | Path,
    model: Model,
    *,
    featurizer: GridFeaturizer,
    codec: CodecPart,
    window: TrainedWindow,
    training: Mapping[str, Any],
    sampling: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
    license: str = "",
    model_card: str = "",
    tensors: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Writes a checkpoint; the same content gives the same bytes.

    Args:
        path: where to.
        model: the model, made by `build`; its `state_dict()` is stored.
        featurizer: the featurizer it was trained with.
        codec: whose codes it predicts, see `CodecPart.of_cache`.
        window: what it saw in training.
        training: JSON summary of the run (steps, losses, ...).
        sampling: settings of drawing by name, taken where a user names none.
        registry: says which distributions provide the model and the featurizer.
        license, model_card: texts for those who get the file.
        tensors: stored instead of `model.state_dict()`: an average of the weights for instance, or
            shorter floats, which are float32 again when loaded.

    Raises:
        InputError: `sampling` names a setting that the model does not have.
    """
    registry = registry or Registry()
    metadata = CheckpointMetadata(
        schema=SCHEMA,
        model=_model_part(model, sampling or {}, registry),
        featurizer=_featurizer_part(featurizer, registry),
        codec=codec,
        feature_names=tuple(featurizer.feature_names),
        vocabularies={name: tuple(v) for name, v in model.spec.vocabularies.items()},
        window=window,
        training=dict(training),
        license=license,
        model_card=model_card,
    )
    state = dict(model.state_dict() if tensors is None else tensors)
    _save(path, state, KEY, metadata.to_json())


def _model_part(model: Model, sampling: Mapping[str, Any], registry: Registry) -> ModelPart:
    entry = registry.entry("model", model.model_id)
    return ModelPart(
        id=model.model_id,
        args=model.get_config(),
        likelihood=model.likelihood,
        sampling=model.sampling(**sampling).settings,
        distribution=entry.distribution,
        version=entry.version,
    )


def _featurizer_part(featurizer: GridFeaturizer, registry: Registry) -> FeaturizerPart:
    entry = registry.entry("featurizer", featurizer.featurizer_id)
    return FeaturizerPart(
        id=featurizer.featurizer_id,
        config=featurizer.get_config(),
        distribution=entry.distribution,
        version=entry.version,
    )


def save_state(
    path: str | Path, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]
) -> None:
    """Writes tensors and one JSON object: training state."""
    _save(path, tensors, STATE_KEY, state)


def load_state(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What `save_state` wrote.

    Raises:
        InputError: no such file, something else, or damaged.
    """
    from safetensors.torch import load_file

    state = read_header(path).json(STATE_KEY, "a midigroove training state", dict[str, Any])
    return load_file(path), state


def _save(
    path: str | Path, tensors: Mapping[str, torch.Tensor], key: str, metadata: Mapping[str, Any]
) -> None:
    from safetensors.torch import save

    # Clones, because the library refuses tensors that share memory (tied weights).
    copies = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    write_bytes(path, save(copies, {key: dump_json(metadata, indent=None)}))
