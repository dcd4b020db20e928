"""Resampling where the codec is."""

import sys

import numpy as np
import pytest
import torch

from midigroove_core import torchaudio_lazy
from midigroove_core.audio import resample
from midigroove_core.coding.resample import device_resampler, resample_on
from midigroove_core.errors import MidigrooveError

needs_torchaudio = pytest.mark.skipif(
    not torchaudio_lazy.has_torchaudio(), reason="pip install midigroove[torchaudio]"
)
CPU = torch.device("cpu")


def tone(hz: float, rate: int, num_samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(num_samples) / rate).astype(np.float32)


@needs_torchaudio
@pytest.mark.parametrize(
    ("from_rate", "to_rate", "num_samples"),
    [(44100, 32000, 44100), (44100, 16000, 30011), (16000, 44100, 9001), (48000, 44100, 20000)],
)
def test_it_is_soxr_below_the_edge_and_as_long(
    from_rate: int, to_rate: int, num_samples: int
) -> None:
    stereo = np.stack([tone(440, from_rate, num_samples), tone(5000, from_rate, num_samples)])
    found, wanted = (
        resample_on(CPU, stereo, from_rate, to_rate),
        resample(stereo, from_rate, to_rate),
    )
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    inside = slice(2000, -2000)
    np.testing.assert_allclose(found[:, inside], wanted[:, inside], atol=2e-3)


@needs_torchaudio
def test_aliases_are_far_down() -> None:
    found = resample_on(CPU, tone(18000, 44100, 44100)[None], 44100, 32000)
    assert 20 * np.log10(np.abs(found[0, 2000:-2000]).max()) < -100


def test_odd_rates_and_equal_ones_need_no_torchaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    torchaudio_lazy.torchaudio.cache_clear()
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    audio = tone(440, 44101, 5000)[None]
    assert np.array_equal(resample_on(CPU, audio, 44101, 32000), resample(audio, 44101, 32000))
    assert resample_on(CPU, audio, 32000, 32000) is audio
    with pytest.raises(MidigrooveError, match=r"pip install midigroove\[torchaudio\]"):
        device_resampler()
