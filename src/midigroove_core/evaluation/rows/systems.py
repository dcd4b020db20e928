"""Systems under test: a checkpoint that predicts the codes of clips and scores the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.atomic import sha256_of_file
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, ClipArrays, ClipReader
from midigroove_core.checkpoint import (
    Checkpoint,
    CodecPart,
    build_stored_codec,
    load_checkpoint,
)
from midigroove_core.device import choose_device
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.evaluation.base.clipset import EvalClip, FrameWindow
from midigroove_core.evaluation.base.config import EvalConfig, SystemSpec
from midigroove_core.evaluation.base.failures import FAILURES, failure
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.codec import Codec
from midigroove_core.interfaces.model_checks import generate_codes, score_codes
from midigroove_core.interfaces.sampling import COMMON
from midigroove_core.registry import Registry
from midigroove_core.scorecard.records import SystemFacts

MODEL_CONTEXT_SEC = 1.0
"""What a model sees before a clip unless its training says: hits of before still ring."""

LOGIT_BYTES = 128 * 2**20
"""Batches are cut so that the logits of one stay below this."""


@dataclass(frozen=True)
class Prediction:
    """One clip as a system sees it.

    Attributes:
        window: the frames that `codes` cover.
        codes: [K, window.num_frames] drawn by the model.
        nll: [K] nats per code of the true codes, over the clip's own frames; None for a model
            without a likelihood.
        accuracy: [K] share of true codes that were the most likely, over the same frames; None as
            above.
    """

    window: FrameWindow
    codes: NDArray[np.int64]
    nll: NDArray[np.float64] | None
    accuracy: NDArray[np.float64] | None


class System:
    """A checkpoint with the cache it is judged on.

    Args:
        spec: what the user named.
        group: its codec and cache.
        checkpoint: its model and featurizer.
        config: device and sampling.

    Raises:
        MismatchError: the checkpoint was trained on codes of another codec than the cache's.
    """

    def __init__(
        self, spec: SystemSpec, group: CodecGroup, checkpoint: Checkpoint, config: EvalConfig
    ) -> None:
        _check_codec(spec, group.cache, checkpoint)
        self.spec = spec
        self.name = spec.name
        self.group = group
        self.checkpoint = checkpoint
        self._config = config
        self._sampling = checkpoint.sampling(asked_of(checkpoint, config))
        hears = checkpoint.model.uses_sketch and config.sketches is not None
        self._sketches = Cache.open(str(config.sketches)) if hears else None
        self._reader = ClipReader(
            group.cache,
            checkpoint.featurizer,
            checkpoint.vocabularies,
            checkpoint.model.conditions,
            sketches=self._sketches,
        )

    def window(self, clip: EvalClip) -> FrameWindow:
        """The frames that this system predicts for a clip; see `CodecGroup.window`."""
        frames = self.checkpoint.window.context_frames
        rate = float(self.group.cache.clock.frame_rate)
        return self.group.window(clip, frames / rate if frames else MODEL_CONTEXT_SEC)

    def predict(
        self, clips: Sequence[EvalClip], batch_index: int, draw: int = 0
    ) -> list[Prediction]:
        """Draws codes for clips and, in the first draw, scores the true ones; all in one batch.

        Args:
            clips: clips whose takes this system's cache has.
            batch_index: varies the luck of the draw from batch to batch.
            draw: of several; that with the seed s + 1 is the second of the seed s.
        """
        windows = [self.window(clip) for clip in clips]
        batch = self._batch(windows).to(choose_device(self._config.device))
        seed = ((self._config.seed + draw) * 1_000_003 + batch_index) % 2**63
        model = self.checkpoint.model
        scores = None
        with torch.inference_mode(), torch.random.fork_rng():
            if model.likelihood != "none" and draw == 0:
                torch.manual_seed(seed)  # a bound may draw
                scores = score_codes(model, batch)
            codes = generate_codes(model, batch, replace(self._sampling, seed=seed)).cpu().numpy()
        result = []
        for index, window in enumerate(windows):
            nll = accuracy = None
            if scores is not None:
                inner = (index, slice(None), window.inner)
                nll = scores.nll[inner].cpu().numpy().mean(axis=1, dtype=np.float64)
                accuracy = scores.correct[inner].cpu().numpy().mean(axis=1, dtype=np.float64)
            drawn = codes[index, :, : window.num_frames]
            result.append(Prediction(window, drawn, nll, accuracy))
        return result

    def predict_each(
        self, clips: Sequence[EvalClip], batch_index: int, journal: Journal, draw: int = 0
    ) -> list[tuple[EvalClip, Prediction]]:
        """What `predict` gives, or as much of it as there is: failing clips are named in `journal`.

        A batch that fails is tried again clip by clip.
        """
        try:
            return list(zip(clips, self.predict(clips, batch_index, draw), strict=True))
        except FAILURES as error:
            if len(clips) == 1:
                journal.skip(clips[0].clip_id, self.name, failure("no prediction", error))
                return []
        return [
            pair for clip in clips for pair in self.predict_each([clip], batch_index, journal, draw)
        ]

    @property
    def facts(self) -> SystemFacts:
        """What the manifest says of it."""
        cache = self.group.cache
        return SystemFacts(
            name=self.name,
            checkpoint=self.checkpoint.path.name,
            checkpoint_sha256=sha256_of_file(self.checkpoint.path),
            model=self.checkpoint.metadata.model.id,
            likelihood=self.checkpoint.model.likelihood,
            sampling=self._sampling.settings,
            training=self.checkpoint.training,
            cache=self.spec.cache.name,
            cache_fingerprint=cache.fingerprint,
            cache_dataset=cache.header["dataset"],
            codec=self.group.facts,
            sketches="" if self._sketches is None else self._sketches.fingerprint,
        )

    def _batch(self, windows: Sequence[FrameWindow]) -> GridBatch:
        clips = [
            Clip(self.group.entry_index[window.entry.key], window.left, window.num_frames)
            for window in windows
        ]
        batch = self._reader.collate([self._read(clip) for clip in clips])
        if not self.checkpoint.model.uses_known:
            return batch
        # What is scored goes on from the true codes before the clip, and so does what is drawn.
        known = torch.zeros_like(batch.mask)
        for row, window in enumerate(windows):
            known[row, : window.inner.start] = True
        return replace(batch, known=known)

    def _read(self, clip: Clip) -> ClipArrays:
        """A clip, with its sketch where the model does not know the kit by name."""
        arrays = self._reader.read(clip)
        named = self.group.cache.entries[clip.entry_index].kit in (
            self.checkpoint.vocabularies.get("kit", ())
        )
        return replace(arrays, sketch=None) if named else arrays


def asked_of(checkpoint: Checkpoint, config: EvalConfig) -> dict[str, Any]:
    """The settings of drawing that were asked for, without what only other models have."""
    own = {option.name for option in checkpoint.model.sampling_options()}
    return {n: value for n, value in config.sampling.items() if n in own or n in COMMON}


def check_sampling(config: EvalConfig, systems: Sequence[System]) -> None:
    """Raises InputError for a setting of drawing that no system has."""
    taken = {name for system in systems for name in asked_of(system.checkpoint, config)}
    for name in config.sampling:
        if systems and name not in taken:
            raise InputError(f"sampling setting {name!r}: no system has it")


def load_systems(config: EvalConfig, registry: Registry) -> tuple[list[System], list[CodecGroup]]:
    """Opens caches, checkpoints and codecs; one group per cache and codec, one codec per group.

    Raises:
        MidigrooveError: something is missing, or does not fit together.
    """
    groups: dict[str, CodecGroup] = {}
    systems = []
    for spec in config.systems:
        cache = Cache.open(spec.cache)
        device = choose_device(config.device)
        checkpoint = load_checkpoint(
            spec.checkpoint, registry=registry, device=device, needs_codec=config.audio_metrics
        )
        _check_codec(spec, cache, checkpoint)
        _check_named(spec, cache, registry)
        if checkpoint.model.likelihood == "none" and not config.audio_metrics:
            raise InputError(
                f"system {spec.name}: its model has no likelihood, so without `audio_metrics` "
                f"there is nothing to judge"
            )
        if cache.fingerprint not in groups:
            codec = _codec_of(cache, registry, config)
            groups[cache.fingerprint] = CodecGroup(cache, codec)
        systems.append(System(spec, groups[cache.fingerprint], checkpoint, config))
    for path in config.caches:
        cache = Cache.open(path)
        if cache.fingerprint not in groups:
            codec = _codec_of(cache, registry, config)
            groups[cache.fingerprint] = CodecGroup(cache, codec)
    check_sampling(config, systems)
    if config.sketches is not None and not any(s.checkpoint.model.uses_sketch for s in systems):
        raise InputError("`sketches`: no system hears kits; leave them out")
    found = list(groups.values())
    if len(found) > 1:
        ids = [group.cache.header["codec_id"] for group in found]
        for index, group in enumerate(found):
            twice = ids.count(ids[index]) > 1
            group.suffix = f"-{group.cache.path.name if twice else ids[index]}"
    return systems, found


def batch_size(systems: Sequence[System], longest_sec: float) -> int:
    """Clips per batch, so that the logits of no system exceed `LOGIT_BYTES`."""
    largest = 1.0
    for system in systems:
        cache = system.group.cache
        frames = (longest_sec + 2 * MODEL_CONTEXT_SEC) * float(cache.clock.frame_rate)
        largest = max(largest, frames * cache.num_codebooks * max(cache.codebook_sizes) * 4)
    return int(np.clip(LOGIT_BYTES / largest, 1, 32))


def _codec_of(cache: Cache, registry: Registry, config: EvalConfig) -> Codec | None:
    """The codec whose codes a cache holds; None when only codes are scored."""
    if not config.audio_metrics:
        return None
    codec_id = cache.header["codec_id"]
    path = config.codec_paths.get(codec_id, config.codec_paths.get(""))
    stored = CodecPart.of_cache(cache.header)
    device = choose_device(config.decode_device or config.device)
    return build_stored_codec(cache.path, stored, registry, path=path, device=device)


def _check_named(spec: SystemSpec, cache: Cache, registry: Registry) -> None:
    """Raises MismatchError when the user named another codec than the cache's."""
    there = cache.header["codec_id"]
    if spec.codec in ("", there):
        return
    if registry.entry("codec", spec.codec).id != there:
        raise MismatchError(
            f"system {spec.name}: {spec.cache} holds codes of {there}, not of {spec.codec}"
        )


def _check_codec(spec: SystemSpec, cache: Cache, checkpoint: Checkpoint) -> None:
    for name, here, there in (
        ("codec_id", cache.header["codec_id"], checkpoint.codec.id),
        ("codec_config", cache.header["codec_config"], checkpoint.codec.config),
        ("weights_sha", cache.header["weights_sha"], checkpoint.codec.weights_sha),
    ):
        if here != there:
            raise MismatchError(
                f"system {spec.name}: {name} is {here!r} in {spec.cache} and {there!r} in "
                f"{spec.checkpoint}; give the cache that the checkpoint was made for"
            )
