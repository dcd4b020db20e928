"""Does a row as a whole sound like the references? Distances between sets of embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import resample
from midigroove_core.device import choose_device
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.scoring.set_distances import (
    LEAST_ROWS,
    Against,
    VectorSet,
    mean_line,
)
from midigroove_core.evaluation.scoring.vector_cache import VectorCache
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.loudness import clip_lufs, matching_gain
from midigroove_core.registry import Registry
from midigroove_core.scorecard.records import SetDistances, SetFloor, SetLine

SetVectors = dict[str, list[list[tuple[NDArray[np.float32], EvalClip]]]]


class SetCollector:
    """Embeds the clips of each row as they come by, and compares the sets at the end.

    Args:
        embedding: the space to compare in.
        sample_rate: of the audio to be added.
        reference: the row that others are compared with, whose vectors are taken from the cache.
        cache: None embeds every clip.
        same_loudness: bring every clip to the loudness of its reference first.

    Attributes:
        identity: of the embedding.
    """

    def __init__(
        self,
        embedding: Embedding,
        sample_rate: int,
        reference: str = "",
        cache: VectorCache | None = None,
        same_loudness: bool = True,
    ) -> None:
        self.identity = embedding.identity()
        self._embedding = embedding
        self._sample_rate = sample_rate
        self._reference = reference
        self._cache = cache
        self._same_loudness = same_loudness
        self._lufs: dict[int, float] = {}
        self._draws: SetVectors = {}

    def add(
        self,
        row: str,
        clip: EvalClip,
        audio: NDArray[np.float32],
        reference: NDArray[np.float32],
        draw: int = 0,
    ) -> None:
        """One clip of one draw of a row, and its reference: both `[S]`."""
        if row == self._reference and self._cache is not None:
            vectors = self._cache.vectors(audio, self._embed)
        elif row == self._reference or not self._same_loudness:
            vectors = self._embed(audio)
        else:
            vectors = self._embed(audio * np.float32(self._gain(clip, audio, reference)))
        draws = self._draws.setdefault(row, [])
        while len(draws) <= draw:
            draws.append([])
        draws[draw].append((vectors, clip))

    def _gain(
        self, clip: EvalClip, audio: NDArray[np.float32], reference: NDArray[np.float32]
    ) -> float:
        if clip.index not in self._lufs:  # the same for every row
            self._lufs[clip.index] = clip_lufs(reference, self._sample_rate)
        return matching_gain(clip_lufs(audio, self._sample_rate), self._lufs[clip.index])

    def _embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        at_rate = resample(audio, self._sample_rate, self._embedding.sample_rate)
        return self._embedding.embed(at_rate)

    @property
    def vectors(self) -> SetVectors:
        """Row -> its draws, each the vectors of clips."""
        return self._draws

    def absorb(self, vectors: SetVectors) -> None:
        """The vectors of other clips."""
        for row, draws in vectors.items():
            own = self._draws.setdefault(row, [])
            for draw, found in enumerate(draws):
                if len(own) <= draw:
                    own.append([])
                own[draw] += found

    def compare(self, reference: str, rows: Sequence[str]) -> SetDistances:
        """Distances of every row to the reference row, over all clips and per kit.

        The floor of each kit: halves of the reference, whole performances on either side, against
        each other.
        """
        kits = sorted({c.take.kit for own in self._draws.get(reference, ()) for _, c in own})
        floors: list[SetFloor] = []
        lines: list[SetLine] = []
        for kit in ["", *(kits if len(kits) > 1 else [])]:
            real = self._sets(reference, kit)
            if not real:
                continue
            against = Against(real[0])
            floor = against.floor(kit)
            floors += [] if floor is None else [floor]
            for row in rows:
                estimated = self._sets(row, kit)
                if row != reference and estimated:
                    drawn = [against.line(row, one, kit) for one in estimated]
                    lines.append(mean_line(drawn))
        name, same = self._embedding.embedding_id, self._same_loudness
        return SetDistances(name, self.identity, same, tuple(floors), tuple(lines))

    def _sets(self, row: str, kit: str) -> list[VectorSet]:
        """The row's draws that have vectors enough."""
        found = [
            VectorSet.gather(
                [
                    (vectors, clip.take.performance_key)
                    for vectors, clip in sorted(own, key=lambda one: one[1].index)
                    if kit in ("", clip.take.kit)
                ]
            )
            for own in self._draws.get(row, ())
        ]
        return [vectors for vectors in found if len(vectors) >= LEAST_ROWS]


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
    embedding: Embedding = registry.load("embedding", config.embedding).from_config(
        {}, path=config.embedding_path, device=device
    )
    cache = None
    if embedding.keep_vectors:
        cache = VectorCache(embedding, sample_rate, device, message)
    return SetCollector(embedding, sample_rate, reference, cache, config.same_loudness)
