"""Does a row as a whole sound like the references? Distances between sets of embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample
from midigroove_core.device import choose_device
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.scoring.vector_cache import VectorCache
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.metrics.distribution import (
    frechet_distance,
    frechet_distance_infinity,
    kernel_audio_distance,
    median_bandwidth,
    split_floor,
)
from midigroove_core.registry import Registry
from midigroove_core.scorecard.records import SetDistances, SetFloor, SetLine, number

MAX_ROWS = 4000
"""Embeddings per set that distances are computed over; more are thinned evenly."""

LEAST_ROWS = 10
"""Fewer embeddings in a set say nothing."""


class SetCollector:
    """Embeds the clips of each row as they come by, and compares the sets at the end.

    Args:
        embedding: the space to compare in.
        sample_rate: of the audio to be added.
        reference: the row whose vectors are taken from the cache.
        cache: None embeds every clip.

    Attributes:
        identity: of the embedding.
    """

    def __init__(
        self,
        embedding: Embedding,
        sample_rate: int,
        reference: str = "",
        cache: VectorCache | None = None,
    ) -> None:
        self.identity = embedding.identity()
        self._embedding = embedding
        self._sample_rate = sample_rate
        self._reference = reference
        self._cache = cache
        self._vectors: dict[str, list[NDArray[np.float32]]] = {}
        self._clips: dict[str, list[EvalClip]] = {}

    def add(self, row: str, clip: EvalClip, audio: NDArray[np.float32]) -> None:
        """One clip of one row."""
        if self._cache is not None and row == self._reference:
            vectors = self._cache.vectors(audio, self._embed)
        else:
            vectors = self._embed(audio)
        self._vectors.setdefault(row, []).append(vectors)
        self._clips.setdefault(row, []).append(clip)

    def _embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        at_rate = resample(audio, self._sample_rate, self._embedding.sample_rate)
        return self._embedding.embed(at_rate)

    def compare(self, reference: str, rows: Sequence[str]) -> SetDistances:
        """Distances of every row to the reference row, over all clips and per kit.

        The floor of each kit: halves of the reference, whole performances on either side, against
        each other.
        """
        kits = sorted({clip.take.kit for clip in self._clips.get(reference, [])})
        floors: list[SetFloor] = []
        lines: list[SetLine] = []
        for kit in ["", *(kits if len(kits) > 1 else [])]:
            real, groups = self._set(reference, kit)
            if len(real) < LEAST_ROWS:
                continue
            width = median_bandwidth(real)
            floors += _floor(kit, real, groups, width)
            for row in rows:
                if row == reference:
                    continue
                estimated, _ = self._set(row, kit)
                if len(estimated) >= LEAST_ROWS:
                    lines.append(_line(kit, row, real, estimated, width))
        name = self._embedding.embedding_id
        return SetDistances(name, self.identity, tuple(floors), tuple(lines))

    def _set(self, row: str, kit: str) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        """Embeddings `[N, D]` and the performance of each `[N]`."""
        pairs = [
            (vectors, clip.take.performance_key)
            for vectors, clip in zip(
                self._vectors.get(row, []), self._clips.get(row, []), strict=True
            )
            if kit in ("", clip.take.kit)
        ]
        if not pairs:
            return np.zeros((0, 1)), np.zeros(0, np.str_)
        rows = np.concatenate([vectors for vectors, _ in pairs]).astype(np.float64)
        groups = np.repeat([key for _, key in pairs], [len(vectors) for vectors, _ in pairs])
        if len(rows) > MAX_ROWS:
            kept = np.linspace(0, len(rows) - 1, MAX_ROWS).round().astype(int)
            rows, groups = rows[kept], groups[kept]
        return rows, groups


def open_collector(
    config: EvalConfig,
    registry: Registry,
    sample_rate: int,
    reference: str,
    message: Callable[[str], None],
) -> SetCollector:
    """The collector for the configured embedding.

    Raises:
        MidigrooveError: no such embedding, or something that it needs is missing.
    """
    device = choose_device(config.device)
    embedding: Embedding = registry.load("embedding", config.embedding).open(
        path=config.embedding_path, device=device
    )
    cache = None
    if embedding.keep_vectors:
        cache = VectorCache(embedding, sample_rate, device, message)
    return SetCollector(embedding, sample_rate, reference, cache)


def _floor(
    kit: str, real: NDArray[np.float64], groups: NDArray[np.str_], width: float
) -> list[SetFloor]:
    if len(np.unique(groups)) < 4:
        return []
    mean, high = split_floor(real, lambda a, b: kernel_audio_distance(a, b, width), groups=groups)
    return [SetFloor(kit, number(mean), number(high))]


def _line(
    kit: str, row: str, real: NDArray[np.float64], estimated: NDArray[np.float64], width: float
) -> SetLine:
    enough = len(estimated) >= 20
    infinity = frechet_distance_infinity(real, estimated) if enough else float("nan")
    return SetLine(
        kit,
        row,
        number(kernel_audio_distance(real, estimated, width)),
        number(frechet_distance(real, estimated)),
        number(infinity),
        len(estimated),
    )
