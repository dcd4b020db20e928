"""Can the joins of long renders be heard? Spectral flux at joins against elsewhere.

What the figure is where there is no join, the same moments of the reference say.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import downmix
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.failures import FAILURES, failure
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.long_renders import LONG_SEC, LongPlayed, LongSource
from midigroove_core.evaluation.rows.references import References
from midigroove_core.metrics.beats import beat_scores
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import onset_scores
from midigroove_core.metrics.seams import seam_scores
from midigroove_core.progress import Progress
from midigroove_core.scorecard.measured import LongMeasured
from midigroove_core.scorecard.records import LongLine, LongSpent


def score_long(
    source: LongSource, references: References, journal: Journal, progress: Progress
) -> LongMeasured:
    """Renders and scores every stretch; what fails is noted and costs no other."""
    lines: list[LongLine] = []
    spent: dict[str, tuple[float, float]] = {}
    if source.stretches:
        progress.start("Rendering long takes", len(source.stretches))
    for stretch in source.stretches:
        reference = _reference(stretch, references, journal)
        for played in source.play(stretch):
            try:
                lines += _lines(played, reference, references)
            except FAILURES as error:
                reason = failure("render failed", error)
                journal.skip(stretch.clip_id, f"long {played.system}", reason)
                continue
            before, heard = spent.get(played.system, (0.0, 0.0))
            spent[played.system] = (before + played.spent_sec, heard + stretch.end_sec)
        progress.advance()
    if source.stretches:
        progress.finish()
    return LongMeasured(
        LONG_SEC,
        tuple(stretch.judged for stretch in source.stretches),
        tuple(lines),
        tuple(LongSpent(row, sec, audio_sec) for row, (sec, audio_sec) in spent.items()),
    )


def _reference(stretch: EvalClip, references: References, journal: Journal) -> AudioFeatures | None:
    try:
        audio = references.stretch(stretch)
        return AudioFeatures.from_audio(downmix(audio), references.sample_rate, "reference")
    except (InputError, ValueError) as error:
        journal.skip(stretch.clip_id, f"long {references.facts.row}", str(error))
        return None


def _lines(
    played: LongPlayed, reference: AudioFeatures | None, references: References
) -> list[LongLine]:
    """The system's line, and the reference's at the same moments."""
    rate = references.sample_rate
    features = AudioFeatures.from_audio(downmix(played.audio), rate, "render")
    exact = math.ceil(played.stretch.end_sec * rate - 1e-6)
    lines = [_line(played.system, played, features, played.audio.shape[-1] - exact)]
    if reference is not None:
        lines.append(_line(references.facts.row, played, reference, None))
    return lines


def _line(
    row: str, played: LongPlayed, features: AudioFeatures, samples_off: int | None
) -> LongLine:
    stretch, joins_sec = played.stretch, played.joins_sec
    onsets = stretch.onsets_sec
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a system that plays no hits
        found = onset_scores(onsets, features, (0.05,))
    seams = seam_scores(features, joins_sec, onsets)
    return LongLine(
        take=stretch.take.key,
        performance=stretch.take.performance_key,
        kit=stretch.take.kit,
        row=row,
        joins_of=played.system,
        duration_sec=stretch.end_sec,
        joins=len(joins_sec),
        seams_compared=seams["seams_compared"],
        seam_flux_ratio=seams["seam_flux_ratio"],
        seam_percentile_mean=seams["seam_percentile_mean"],
        samples_off=samples_off,
        onset_f1_50ms=found["onset_f1_50ms"],
        **beat_scores(beats_of(stretch), features),
    )


def beats_of(stretch: EvalClip) -> NDArray[np.float64]:
    """The MIDI's quarter notes inside a stretch, in seconds from its start."""
    start, end = stretch.performance.seconds_to_beats([stretch.start_sec, stretch.end_sec])
    inside = np.arange(math.ceil(start - 1e-9), end)
    return stretch.performance.beats_to_seconds(inside) - stretch.start_sec
