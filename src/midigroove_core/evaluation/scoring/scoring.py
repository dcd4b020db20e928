"""One clip of one row: every figure that its audio gives, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.scoring.kit_recordings import KitRecordings
from midigroove_core.evaluation.scoring.take_scores import TakeCollector
from midigroove_core.evaluation.scoring.transcribers import Hits, Transcribers, class_hits
from midigroove_core.metrics.clip import clip_metrics
from midigroove_core.metrics.drums import DRUM_CLASSES, drum_counts, drum_scores, transcribe
from midigroove_core.metrics.features import AudioFeatures

LEAST_SAMPLES = 2048
"""A shorter clip has no spectrum worth comparing."""


@dataclass
class ReferenceClip:
    """What is compared with: computed once for all rows of a clip."""

    clip: EvalClip
    features: AudioFeatures
    hits: Hits


@dataclass
class ClassCounts:
    """(matched, in the MIDI, heard) per row and drum class, summed over clips."""

    counts: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, row: str, found: dict[str, tuple[int, int, int]]) -> None:
        """The counts of one clip."""
        for name, three in found.items():
            total = self.counts.setdefault((row, name), [0, 0, 0])
            for index, value in enumerate(three):
                total[index] += value


class ClipScorer:
    """Scores audio against a reference and the MIDI.

    Args:
        sample_rate: of all audio.
        recordings: of the kits, to hear their drums with; None where there are none.
    """

    def __init__(self, sample_rate: int, recordings: KitRecordings | None = None) -> None:
        self.sample_rate = sample_rate
        self.transcribers = Transcribers(sample_rate, recordings)
        self.classes = ClassCounts()
        self.takes = TakeCollector()

    def reference(self, clip: EvalClip, audio: NDArray[np.float32]) -> ReferenceClip:
        """The reference of a clip `[S]`.

        Raises:
            InputError: too short, or not finite; says which.
        """
        return ReferenceClip(clip, self._features(audio, "reference"), class_hits(clip))

    def score(
        self, row: str, reference: ReferenceClip, audio: NDArray[np.float32]
    ) -> dict[str, float]:
        """Every figure of one clip of one row; counts of classes and takes are kept inside.

        Raises:
            InputError: audio that cannot be scored; says why.
        """
        features = self._features(audio, "prediction")
        clip = reference.clip
        try:
            values = clip_metrics(reference.features, features, clip.onsets_sec)
        except ValueError as error:
            raise InputError(f"cannot be scored: {error}") from error
        templates = self.transcribers.templates(clip.entry.kit)
        found = transcribe(features, templates)
        counts = drum_counts({name: reference.hits[name][0] for name in DRUM_CLASSES}, found)
        self.classes.add(row, counts)
        self.takes.add(row, clip, features, reference.hits)
        return {**values, "drum_f1": drum_scores(counts)["drum_f1"]}

    def _features(self, audio: NDArray[np.float32], what: str) -> AudioFeatures:
        if len(audio) < LEAST_SAMPLES:
            raise InputError(f"{what} too short: {len(audio)} samples of {LEAST_SAMPLES}")
        try:
            return AudioFeatures.from_audio(audio, self.sample_rate, what)
        except ValueError as error:
            raise InputError(f"{what} not finite: {error}") from error


def class_table(
    counts: ClassCounts, rows: Sequence[str], reference_row: str, trusted_f1: float
) -> list[dict[str, object]]:
    """Lines of per_class.csv: pooled precision, recall and F1 per drum class and row.

    `trusted` says whether the reference's own F1 reaches `trusted_f1`: where even the recording is
    not heard right, a system's figure means little.
    """
    lines: list[dict[str, object]] = []
    for name in DRUM_CLASSES:
        own = _scores(counts.counts.get((reference_row, name), [0, 0, 0]))["f1"]
        for row in rows:
            if (row, name) not in counts.counts:
                continue
            three = counts.counts[row, name]
            trusted = own is not None and own >= trusted_f1
            line = {"class": name, "row": row, "hits": three[1], "heard": three[2]}
            lines.append({**line, **_scores(three), "trusted": trusted})
    return lines


def _scores(three: list[int]) -> dict[str, float | None]:
    matched, expected, heard = three
    if expected == 0:
        return {"precision": None, "recall": None, "f1": None}
    return {
        "precision": matched / heard if heard else 0.0,
        "recall": matched / expected,
        "f1": 2 * matched / (expected + heard),
    }
