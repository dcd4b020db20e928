"""Metrics as pure functions of numpy arrays, in the manner of mir_eval.

Reference first, estimated second. Identical input scores perfectly; empty input warns and scores
0. Units are in the names. Nothing here imports torch. `docs/metrics.md` says how each is computed
and when not to trust it.
"""

from midigroove_core.metrics.beats import beat_scores, track_beats
from midigroove_core.metrics.clip import clip_metrics
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
from midigroove_core.metrics.distribution import (
    density_and_coverage,
    frechet_distance,
    frechet_distance_infinity,
    kernel_audio_distance,
    least_rows,
    median_bandwidth,
    polynomial_kernel_distance,
    split_floor,
)
from midigroove_core.metrics.drum_fitting import fit_templates
from midigroove_core.metrics.drums import (
    HEARD_DRUMS,
    TRUSTED_F1,
    DrumTemplates,
    build_templates,
    drum_counts,
    drum_scores,
    transcribe,
)
from midigroove_core.metrics.dynamics import (
    hit_levels_db,
    isolated_hits,
    microtiming,
    velocity_correlation,
    velocity_correlations,
)
from midigroove_core.metrics.embedding import EMBEDDING_SIZE, embed_log_mel
from midigroove_core.metrics.features import AudioFeatures, validate
from midigroove_core.metrics.info import LONG_METRICS, METRICS, SET_METRICS, MetricInfo
from midigroove_core.metrics.onset import match_onsets, onset_scores
from midigroove_core.metrics.onset_detection import detect_onsets, merge_onsets
from midigroove_core.metrics.seams import seam_scores
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
    holm,
    paired_difference,
    percent_of_oracle,
    permutation_p,
)
from midigroove_core.metrics.tone import (
    band_balance_difference_db,
    centroid_difference_octaves,
    crest_difference_db,
)

__all__ = [
    "HEARD_DRUMS",
    "EMBEDDING_SIZE",
    "LONG_METRICS",
    "METRICS",
    "SET_METRICS",
    "TRUSTED_F1",
    "AudioFeatures",
    "CodeModel",
    "DrumTemplates",
    "Interval",
    "MetricInfo",
    "accuracy",
    "beat_scores",
    "band_balance_difference_db",
    "bits_per_second",
    "bootstrap_mean",
    "build_templates",
    "centroid_difference_octaves",
    "change_rate",
    "clip_metrics",
    "count_codes",
    "crest_difference_db",
    "density_and_coverage",
    "detect_onsets",
    "distinguishable",
    "drum_counts",
    "drum_scores",
    "embed_log_mel",
    "entropy_nats",
    "envelope_correlation",
    "fit_code_model",
    "fit_templates",
    "frechet_distance",
    "frechet_distance_infinity",
    "hit_levels_db",
    "holm",
    "isolated_hits",
    "kernel_audio_distance",
    "least_rows",
    "level_db",
    "level_difference_db",
    "log_magnitude_distance",
    "log_spectral_distance",
    "mae",
    "match_onsets",
    "mean_run_length",
    "median_bandwidth",
    "mel_l1",
    "merge_onsets",
    "microtiming",
    "onset_scores",
    "paired_difference",
    "percent_of_oracle",
    "permutation_p",
    "perplexity",
    "polynomial_kernel_distance",
    "rmse",
    "run_lengths",
    "seam_scores",
    "si_sdr",
    "spectral_convergence",
    "split_floor",
    "track_beats",
    "transcribe",
    "transient_tail_difference_db",
    "transient_tail_ratio_db",
    "usage",
    "validate",
    "velocity_correlation",
    "velocity_correlations",
]
