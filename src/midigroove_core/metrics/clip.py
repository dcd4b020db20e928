"""All metrics of one clip for one system, under the stable names of `info.METRICS`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from midigroove_core.metrics import onset, spectral, tone
from midigroove_core.metrics.features import AudioFeatures, validate
from midigroove_core.metrics.grid2drum import grid2drum_scores
from midigroove_core.metrics.info import METRICS


def clip_metrics(
    reference: AudioFeatures, estimated: AudioFeatures, reference_onsets_sec: ArrayLike
) -> dict[str, float]:
    """Every metric of `METRICS` for one clip of one system.

    Args:
        reference: the recording; keep it for all systems, its spectra are computed once.
        estimated: the system's audio: same sample rate, same number of samples.
        reference_onsets_sec: raw MIDI onset times from the clip's start `[N]`, only those inside.

    Returns:
        One number per name. NaN where a figure is undefined and must be left out of means: the
        onset and transient figures of a clip without hits, the offsets of a system without a
        matched hit, onsets against a recording in which none is heard. Everything else is finite,
        for silence too.

    Raises:
        ValueError: lengths or sample rates differ, or an onset is not a finite time >= 0.
    """
    validate(reference, estimated)
    scores = {
        **_onset_metrics(estimated, reference_onsets_sec),
        **_against_recording(reference, estimated),
        "spectral_convergence": spectral.spectral_convergence(reference, estimated),
        "log_magnitude_distance": spectral.log_magnitude_distance(reference, estimated),
        "mel_l1": spectral.mel_l1(reference, estimated),
        "log_spectral_distance": spectral.log_spectral_distance(reference, estimated),
        "envelope_correlation": spectral.envelope_correlation(reference, estimated),
        "transient_tail_difference_db": spectral.transient_tail_difference_db(
            reference, estimated, reference_onsets_sec
        ),
        "level_difference_db": spectral.level_difference_db(reference, estimated),
        "band_balance_difference_db": tone.band_balance_difference_db(reference, estimated),
        "centroid_difference_octaves": tone.centroid_difference_octaves(reference, estimated),
        "crest_difference_db": tone.crest_difference_db(reference, estimated),
        "si_sdr_db": spectral.si_sdr(reference, estimated),
        "rmse": spectral.rmse(reference, estimated),
        "mae": spectral.mae(reference, estimated),
        **grid2drum_scores(reference, estimated),
    }
    return {name: float(scores[name]) for name in METRICS}


def _onset_metrics(
    estimated: AudioFeatures,
    reference_onsets_sec: ArrayLike,
    tolerances_sec: Sequence[float] = onset.TOLERANCES_SEC,
) -> dict[str, float]:
    with warnings.catch_warnings():
        # Clips without hits and silent systems are ordinary here, not worth a warning each.
        warnings.simplefilter("ignore", UserWarning)
        scores = onset.onset_scores(reference_onsets_sec, estimated, tolerances_sec)
    if np.size(reference_onsets_sec) == 0:
        return dict.fromkeys(scores, float("nan"))
    return scores


def _against_recording(reference: AudioFeatures, estimated: AudioFeatures) -> dict[str, float]:
    scores = _onset_metrics(estimated, reference.onsets_sec, (0.05, 0.03))
    return {f"reference_{name}": scores[name] for name in ("onset_f1_50ms", "onset_f1_30ms")}
