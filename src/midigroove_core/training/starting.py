"""How a new run's model begins: what it has to fit, code vectors, weights taken over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from midigroove_core.cache import Cache
from midigroove_core.checkpoint import Checkpoint, load_checkpoint
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.interfaces.featurizer import GridFeaturizer
from midigroove_core.interfaces.model import Model, ModelSpec
from midigroove_core.progress import Progress
from midigroove_core.registry import Registry
from midigroove_core.training.baselines import CodeBaselines
from midigroove_core.training.config import TrainConfig

Names = Mapping[str, Sequence[str]]


def new_model(
    config: TrainConfig,
    cache: Cache,
    featurizer: GridFeaturizer,
    vocabularies: Names,
    baselines: CodeBaselines,
    *,
    registry: Registry,
    progress: Progress,
) -> Model:
    """The model of a run before its first step; the same settings and cache give the same weights.

    With a checkpoint to start from, the model knows its kits, drummers and styles first, and then
    those that are new in the cache.

    Raises:
        MidigrooveError: arguments that the model does not take, or a checkpoint to start from that
            cannot be loaded.
    """
    start = None
    if config.start_from:
        start = load_checkpoint(config.start_from, registry=registry, needs_codec=False)
        vocabularies = joined(start.vocabularies, vocabularies)
    spec = ModelSpec(
        feature_names=tuple(featurizer.feature_names),
        clock=cache.clock,
        codebooks=cache.codebooks,
        vocabularies={name: tuple(names) for name, names in vocabularies.items()},
        code_frequencies=tuple(torch.from_numpy(f) for f in baselines.frequencies),
        find_vectors=lambda: _vectors_of_cache(cache, registry, progress),
    )
    torch.manual_seed(config.seed)
    model: Model = registry.load("model", config.model).build(spec, **config.model_args)
    if start is not None:
        _take_over(model, start, cache, progress)
    return model


def joined(before: Names, now: Names) -> dict[str, tuple[str, ...]]:
    """Names that were known before, in their order, and then the new ones."""
    return {
        condition: tuple(dict.fromkeys((*before.get(condition, ()), *names)))
        for condition, names in now.items()
    }


def _take_over(model: Model, start: Checkpoint, cache: Cache, progress: Progress) -> None:
    before = start.model.state_dict()
    new = model.take_over(before, start.model.spec)
    tensors = set(model.state_dict())
    kept = len(tensors - set(new))
    told = f": {', '.join(_in_short(new, tensors))}" if new else " nothing"
    progress.message(f"{start.path}: {kept} tensors taken over; new{told}")
    there = cache.header["codec_id"], cache.header["weights_sha"]
    if there != (start.codec.id, start.codec.weights_sha):
        progress.message(
            f"{start.path}: was trained on codes of {start.codec.id}, {cache.path} has others, of "
            f"{there[0]}: what it knew of codes is lost"
        )


def _in_short(new: Sequence[str], tensors: set[str]) -> list[str]:
    """Names as they are, and tensors by the part of the model that they are of."""
    parts = Counter(name.split(".")[0] for name in new if name in tensors)
    return [
        *(n for n in new if n not in tensors),
        *(f"{p} ({n} tensor{'s' * (n > 1)})" for p, n in parts.items()),
    ]


def _vectors_of_cache(
    cache: Cache, registry: Registry, progress: Progress
) -> tuple[Tensor, ...] | None:
    """Code vectors of the codec that made a cache; None where that codec is not on this machine."""
    header = cache.header
    try:
        codec = registry.load("codec", header["codec_id"]).from_config(header["codec_config"])
    except MidigrooveError as error:
        progress.message(f"codes start at random, their codec cannot be asked: {error}")
        return None
    return code_vectors(codec) if codec.weights_sha == header["weights_sha"] else None


def code_vectors(codec: Codec) -> tuple[Tensor, ...] | None:
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
    return tuple(vectors)
