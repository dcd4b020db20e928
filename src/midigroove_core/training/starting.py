"""How a new run's model begins: its shapes, what the codes stand for, weights taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from midigroove_core.cache import Cache
from midigroove_core.checkpoint import load_checkpoint
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.interfaces.featurizer import GridFeaturizer
from midigroove_core.interfaces.model import Model
from midigroove_core.progress import Progress
from midigroove_core.registry import Registry
from midigroove_core.training.baselines import CodeBaselines
from midigroove_core.training.config import TrainConfig


def new_model(
    config: TrainConfig,
    cache: Cache,
    featurizer: GridFeaturizer,
    vocabularies: Mapping[str, Sequence[str]],
    baselines: CodeBaselines,
    *,
    registry: Registry,
    progress: Progress,
) -> Model:
    """The model of a run before its first step; the same settings and cache give the same weights.

    Raises:
        MidigrooveError: arguments that the model does not take, or a checkpoint to start from that
            cannot be loaded.
    """
    torch.manual_seed(config.seed)
    cls = registry.load("model", config.model)
    model: Model = cls.from_config(
        {
            "num_features": len(featurizer.feature_names),
            "codebook_sizes": cache.codebook_sizes,
            "vocabularies": vocabularies,
            **cls.arguments_from(featurizer.feature_names, cache.clock),
            **config.model_args,
        }
    )
    model.start_from_frequencies([torch.from_numpy(f) for f in baselines.frequencies])
    model.start_from_code_vectors(lambda: _vectors_of_cache(cache, registry, progress))
    if config.start_from:
        loaded = load_checkpoint(config.start_from, registry=registry)
        new = take_over(model, loaded.model.state_dict())
        kept = len(model.state_dict()) - len(new)
        progress.message(f"{config.start_from}: {kept} tensors taken over; new: {', '.join(new)}")
    return model


def _vectors_of_cache(cache: Cache, registry: Registry, progress: Progress) -> list[Tensor] | None:
    """Code vectors of the codec that made a cache; None where that codec is not on this machine."""
    header = cache.header
    try:
        codec = registry.load("codec", header["codec_id"]).from_config(header["codec_config"])
    except MidigrooveError as error:
        progress.message(f"codes start at random, their codec cannot be asked: {error}")
        return None
    return code_vectors(codec) if codec.weights_sha == header["weights_sha"] else None


@torch.no_grad()
def take_over(model: Model, weights: Mapping[str, Tensor]) -> list[str]:
    """Copies every tensor whose name and shape the model has; gives the names that stay new."""
    new = []
    for name, own in model.state_dict().items():
        given = weights.get(name)
        if given is not None and given.shape == own.shape:
            own.copy_(given)
        else:
            new.append(name)
    return new


def code_vectors(codec: Codec) -> list[Tensor] | None:
    """What each code adds to the latents of its frame, [V, D] per row; None without latents.

    Found by changing one code at a time, so known up to a constant per row; each row's mean is 0.
    """
    if codec.latent_dim is None:
        return None
    sizes = [book.size for book in codec.codebooks]
    vectors = []
    for row, size in enumerate(sizes):
        codes = torch.zeros(1, len(sizes), size, dtype=torch.int64)
        codes[0, row] = torch.arange(size)
        added = codec.embed(codes)[0].T.float().cpu()
        vectors.append(added - added.mean(dim=0))
    return vectors
