"""Paired audio metrics: perfect where they must be, worse with damage, equal to other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import signal
from support.synthetic_drums import SAMPLE_RATE, groove, onsets_sec, play

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures, spectrum
from midigroove_core.metrics import features as features_module

DISTANCES = [
    metrics.spectral_convergence,
    metrics.log_magnitude_distance,
    metrics.mel_l1,
    metrics.log_spectral_distance,
    metrics.rmse,
    metrics.mae,
]
HITS = groove(0)
REFERENCE = play(HITS)


@pytest.fixture(scope="module")
def reference() -> AudioFeatures:
    return AudioFeatures.from_audio(REFERENCE, SAMPLE_RATE)


def featured(audio: np.ndarray) -> AudioFeatures:
    return AudioFeatures.from_audio(audio.astype(np.float32), SAMPLE_RATE)


def noisy(amount: float) -> np.ndarray:
    return REFERENCE + np.random.default_rng(1).normal(0.0, amount, REFERENCE.size)


def low_passed(cutoff_hz: float) -> np.ndarray:
    return signal.sosfiltfilt(signal.butter(6, cutoff_hz, fs=SAMPLE_RATE, output="sos"), REFERENCE)


@pytest.mark.parametrize("metric", DISTANCES)
def test_identical_signals_have_no_distance(metric, reference: AudioFeatures) -> None:
    assert metric(reference, featured(REFERENCE)) == 0.0
    assert metric(REFERENCE, REFERENCE, SAMPLE_RATE) == 0.0


def test_identical_signals_score_best(reference: AudioFeatures) -> None:
    same = featured(REFERENCE)
    assert metrics.envelope_correlation(reference, same) == 1.0
    assert metrics.si_sdr(reference, same) == 100.0
    assert metrics.level_difference_db(reference, same) == 0.0
    assert metrics.transient_tail_difference_db(reference, same, onsets_sec(HITS)) == 0.0


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize(
    "damaged",
    [
        [noisy(amount) for amount in (0.001, 0.01, 0.05, 0.2)],
        [low_passed(cutoff) for cutoff in (12000, 6000, 2000, 500)],
    ],
    ids=["noise", "low-pass"],
)
def test_distances_grow_with_damage(metric, damaged, reference: AudioFeatures) -> None:
    scores = [metric(reference, featured(audio)) for audio in damaged]
    assert scores == sorted(scores) and scores[0] > 0.0 and scores[-1] > 1.2 * scores[0]


def test_tone_says_in_which_direction_a_sound_is_off(reference: AudioFeatures) -> None:
    """Duller and brighter by grades, squashed by grades; a level that is off is no other tone."""
    low = low_passed(1500)
    dull = [featured(part * low + (1 - part) * REFERENCE) for part in (0.3, 0.7, 0.95)]
    balance = [metrics.band_balance_difference_db(reference, x) for x in dull]
    bright = [metrics.centroid_difference_octaves(reference, x) for x in dull]
    assert balance == sorted(balance) and balance[0] > 1.0
    assert bright == sorted(bright, reverse=True) and bright[-1] < -0.3 and bright[0] <= 0.0
    thin = featured(
        signal.sosfilt(signal.butter(2, 2000, "high", fs=SAMPLE_RATE, output="sos"), REFERENCE)
    )
    assert metrics.centroid_difference_octaves(reference, thin) > 1.0
    peak = np.abs(REFERENCE).max()
    squashed = [np.clip(REFERENCE, -part * peak, part * peak) for part in (0.8, 0.4, 0.1)]
    crest = [metrics.crest_difference_db(reference, featured(x)) for x in squashed]
    assert crest == sorted(crest, reverse=True) and crest[0] < -0.5
    for metric, silent in (
        (metrics.band_balance_difference_db, 40.0),
        (metrics.centroid_difference_octaves, -5.0),
    ):
        assert metric(reference, featured(0.25 * REFERENCE)) == pytest.approx(0.0, abs=0.01)
        assert metric(reference, featured(0.0 * REFERENCE)) == silent
        assert metric(featured(0.0 * REFERENCE), featured(0.0 * REFERENCE)) == 0.0
    assert metrics.crest_difference_db(reference, featured(0.25 * REFERENCE)) == pytest.approx(
        0.0, abs=1e-4
    )
    assert metrics.crest_difference_db(reference, featured(0.0 * REFERENCE)) < -10.0


def test_envelope_correlation_falls_with_shift(reference: AudioFeatures) -> None:
    shifts = [round(0.001 * ms * SAMPLE_RATE) for ms in (0, 5, 10, 20, 40, 60)]
    scores = [
        metrics.envelope_correlation(reference, featured(np.roll(REFERENCE, shift)))
        for shift in shifts
    ]
    assert scores == sorted(scores, reverse=True) and scores[0] == 1.0 and scores[-1] < 0.5


def test_wrong_kit_is_further_than_another_round_robin(reference: AudioFeatures) -> None:
    same_kit, other_kit = featured(play(HITS, seed=7)), featured(play(HITS, kit="metal"))
    for metric in (metrics.mel_l1, metrics.log_spectral_distance, metrics.log_magnitude_distance):
        assert metric(reference, other_kit) > 1.1 * metric(reference, same_kit)


def test_silence(reference: AudioFeatures) -> None:
    silent = featured(np.zeros_like(REFERENCE))
    assert metrics.spectral_convergence(reference, silent) == pytest.approx(1.0, abs=1e-6)
    assert metrics.spectral_convergence(silent, silent) == 0.0
    assert metrics.spectral_convergence(silent, reference) == 10.0
    assert metrics.envelope_correlation(reference, silent) == 0.0
    assert metrics.envelope_correlation(silent, silent) == 1.0
    assert metrics.si_sdr(reference, silent) == -100.0
    assert metrics.si_sdr(silent, silent) == 100.0
    assert metrics.level_db(silent) == -100.0
    assert metrics.transient_tail_ratio_db(silent, [0.5]) == -40.0


def test_silence_beats_a_perfect_copy_some_milliseconds_late_in_rmse(
    reference: AudioFeatures,
) -> None:
    """Why RMSE is not trusted, and log-mel distance is."""
    late = featured(np.roll(play(HITS, seed=7), SAMPLE_RATE // 125))
    silent = featured(np.zeros_like(REFERENCE))
    assert metrics.rmse(reference, silent) < metrics.rmse(reference, late)
    assert metrics.mel_l1(reference, late) < 0.5 * metrics.mel_l1(reference, silent)


@pytest.mark.parametrize("size", [1, 2, 10, 300, 1025])
def test_very_short_clips_are_defined(size: int) -> None:
    first, second = featured(REFERENCE[3300 : 3300 + size]), featured(np.full(size, 0.1))
    for metric in [*DISTANCES, metrics.envelope_correlation, metrics.si_sdr]:
        assert math.isfinite(metric(first, second))
    assert first.onsets_sec.size <= 1


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros((2, 50)), "one-dimensional"),
        (np.zeros(0), "empty"),
        (np.zeros(5, np.int16), "floating point"),
        (np.array([0.0, np.nan, 0.0]), "1 NaN or infinite samples, the first at 1"),
        (np.array([0.0, 0.0, np.inf]), "the first at 2"),
    ],
)
def test_bad_audio_is_named_in_one_line(audio: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        metrics.validate(np.zeros(5), audio, SAMPLE_RATE)
    assert str(error.value).startswith("estimated") and "\n" not in str(error.value)


def test_signals_that_cannot_be_compared_are_refused(reference: AudioFeatures) -> None:
    with pytest.raises(ValueError, match="lengths differ"):
        metrics.rmse(reference, featured(REFERENCE[:-1]))
    with pytest.raises(ValueError, match="sample rates differ"):
        metrics.rmse(reference, AudioFeatures.from_audio(REFERENCE, 44100))
    with pytest.raises(ValueError, match="sample_rate"):
        metrics.rmse(REFERENCE, REFERENCE)


def test_spectra_of_a_reference_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = features_module.stft_magnitude

    def counted(audio, size, hop):
        calls.append(size)
        return real(audio, size, hop)

    monkeypatch.setattr(features_module, "stft_magnitude", counted)
    first = featured(REFERENCE)
    for seed in range(3):
        metrics.clip_metrics(first, featured(play(HITS, seed=seed)), onsets_sec(HITS))
    assert len(calls) == 3 * (1 + 3)


def test_stft_terms_agree_with_auraloss(reference: AudioFeatures) -> None:
    torch = pytest.importorskip("torch")
    freq = pytest.importorskip("auraloss.freq")
    estimated = featured(noisy(0.02))
    pair = [torch.from_numpy(item.audio)[None, None] for item in (estimated, reference)]
    convergence, log_magnitude = [], []
    for size in spectrum.STFT_SIZES:
        options = {"fft_size": size, "hop_size": size // 4, "win_length": size}
        floor = float(spectrum.stft_floor(size)) ** 2
        convergence.append(float(freq.STFTLoss(w_log_mag=0.0, eps=1e-20, **options)(*pair)))
        log_magnitude.append(float(freq.STFTLoss(w_sc=0.0, eps=floor, **options)(*pair)))
    assert metrics.spectral_convergence(reference, estimated) == pytest.approx(
        np.mean(convergence), rel=1e-4
    )
    assert metrics.log_magnitude_distance(reference, estimated) == pytest.approx(
        np.mean(log_magnitude), rel=1e-4
    )


def test_si_sdr_agrees_with_auraloss(reference: AudioFeatures) -> None:
    torch = pytest.importorskip("torch")
    time = pytest.importorskip("auraloss.time")
    estimated = featured(0.3 * noisy(0.02))
    pair = [torch.from_numpy(item.audio)[None, None] for item in (estimated, reference)]
    theirs = -float(time.SISDRLoss(zero_mean=False)(*pair))
    assert metrics.si_sdr(reference, estimated) == pytest.approx(theirs, abs=1e-3)


def test_stft_agrees_with_scipy() -> None:
    window = signal.windows.hann(512, sym=False)
    stft = signal.ShortTimeFFT(window, 128, SAMPLE_RATE, fft_mode="onesided")
    theirs = np.abs(stft.stft(REFERENCE.astype(np.float64))).T
    first = -stft.p_min
    ours = spectrum.stft_magnitude(REFERENCE, 512, 128)
    inner = slice(4, len(ours) - 4)  # the ends differ: scipy pads with zeros
    np.testing.assert_allclose(ours[inner], theirs[first:][inner], atol=2e-4)


def test_blurred_attacks_lower_the_transient_ratio(reference: AudioFeatures) -> None:
    scores = []
    for decay_sec in (0.02, 0.05, 0.1):
        echo = np.exp(-np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE / decay_sec)
        echo *= np.random.default_rng(3).normal(size=echo.size)
        blurred = signal.fftconvolve(REFERENCE, echo)[: REFERENCE.size]
        scores.append(
            metrics.transient_tail_difference_db(reference, featured(blurred), onsets_sec(HITS))
        )
    assert 0.0 > scores[0] > scores[1] > scores[2]


def test_level_difference_is_in_db(reference: AudioFeatures) -> None:
    half = featured(0.5 * REFERENCE)
    assert metrics.level_difference_db(reference, half) == pytest.approx(-6.02, abs=0.01)
