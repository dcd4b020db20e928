"""Checkpoints: one safetensors file with the weights and all that is needed to use them.

The metadata key `midigroove` holds one JSON string (docs/formats.md). Nothing is pickled and
nothing is guessed from tensor shapes: three ids are looked up in the registry, built from their
configs, and what they say of themselves must agree with what the file says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core.atomic import dump_json, write_bytes
from midigroove_core.errors import InputError, MismatchError, PluginError
from midigroove_core.interfaces.codec import read_codebooks, shape_of_codebooks
from midigroove_core.registry import Registry
from midigroove_core.tensorfile import read_header

if TYPE_CHECKING:
    import torch

    from midigroove_core.interfaces.codec import Codec
    from midigroove_core.interfaces.featurizer import GridFeaturizer
    from midigroove_core.interfaces.model import Model

SCHEMA = 1
BEST = "best.safetensors"
"""The checkpoint of a run, in its folder, with the lowest validation loss."""

KEY = "midigroove"
STATE_KEY = "midigroove_state"
_FIELDS = (
    "schema", "model", "featurizer", "codec", "feature_names", "vocabularies", "training",
)  # fmt: skip
_FACTS = ("codec_id", "sample_rate", "hop_length", "channels", "codebooks")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, loaded.

    Attributes:
        path: the file it came from.
        model: in eval mode, float32, on the device asked for.
        featurizer: built from its stored config.
        codec_id, codec_config, codec_facts, weights_sha: the codec whose codes the model predicts.
        vocabularies: condition -> names, in the order of the model's indices.
        training: summary written by the training run.
        providers: "model", "featurizer", "codec" -> {"distribution", "version"} at saving time.
        metadata: the whole JSON object, licence and model card included.
    """

    path: Path
    model: Model
    featurizer: GridFeaturizer
    codec_id: str
    codec_config: dict[str, Any]
    codec_facts: dict[str, Any]
    weights_sha: str
    vocabularies: dict[str, list[str]]
    training: dict[str, Any]
    providers: dict[str, dict[str, str]]
    metadata: dict[str, Any] = field(repr=False)

    def build_codec(
        self, registry: Registry, *, path: str | None = None, device: str | torch.device = "cpu"
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
            self.path, self.metadata["codec"], registry, path=path, device=device
        )


def build_stored_codec(
    where: Path,
    stored: Mapping[str, Any],
    registry: Registry,
    *,
    path: str | None = None,
    device: str | torch.device = "cpu",
) -> Codec:
    """The codec that a checkpoint or a cache names.

    Args:
        where: the file that names it, for messages.
        stored: `id`, `config`, `facts`, `weights_sha` and `distribution`.
        registry: where its class is looked up.
        path: a local directory or file with its weights; None for its default place.
        device: where to put it.

    Raises:
        PluginError: no such codec is installed; says what to install.
        MismatchError: the codec built here is another one (facts or weights differ).
    """
    cls = _resolve(registry, "codec", stored, where).load()
    codec: Codec = cls.from_config(stored["config"], path=path)
    facts = codec.facts()
    shapes = [shape_of_codebooks(read_codebooks(f)) for f in (stored["facts"], facts)]
    _agree(where, "codec.facts.codebooks", *shapes)
    for name in _FACTS:
        _agree(where, f"codec.facts.{name}", stored["facts"].get(name), facts.get(name))
    if codec.weights_sha != stored["weights_sha"]:
        raise MismatchError(
            f"{where}: codec.weights_sha is {stored['weights_sha'][:12]}, but {stored['id']} "
            f"has weights {codec.weights_sha[:12]} here; give the weights it was made "
            f"with (`codec_path`)"
        )
    return codec.to(device)


def save_checkpoint(
    path: str | Path,
    model: Model,
    *,
    featurizer: GridFeaturizer,
    cache_header: Mapping[str, Any],
    vocabularies: Mapping[str, list[str]],
    training: Mapping[str, Any],
    registry: Registry,
    half: bool = False,
    extra: Mapping[str, str] | None = None,
    tensors: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Writes a checkpoint, whole or not at all; the same content gives the same bytes.

    Args:
        path: where to.
        model: the model; its `state_dict()` is stored.
        featurizer: the featurizer it was trained with.
        cache_header: `Cache.header`, which says what the codec is.
        vocabularies: condition -> names in the order of the model's indices.
        training: JSON summary of the run (steps, losses, ...).
        registry: says which distributions provide the model and the featurizer.
        half: store floats as float16 (shipped models); they are float32 again when loaded.
        extra: further texts for the metadata, such as `license` and `model_card`.
        tensors: stored instead of `model.state_dict()`, an average of the weights for instance.
    """
    import torch

    def provider(kind: str, name: str) -> dict[str, str]:
        entry = registry.entry(kind, name)
        return {"distribution": entry.distribution, "version": entry.version}

    metadata = {
        "schema": SCHEMA,
        "model": {
            "id": model.model_id,
            "config": model.get_config(),
            **provider("model", model.model_id),
        },
        "featurizer": {
            "id": featurizer.featurizer_id,
            "config": featurizer.get_config(),
            **provider("featurizer", featurizer.featurizer_id),
        },
        "codec": {
            "id": cache_header["codec_id"],
            "config": cache_header["codec_config"],
            "facts": cache_header["codec_facts"],
            "weights_sha": cache_header["weights_sha"],
            **cache_header["provider"],
        },
        "feature_names": list(featurizer.feature_names),
        "vocabularies": {name: list(values) for name, values in vocabularies.items()},
        "training": dict(training),
        **(extra or {}),
    }
    state = dict(model.state_dict() if tensors is None else tensors)
    if half:
        state = {
            name: value.to(torch.float16) if value.is_floating_point() else value
            for name, value in state.items()
        }
    _save_torch(path, state, KEY, metadata)


def checkpoint_file(path: str | Path) -> Path:
    """The file of a checkpoint: `path` itself, or the best one of a run whose folder it is.

    Raises:
        InputError: a folder that has none.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    if not (path / BEST).is_file():
        raise InputError(f"{path}: a folder without {BEST}; name a checkpoint, or a run's folder")
    return path / BEST


def read_metadata(path: str | Path) -> dict[str, Any]:
    """The JSON object of a checkpoint, without torch and without its weights.

    Raises:
        InputError: not a checkpoint, damaged, or of another schema; names file and field.
    """
    metadata = read_header(path).json(KEY, "a midigroove checkpoint", dict[str, Any])
    schema = metadata.get("schema")
    if schema != SCHEMA:
        raise InputError(
            f"{path}: checkpoint schema is {schema!r}, this version reads {SCHEMA}; "
            f"install the version of midigroove that wrote it"
        )
    for name in _FIELDS:
        if name not in metadata:
            raise InputError(f"{path}: not a midigroove checkpoint: field {name!r} is missing")
    return metadata


def load_checkpoint(
    path: str | Path,
    *,
    registry: Registry | None = None,
    device: str | torch.device = "cpu",
    needs_codec: bool = True,
) -> Checkpoint:
    """Builds the model and the featurizer of a checkpoint and loads the weights strictly.

    Args:
        path: the file, or the folder of a run, whose best checkpoint is meant.
        registry: where classes are looked up; all plugins when not given.
        device: where the model goes.
        needs_codec: refuse now what could not decode later; False for work on codes alone.

    Raises:
        InputError: not a checkpoint, or damaged.
        PluginError: a model, featurizer or codec that is not installed; says what to install.
        MismatchError: what was built does not agree with the file; names the field.
    """
    path = checkpoint_file(path)
    metadata = read_metadata(path)
    registry = registry or Registry()
    codec = metadata["codec"]
    if needs_codec:
        _resolve(registry, "codec", codec, path)
    featurizer = (
        _resolve(registry, "featurizer", metadata["featurizer"], path)
        .load()
        .from_config(metadata["featurizer"]["config"])
    )
    model = (
        _resolve(registry, "model", metadata["model"], path)
        .load()
        .from_config(metadata["model"]["config"])
    )
    _check_facts(path, metadata, featurizer, model)
    _load_weights(path, model)
    return Checkpoint(
        path=path,
        model=model.to(device).eval(),
        featurizer=featurizer,
        codec_id=codec["id"],
        codec_config=codec["config"],
        codec_facts=codec["facts"],
        weights_sha=codec["weights_sha"],
        vocabularies=metadata["vocabularies"],
        training=metadata["training"],
        providers={
            kind: {name: metadata[kind][name] for name in ("distribution", "version")}
            for kind in ("model", "featurizer", "codec")
        },
        metadata=metadata,
    )


def save_state(
    path: str | Path, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]
) -> None:
    """Writes tensors and one JSON object, whole or not at all: training state without pickle."""
    _save_torch(path, tensors, STATE_KEY, state)


def load_state(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What `save_state` wrote.

    Raises:
        InputError: no such file, something else, or damaged.
    """
    from safetensors.torch import load_file

    state = read_header(path).json(STATE_KEY, "a midigroove training state", dict[str, Any])
    return load_file(path), state


def _save_torch(
    path: str | Path, tensors: Mapping[str, torch.Tensor], key: str, metadata: Mapping[str, Any]
) -> None:
    from safetensors.torch import save

    # Clones, because the library refuses tensors that share memory (tied weights).
    copies = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    write_bytes(path, save(copies, {key: dump_json(metadata, indent=None)}))


def _resolve(registry: Registry, kind: str, stored: Mapping[str, Any], path: Path) -> Any:
    name, distribution = stored["id"], stored.get("distribution") or "an unknown package"
    found = next((entry for entry in registry.entries(kind) if entry.id == name), None)
    if found is not None:
        return found
    broken = [info for info in registry.plugins.broken if info.distribution == distribution]
    hint = f"it is installed but broken: {broken[0].error}" if broken else None
    raise PluginError(
        f"{path}: needs {kind} {name!r} from {distribution}: "
        f"{hint or f'pip install {distribution}'}"
    )


def _check_facts(path: Path, metadata: Mapping[str, Any], featurizer: Any, model: Model) -> None:
    names = metadata["feature_names"]
    if list(featurizer.feature_names) != names:
        here = list(featurizer.feature_names)
        pairs = zip(names, here, strict=False)
        differing = next((pair for pair in pairs if pair[0] != pair[1]), None)
        detail = f"{differing[0]!r} and {differing[1]!r}" if differing else "their number"
        raise MismatchError(
            f"{path}: feature_names: the checkpoint has {len(names)}, featurizer "
            f"{metadata['featurizer']['id']!r} {len(here)} here, and they differ in {detail}; "
            f"install {metadata['featurizer']['distribution']} "
            f"{metadata['featurizer']['version']}"
        )
    config, facts = model.get_config(), metadata["codec"]["facts"]
    _agree(path, "model.config.num_features", config.get("num_features"), len(names))
    sizes = [book.size for book in read_codebooks(facts)]
    _agree(path, "model.config.codebook_sizes", config.get("codebook_sizes"), sizes)
    if "vocabularies" in config:
        for name, values in config["vocabularies"].items():
            _agree(path, f"vocabularies.{name}", metadata["vocabularies"].get(name), values)


def _agree(path: Path, name: str, stored: Any, here: Any) -> None:
    if stored != here:
        raise MismatchError(
            f"{path}: {name} is {json.dumps(stored)}, but {json.dumps(here)} here; "
            f"use the plugin version that the checkpoint names (midigroove inspect)"
        )


def _load_weights(path: Path, model: Model) -> None:
    from safetensors.torch import load_file

    weights = load_file(path)
    own = model.state_dict()
    for name in sorted({*own, *weights}):
        if name not in weights:
            raise MismatchError(f"{path}: weight {name!r} of the model is missing")
        if name not in own:
            raise MismatchError(f"{path}: weight {name!r} is not one of the model's")
        if own[name].shape != weights[name].shape:
            raise MismatchError(
                f"{path}: weight {name!r} has shape {list(weights[name].shape)}, "
                f"the model's has {list(own[name].shape)}"
            )
    model.load_state_dict(weights)  # converts float16 to the model's float32 while copying
