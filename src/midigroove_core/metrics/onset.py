"""Does it play what the MIDI says? Onsets found in the audio against the MIDI's own times.

Onsets are found by `onset_detection`. Scores are mir_eval's (Raffel et al., ISMIR 2014,
https://mir-eval.readthedocs.io/), one-to-one matching within a tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset_detection import FloatVector, merge_onsets

TOLERANCES_SEC = (0.05, 0.025, 0.01)


def onset_scores(
    reference_onsets_sec: ArrayLike,
    estimated: ArrayLike | AudioFeatures,
    tolerances_sec: Sequence[float] = TOLERANCES_SEC,
) -> dict[str, float]:
    """Precision, recall and F1 at each tolerance, and how late the matched onsets are.

    Args:
        reference_onsets_sec: raw MIDI onset times `[N]`; merged here within `MERGE_SEC`. Never
            give times rounded to codec frames: a perfect detector then tops out near 0.8.
        estimated: features of the audio, or onset times `[M]` already detected.
        tolerances_sec: half-widths of the matching window.

    Returns:
        `onset_precision_50ms`, `onset_recall_50ms`, `onset_f1_50ms` and so on per tolerance;
        `onset_offset_mean_ms` (positive: late) and `onset_offset_std_ms` over the pairs matched at
        the widest tolerance, NaN without a pair. If either side is empty, mir_eval warns and the
        scores are 0.

    Raises:
        ValueError: times that are not finite, or negative.
    """
    import mir_eval

    reference = merge_onsets(_checked(reference_onsets_sec, "reference_onsets_sec"))
    if isinstance(estimated, AudioFeatures):
        found = estimated.onsets_sec
    else:
        found = np.sort(_checked(estimated, "estimated onsets"))
    mir_eval.onset.validate(reference, found)
    scores: dict[str, float] = {}
    offsets: FloatVector = np.zeros(0)
    for tolerance in sorted(tolerances_sec, reverse=True):
        pairs = match_onsets(reference, found, tolerance)
        precision = len(pairs) / found.size if found.size else 0.0
        recall = len(pairs) / reference.size if reference.size else 0.0
        suffix = f"{round(tolerance * 1000)}ms"
        scores[f"onset_precision_{suffix}"] = precision
        scores[f"onset_recall_{suffix}"] = recall
        scores[f"onset_f1_{suffix}"] = float(mir_eval.util.f_measure(precision, recall))
        if tolerance == max(tolerances_sec) and len(pairs):
            offsets = 1000.0 * (found[pairs[:, 1]] - reference[pairs[:, 0]])
    scores["onset_offset_mean_ms"] = float(offsets.mean()) if offsets.size else float("nan")
    scores["onset_offset_std_ms"] = float(offsets.std()) if offsets.size else float("nan")
    return scores


def match_onsets(
    reference_sec: FloatVector, estimated_sec: FloatVector, tolerance_sec: float
) -> NDArray[np.int64]:
    """The largest one-to-one matching within the tolerance: index pairs `[P, 2]` (mir_eval)."""
    import mir_eval

    if reference_sec.size == 0 or estimated_sec.size == 0:
        return np.zeros((0, 2), np.int64)
    pairs = mir_eval.util.match_events(reference_sec, estimated_sec, tolerance_sec)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _checked(onsets_sec: ArrayLike, name: str) -> FloatVector:
    onsets = np.asarray(onsets_sec, dtype=np.float64)
    if onsets.ndim != 1 or not np.isfinite(onsets).all() or (onsets < 0.0).any():
        raise ValueError(f"{name} must be finite, not negative, of shape [N], in seconds")
    return onsets
