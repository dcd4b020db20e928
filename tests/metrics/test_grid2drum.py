"""Figures by grid2drum's definitions: perfect on a copy, worse with each damage, blind to level."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from support.synthetic_drums import SAMPLE_RATE, groove, play

from midigroove_core.metrics.grid2drum import (
    MEL_BANDS,
    band_balance_l1,
    centroid_mae_hz,
    flux_cosine,
    mel_mae_db,
)


@pytest.fixture(scope="module")
def drums() -> np.ndarray:
    return play(groove(), 4.0)


def dull(audio: np.ndarray, hertz: float) -> np.ndarray:
    shelf = scipy.signal.butter(2, hertz, fs=SAMPLE_RATE, output="sos")
    return scipy.signal.sosfilt(shelf, audio).astype(np.float32)


@pytest.mark.parametrize("gain", [1.0, 0.25])
def test_a_copy_is_perfect_at_any_level(drums: np.ndarray, gain: float) -> None:
    copy = drums * np.float32(gain)
    assert mel_mae_db(drums, copy, SAMPLE_RATE) == pytest.approx(0.0, abs=1e-4)
    assert flux_cosine(drums, copy, SAMPLE_RATE) == pytest.approx(1.0)
    assert band_balance_l1(drums, copy, SAMPLE_RATE) == pytest.approx(0.0, abs=1e-6)
    assert centroid_mae_hz(drums, copy, SAMPLE_RATE) == pytest.approx(0.0, abs=1e-2)


def test_dull_sound_costs_spectra_the_more_the_duller(drums: np.ndarray) -> None:
    for metric in (mel_mae_db, band_balance_l1, centroid_mae_hz):
        found = [metric(drums, dull(drums, hertz), SAMPLE_RATE) for hertz in (8000, 2000, 500)]
        assert 0 < found[0] < found[1] < found[2], metric


def test_late_hits_cost_the_flux_the_more_the_later(drums: np.ndarray) -> None:
    late = [np.roll(drums, SAMPLE_RATE * ms // 1000) for ms in (4, 15, 40)]
    found = [flux_cosine(drums, audio, SAMPLE_RATE) for audio in late]
    assert 1 > found[0] > found[1] > found[2]


def test_silence_is_the_end_of_each_scale(drums: np.ndarray) -> None:
    silence = np.zeros_like(drums)
    assert flux_cosine(drums, silence, SAMPLE_RATE) == 0.0
    assert band_balance_l1(drums, silence, SAMPLE_RATE) == pytest.approx(0.5)
    worst = mel_mae_db(drums, silence, SAMPLE_RATE)
    assert worst > mel_mae_db(drums, dull(drums, 500), SAMPLE_RATE)


def test_one_click_changes_everything(drums: np.ndarray) -> None:
    """Why they are not trusted: the peak sets the level of all."""
    clicked = drums.copy()
    clicked[1000] = 8 * np.abs(drums).max()
    assert mel_mae_db(drums, clicked, SAMPLE_RATE) > 10


def test_the_filters_are_those_of_torchaudio() -> None:
    """norm=None, mel_scale="htk", 20 to 14,000 Hz: a triangle's peak is where its mel is."""
    from midigroove_core.metrics.grid2drum import _mel_filters

    filters = _mel_filters(44100)
    assert filters.shape == (513, MEL_BANDS) and filters.max() <= 1.0
    low, high = 2595 * np.log10(1 + np.array([20.0, 14000.0]) / 700)
    peak_hz = 700 * (10 ** ((low + (high - low) * 60 / 81) / 2595) - 1)
    assert filters[:, 59].argmax() == round(peak_hz * 1024 / 44100)
    assert (filters[331:] == 0).all()  # above 14.2 kHz
