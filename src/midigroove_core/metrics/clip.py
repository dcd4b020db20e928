"""All metrics of one clip for one system, with stable names, and what each name means."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from midigroove_core.metrics import onset, spectral
from midigroove_core.metrics.features import AudioFeatures, validate

Better = Literal["higher", "lower", "zero"]


@dataclass(frozen=True)
class MetricInfo:
    """How to read a metric.

    Attributes:
        label: for table heads.
        unit: "" for plain numbers.
        better: which way is better; "zero" means nearest to zero.
        trusted: whether silence comes last and the recording first; else it is shown greyed out.
        note: what it measures, and why it is not trusted if so, in one sentence.
    """

    label: str
    unit: str
    better: Better
    trusted: bool
    note: str


METRICS: dict[str, MetricInfo] = {
    "onset_f1_50ms": MetricInfo(
        "Onset F1 (50 ms)", "", "higher", True, "Hits found where the MIDI has them, +-50 ms."
    ),
    "onset_precision_50ms": MetricInfo(
        "Onset precision (50 ms)", "", "higher", True, "Share of the hits heard that are asked for."
    ),
    "onset_recall_50ms": MetricInfo(
        "Onset recall (50 ms)", "", "higher", True, "Share of the hits asked for that are heard."
    ),
    "onset_f1_25ms": MetricInfo(
        "Onset F1 (25 ms)", "", "higher", True, "Hits found where the MIDI has them, +-25 ms."
    ),
    "onset_precision_25ms": MetricInfo(
        "Onset precision (25 ms)", "", "higher", True, "Share of the hits heard that are asked for."
    ),
    "onset_recall_25ms": MetricInfo(
        "Onset recall (25 ms)", "", "higher", True, "Share of the hits asked for that are heard."
    ),
    "onset_f1_10ms": MetricInfo(
        "Onset F1 (10 ms)",
        "",
        "higher",
        True,
        "Hits found where the MIDI has them, +-10 ms; slow attacks and a constant delay count.",
    ),
    "onset_precision_10ms": MetricInfo(
        "Onset precision (10 ms)", "", "higher", True, "Share of the hits heard that are asked for."
    ),
    "onset_recall_10ms": MetricInfo(
        "Onset recall (10 ms)", "", "higher", True, "Share of the hits asked for that are heard."
    ),
    "onset_offset_mean_ms": MetricInfo(
        "Onset offset", "ms", "zero", True, "Mean delay of matched hits; a kit has its own."
    ),
    "onset_offset_std_ms": MetricInfo(
        "Onset spread", "ms", "lower", True, "Standard deviation of the delay of matched hits."
    ),
    "spectral_convergence": MetricInfo(
        "Spectral convergence",
        "",
        "lower",
        False,
        "Relative error of STFT magnitudes; silence scores 1 and beats a system that errs loudly.",
    ),
    "log_magnitude_distance": MetricInfo(
        "Log-magnitude distance", "Np", "lower", True, "Mean error of log STFT magnitudes."
    ),
    "mel_l1": MetricInfo("Mel L1", "dB", "lower", True, "Mean error of the log-mel spectrogram."),
    "log_spectral_distance": MetricInfo(
        "Log-spectral distance", "dB", "lower", True, "RMS error over frequency, mean over time."
    ),
    "envelope_correlation": MetricInfo(
        "Envelope correlation", "", "higher", True, "Do both get loud and soft at the same times?"
    ),
    "transient_tail_difference_db": MetricInfo(
        "Transient-to-tail difference", "dB", "zero", True, "Below 0: blurred attacks, long tails."
    ),
    "level_difference_db": MetricInfo(
        "Level difference", "dB", "zero", True, "Below 0: too quiet."
    ),
    "si_sdr_db": MetricInfo(
        "SI-SDR",
        "dB",
        "higher",
        False,
        "Counts phase, which a resynthesis neither keeps nor needs; meaningful for codecs only.",
    ),
    "rmse": MetricInfo(
        "RMSE", "", "lower", False, "Silence beats any hit that is not identical in phase."
    ),
    "mae": MetricInfo(
        "MAE", "", "lower", False, "Silence beats any hit that is not identical in phase."
    ),
}
"""What `clip_metrics` returns, in the order of tables."""


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
        matched hit. Everything else is finite, for silence too.

    Raises:
        ValueError: lengths or sample rates differ, or an onset is not a finite time >= 0.
    """
    validate(reference, estimated)
    scores = {
        **_onset_metrics(estimated, reference_onsets_sec),
        "spectral_convergence": spectral.spectral_convergence(reference, estimated),
        "log_magnitude_distance": spectral.log_magnitude_distance(reference, estimated),
        "mel_l1": spectral.mel_l1(reference, estimated),
        "log_spectral_distance": spectral.log_spectral_distance(reference, estimated),
        "envelope_correlation": spectral.envelope_correlation(reference, estimated),
        "transient_tail_difference_db": spectral.transient_tail_difference_db(
            reference, estimated, reference_onsets_sec
        ),
        "level_difference_db": spectral.level_difference_db(reference, estimated),
        "si_sdr_db": spectral.si_sdr(reference, estimated),
        "rmse": spectral.rmse(reference, estimated),
        "mae": spectral.mae(reference, estimated),
    }
    return {name: float(scores[name]) for name in METRICS}


def _onset_metrics(estimated: AudioFeatures, reference_onsets_sec: ArrayLike) -> dict[str, float]:
    with warnings.catch_warnings():
        # Clips without hits and silent systems are ordinary here, not worth a warning each.
        warnings.simplefilter("ignore", UserWarning)
        scores = onset.onset_scores(reference_onsets_sec, estimated)
    if np.size(reference_onsets_sec) == 0:
        return dict.fromkeys(scores, float("nan"))
    return scores
