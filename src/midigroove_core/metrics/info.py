"""What the metrics' names mean: label, unit, which way is better, and whether to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from midigroove_core.metrics.drums import HEARD_DRUMS

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


_PRECISION = "Share of the hits heard that are asked for; one sure hit alone scores 1: read F1."
_RECALL = "Share of the hits asked for that are heard; noise plays them all: read F1."

_PEAK = "As that work defines it, every signal at peak 1, so that one click changes all."

METRICS: dict[str, MetricInfo] = {
    "onset_f1_50ms": MetricInfo(
        "Onset F1 (50 ms)", "", "higher", True, "Hits found where the MIDI has them, +-50 ms."
    ),
    "onset_precision_50ms": MetricInfo("Onset precision (50 ms)", "", "higher", False, _PRECISION),
    "onset_recall_50ms": MetricInfo("Onset recall (50 ms)", "", "higher", False, _RECALL),
    "onset_f1_25ms": MetricInfo(
        "Onset F1 (25 ms)", "", "higher", True, "Hits found where the MIDI has them, +-25 ms."
    ),
    "onset_precision_25ms": MetricInfo("Onset precision (25 ms)", "", "higher", False, _PRECISION),
    "onset_recall_25ms": MetricInfo("Onset recall (25 ms)", "", "higher", False, _RECALL),
    "onset_f1_10ms": MetricInfo(
        "Onset F1 (10 ms)",
        "",
        "higher",
        True,
        "Hits found where the MIDI has them, +-10 ms; slow attacks and a constant delay count.",
    ),
    "onset_precision_10ms": MetricInfo("Onset precision (10 ms)", "", "higher", False, _PRECISION),
    "onset_recall_10ms": MetricInfo("Onset recall (10 ms)", "", "higher", False, _RECALL),
    "onset_offset_mean_ms": MetricInfo(
        "Onset offset",
        "ms",
        "zero",
        False,
        "Mean delay of matched hits; a kit has its own, so compare with the recording's.",
    ),
    "onset_offset_std_ms": MetricInfo(
        "Onset spread", "ms", "lower", True, "Standard deviation of the delay of matched hits."
    ),
    "reference_onset_f1_50ms": MetricInfo(
        "Onset F1 by the recording (50 ms)",
        "",
        "higher",
        True,
        "Hits found where they are found in the recording, +-50 ms, as other work has it: what the "
        "recording does not play, or the detector does not hear in it, counts against nobody.",
    ),
    "reference_onset_f1_30ms": MetricInfo(
        "Onset F1 by the recording (30 ms)", "", "higher", True, "The same, +-30 ms."
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
    "band_balance_difference_db": MetricInfo(
        "Band balance", "dB", "lower", True, "How far the bands' shares of the energy are off."
    ),
    "centroid_difference_octaves": MetricInfo(
        "Brightness", "octaves", "zero", True, "Below 0: too dull; above 0: too bright."
    ),
    "crest_difference_db": MetricInfo(
        "Crest factor", "dB", "zero", True, "Below 0: peaks stand out too little, no punch."
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
    "grid2drum_mel_mae_db": MetricInfo(
        "Mel MAE (grid2drum)", "dB", "lower", False, f"{_PEAK} Read mel L1."
    ),
    "grid2drum_flux_cosine": MetricInfo(
        "Flux cosine (grid2drum)", "", "higher", False, f"{_PEAK} Read onsets."
    ),
    "grid2drum_band_balance_l1": MetricInfo(
        "Band balance (grid2drum)", "", "lower", False, f"{_PEAK} Read band balance in dB."
    ),
    "grid2drum_centroid_mae_hz": MetricInfo(
        "Centroid (grid2drum)", "Hz", "lower", False, f"{_PEAK} Silence counts as 0 Hz."
    ),
}
"""What `clip_metrics` returns, in the order of tables."""

LONG_METRICS: dict[str, MetricInfo] = {
    "drum_f1": MetricInfo(
        "Drum F1", "", "higher", True, "Mean over classes of F1 per drum class, +-50 ms."
    ),
    **{
        f"drum_f1_{name}": MetricInfo(
            f"{name.capitalize()} F1",
            "",
            "higher",
            name not in ("tom", "crash"),
            "Transcribed by NMF; grey where the recording itself scores under 0.7.",
        )
        for name in HEARD_DRUMS
    },
    **{
        f"velocity_correlation_{name}": MetricInfo(
            f"{name.capitalize()} velocity",
            "",
            "higher",
            True,
            "Rank correlation of MIDI velocity and level just after isolated hits.",
        )
        for name in HEARD_DRUMS
    },
    "microtiming_correlation": MetricInfo(
        "Microtiming correlation",
        "",
        "higher",
        False,
        "Early and late where the drummer was? Only hits within 50 ms are matched, so even random "
        "codes reach 0.6: read the error instead.",
    ),
    "microtiming_error_ms": MetricInfo(
        "Microtiming error", "ms", "lower", True, "Mean timing error without the constant delay."
    ),
    "microtiming_delay_ms": MetricInfo(
        "Constant delay", "ms", "zero", True, "Median delay of matched hits; a kit has its own."
    ),
    "seam_flux_ratio": MetricInfo(
        "Seam flux", "", "lower", True, "Spectral flux at joins over elsewhere; 1 is inaudible."
    ),
    "seam_percentile_mean": MetricInfo(
        "Seam percentile", "%", "lower", True, "Where joins rank among all moments; 50 is chance."
    ),
    "beat_cmlt": MetricInfo(
        "Beats (CMLt)",
        "",
        "higher",
        True,
        "Share of the MIDI's beats that a tracker, told the tempo, follows; noise reaches 0.3.",
    ),
    "beat_amlt": MetricInfo(
        "Beats, any level (AMLt)",
        "",
        "higher",
        True,
        "The same where half and double tempo and the off-beats are right too; noise reaches 0.4.",
    ),
}
"""Metrics that need more than one short clip, whole takes if possible (see drums, dynamics, seams).
Pool the counts of `drum_counts` over clips; a velocity correlation needs five isolated hits."""

SET_METRICS: dict[str, MetricInfo] = {
    "kernel_audio_distance": MetricInfo(
        "Kernel distance",
        "",
        "lower",
        True,
        "Unbiased MMD x 100; under the floor it is noise.",
    ),
    "frechet_distance": MetricInfo(
        "Frechet distance", "", "lower", False, "Biased upwards by the number of clips."
    ),
    "frechet_distance_infinity": MetricInfo(
        "Frechet distance, extrapolated",
        "",
        "lower",
        True,
        "To infinitely many clips; only where there are twice as many vectors as dimensions.",
    ),
    "density": MetricInfo(
        "Density",
        "",
        "higher",
        False,
        "How near its vectors are to the recordings'; one good clip, repeated, scores above 1.",
    ),
    "coverage": MetricInfo(
        "Coverage",
        "",
        "higher",
        True,
        "Share of the recordings' vectors that have one of its own near them.",
    ),
}
"""Metrics of two sets of embeddings."""
