"""Metrics as pure functions of numpy arrays, in the manner of mir_eval.

Reference first, estimated second. Identical input scores perfectly; empty input warns and scores
0. Units are in the names. Nothing here imports torch. `docs/metrics.md` says how each is computed
and when not to trust it.
"""

from midigroove_core.metrics.clip import METRICS, MetricInfo, clip_metrics
from midigroove_core.metrics.codes import (
    CodeModel,
    accuracy,
    bits_per_second,
    change_rate,
    count_codes,
    entropy_nats,
    fit_code_model,
    mean_run_length,
    perplexity,
    run_lengths,
    usage,
)
from midigroove_core.metrics.features import AudioFeatures, validate
from midigroove_core.metrics.onset import (
    detect_onsets,
    match_onsets,
    merge_onsets,
    onset_scores,
)
from midigroove_core.metrics.spectral import (
    envelope_correlation,
    level_db,
    level_difference_db,
    log_magnitude_distance,
    log_spectral_distance,
    mae,
    mel_l1,
    rmse,
    si_sdr,
    spectral_convergence,
    transient_tail_difference_db,
    transient_tail_ratio_db,
)
from midigroove_core.metrics.statistics import (
    Interval,
    bootstrap_mean,
    distinguishable,
    paired_difference,
    percent_of_oracle,
)

__all__ = [
    "METRICS",
    "AudioFeatures",
    "CodeModel",
    "Interval",
    "MetricInfo",
    "accuracy",
    "bits_per_second",
    "bootstrap_mean",
    "change_rate",
    "clip_metrics",
    "count_codes",
    "detect_onsets",
    "distinguishable",
    "entropy_nats",
    "envelope_correlation",
    "fit_code_model",
    "level_db",
    "level_difference_db",
    "log_magnitude_distance",
    "log_spectral_distance",
    "mae",
    "match_onsets",
    "mean_run_length",
    "mel_l1",
    "merge_onsets",
    "onset_scores",
    "paired_difference",
    "percent_of_oracle",
    "perplexity",
    "rmse",
    "run_lengths",
    "si_sdr",
    "spectral_convergence",
    "transient_tail_difference_db",
    "transient_tail_ratio_db",
    "usage",
    "validate",
]
