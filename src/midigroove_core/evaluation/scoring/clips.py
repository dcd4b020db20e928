"""One clip of one row: every figure that its audio gives, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.hearing import features_of
from midigroove_core.evaluation.scoring.added_metrics import AddedMetrics
from midigroove_core.evaluation.scoring.kit_recordings import KitRecordings
from midigroove_core.evaluation.scoring.take_scores import TakeCollector
from midigroove_core.evaluation.scoring.transcribers import Transcribers, class_hits
from midigroove_core.metrics.clip import clip_metrics
from midigroove_core.metrics.drums import (
    HEARD_DRUMS,
    TRUSTED_F1,
    drum_counts,
    drum_scores,
    transcribe,
)
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.scorecard.records import DrumLine, number


@dataclass
class ClassCounts:
    """(matched, in the MIDI, heard) per row and drum class, summed over clips and draws."""

    counts: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, row: str, found: dict[str, tuple[int, int, int]]) -> None:
        """The counts of one clip."""
        for name, three in found.items():
            total = self.counts.setdefault((row, name), [0, 0, 0])
            for index, value in enumerate(three):
                total[index] += value

    def absorb(self, other: ClassCounts) -> None:
        """The counts of other clips."""
        for (row, name), (matched, expected, heard) in other.counts.items():
            self.add(row, {name: (matched, expected, heard)})


class ClipScorer:
    """Scores audio against a reference and the MIDI.

    Args:
        sample_rate: of all audio.
        recordings: of the kits, to hear their drums with; None where there are none.
        added: figures of plugins.
    """

    def __init__(
        self,
        sample_rate: int,
        recordings: KitRecordings | None = None,
        added: AddedMetrics | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.added = added or AddedMetrics()
        self.transcribers = Transcribers(sample_rate, recordings)
        self.classes = ClassCounts()
        self.takes = TakeCollector()

    def score(
        self,
        row: str,
        clip: EvalClip,
        reference: AudioFeatures,
        audio: NDArray[np.float32],
        draw: int = 0,
    ) -> dict[str, float]:
        """Every figure of one clip of one row; counts of classes and takes are kept inside.

        Raises:
            InputError: audio that cannot be scored; says why.
        """
        features = features_of(audio, self.sample_rate, "prediction")
        hits = class_hits(clip)
        try:
            values = clip_metrics(reference, features, clip.onsets_sec)
        except ValueError as error:
            raise InputError(f"cannot be scored: {error}") from error
        templates = self.transcribers.templates(clip.take.kit)
        found = transcribe(features, templates)
        counts = drum_counts({name: hits[name][0] for name in HEARD_DRUMS}, found)
        self.classes.add(row, counts)
        self.takes.add(row, clip, features, hits, draw)
        more = self.added.measure(clip, features.audio, reference.audio, self.sample_rate)
        return {**values, "drum_f1": drum_scores(counts)["drum_f1"], **more}


def drum_lines(counts: ClassCounts, rows: Sequence[str], reference: str) -> list[DrumLine]:
    """Pooled precision, recall and F1 per drum class and row.

    A class is trusted where the reference's own F1 reaches `TRUSTED_F1`: where even the recording
    is not heard right, a system's figure means little.
    """
    lines = []
    for name in HEARD_DRUMS:
        own = _scores(counts.counts.get((reference, name), [0, 0, 0]))[2]
        for row in rows:
            if (row, name) not in counts.counts:
                continue
            three = counts.counts[row, name]
            trusted = own is not None and own >= TRUSTED_F1
            lines.append(DrumLine(name, row, three[1], three[2], *_scores(three), trusted))
    return lines


def _scores(three: list[int]) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1."""
    matched, expected, heard = three
    if expected == 0:
        return None, None, None
    return (
        number(matched / heard if heard else 0.0),
        number(matched / expected),
        number(2 * matched / (expected + heard)),
    )
