"""Where the performances to render come from: files, or takes of a cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from midigroove_core.errors import InputError
from midigroove_core.names import look_up
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.config import Engine, RenderConfig
from midigroove_core.rendering.render import open_engine, read_file, with_feel

if TYPE_CHECKING:  # these import torch, which files that the sampler plays have no need of
    from midigroove_core.cache import Cache
    from midigroove_core.checkpoint import Checkpoint
    from midigroove_core.interfaces.codec import Codec

_CONDITIONS = ("kit", "drummer", "style", "beat_type")


class Source(Protocol):
    """Performances by the paths that stand for them."""

    def read(self, path: Path, config: RenderConfig, progress: Progress) -> DrumPerformance:
        """The performance.

        Raises:
            InputError: there is none, or it has no hit.
        """

    def engine(self, path: Path, config: RenderConfig, progress: Progress) -> Engine:
        """What plays it."""


class Files:
    """MIDI files and scores, all played by one engine."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def read(self, path: Path, config: RenderConfig, progress: Progress) -> DrumPerformance:
        """See `Source`."""
        return read_file(path, config, progress)

    def engine(self, path: Path, config: RenderConfig, progress: Progress) -> Engine:
        """See `Source`."""
        self._engine = self._engine or open_engine(config, progress)
        return self._engine


class CachedTakes:
    """Takes of a cache by their keys, each on its own kit, by its drummer, in its style.

    What `config` names wins, and what the model does not know is unknown to it.

    Args:
        cache: the cache, or its folder.
    """

    def __init__(self, cache: Cache | str | Path) -> None:
        from midigroove_core.cache import Cache

        self._cache = cache if isinstance(cache, Cache) else Cache.open(cache)
        self._files = Files()
        self._model: tuple[Checkpoint, Codec] | None = None

    def read(self, path: Path, config: RenderConfig, progress: Progress) -> DrumPerformance:
        """See `Source`."""
        if config.channel is not None or config.track is not None:
            raise InputError("`channel` and `track` are of files; a cache has read its takes")
        performance = self._cache.performance(self._cache.entry(path.as_posix()))
        if performance.num_hits == 0:
            raise InputError(f"{path}: there is no hit in it")
        return with_feel(performance, config)

    def engine(self, path: Path, config: RenderConfig, progress: Progress) -> Engine:
        """See `Source`."""
        if config.engine != "model":
            return self._files.engine(path, config, progress)
        from midigroove_core.rendering.conditions import UNKNOWN
        from midigroove_core.rendering.model_engine import ModelEngine, load_model

        self._model = self._model or load_model(config)
        checkpoint, codec = self._model
        take = self._cache.entry(path.as_posix())
        own: dict[str, Any] = {}
        for name in _CONDITIONS:
            if name in checkpoint.model.conditions and getattr(config, name) is None:
                found, _ = look_up([getattr(take, name)], checkpoint.vocabularies.get(name, ()))
                own[name] = found[0] if found else UNKNOWN
        return ModelEngine(replace(config, **own), checkpoint, codec, progress)
