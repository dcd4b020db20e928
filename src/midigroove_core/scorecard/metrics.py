"""Every figure that an evaluation gives, and how to read it."""

from __future__ import annotations

from midigroove_core.metrics.info import LONG_METRICS, METRICS, MetricInfo

CODE_METRICS: dict[str, MetricInfo] = {
    "nll_nats": MetricInfo(
        "NLL",
        "nats/code",
        "lower",
        True,
        "Compare within one codec only; see bits per second. ≤: an upper bound.",
    ),
    "bits_per_second": MetricInfo(
        "Code cost", "bit/s", "lower", True, "What the true codes cost under the model."
    ),
    "accuracy": MetricInfo(
        "Code accuracy", "", "higher", True, "Share of codes guessed right; within one codec only."
    ),
}
"""Figures of codes, per clip."""

BOUNDED = ("nll_nats", "bits_per_second")
"""Those that are an upper bound where a model has no more than that."""

CLIP_METRICS: dict[str, MetricInfo] = {
    **CODE_METRICS,
    **METRICS,
    "drum_f1": LONG_METRICS["drum_f1"],
}
"""Everything that clips.csv has."""

TAKE_METRICS: dict[str, MetricInfo] = {
    "velocity_correlation": MetricInfo(
        "Velocity correlation", "", "higher", True,
        "Rank correlation of velocity and level of isolated hits, mean over drum classes.",
    ),
    "microtiming_correlation": LONG_METRICS["microtiming_correlation"],
    "microtiming_error_ms": LONG_METRICS["microtiming_error_ms"],
}  # fmt: skip
"""Figures per take."""

SEAM_FIGURES = ("seam_flux_ratio", "seam_percentile_mean")
"""Figures of joins: a take counts by its number of joins away from hits."""

LONG_FIGURES: dict[str, MetricInfo] = {
    **{name: LONG_METRICS[name] for name in SEAM_FIGURES},
    "onset_f1_50ms": METRICS["onset_f1_50ms"],
    "beat_cmlt": LONG_METRICS["beat_cmlt"],
    "beat_amlt": LONG_METRICS["beat_amlt"],
}
"""Figures of long renders, averaged over takes."""

ALL_METRICS: dict[str, MetricInfo] = {**CLIP_METRICS, **TAKE_METRICS}
