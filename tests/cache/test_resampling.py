"""Takes resampled where the codec is."""

from pathlib import Path

import numpy as np
import pytest
from support.cache_fixtures import make_dataset

from midigroove_core import torchaudio_lazy
from midigroove_core.audio import audio_info, load_mono
from midigroove_core.cache import Cache, encoding
from midigroove_core.cache import build as building
from midigroove_core.cache.build import build_cache
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.takes import Dataset
from midigroove_core.testing import ToyCodec


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(tmp_path / "data")


def test_a_take_is_read_at_its_own_rate_and_resampled_before_the_codec(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def resample_on(device, audio, from_rate, to_rate):
        given.append((str(device), audio.shape, from_rate, to_rate))
        return np.zeros((1, to_rate), np.float32)

    monkeypatch.setattr(building, "device_resampler", lambda: "a resampler")
    monkeypatch.setattr(encoding, "resample_on", resample_on)
    out, rate = tmp_path / "cache", ToyCodec().clock.sample_rate
    build_cache(dataset, ToyCodec(), out, device="cpu", resample="device", workers=1)
    files = [audio_info(dataset.audio_path(take)) for take in dataset.takes]
    others = [file for file in files if file.sample_rate != rate]
    assert others
    assert given == [("cpu", (1, f.num_samples), f.sample_rate, rate) for f in others]
    cache = Cache.open(out)
    assert cache.header["encoding"]["resampler"] == "a resampler"
    lengths = [entry.num_samples for entry in cache.entries]
    assert lengths == [f.num_samples if f.sample_rate == rate else rate for f in files]


def test_a_cache_is_not_gone_on_with_another_resampler(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "cache"
    build_cache(dataset, ToyCodec(), out, device="cpu")
    assert "resampler" not in Cache.open(out).header["encoding"]
    monkeypatch.setattr(building, "device_resampler", lambda: "a resampler")
    with pytest.raises(MismatchError, match="resampler"):
        build_cache(dataset, ToyCodec(), out, device="cpu", resample="device")
    with pytest.raises(InputError, match="resample is 'sox', expected one of soxr, device"):
        build_cache(dataset, ToyCodec(), out, device="cpu", resample="sox")


@pytest.mark.skipif(not torchaudio_lazy.has_torchaudio(), reason="needs torchaudio")
def test_its_codes_are_nearly_those_of_soxr(dataset: Dataset, tmp_path: Path) -> None:
    caches = []
    for name in ("soxr", "device"):
        build_cache(dataset, ToyCodec(), tmp_path / name, device="cpu", resample=name)
        caches.append(Cache.open(tmp_path / name))
    pairs = zip(caches[0].entries, caches[1].entries, strict=True)
    same = [np.mean(caches[0].codes(a) == caches[1].codes(b)) for a, b in pairs]
    assert np.mean(same) > 0.9
    rate = ToyCodec().clock.sample_rate
    for take, entry in zip(dataset.takes, caches[1].entries, strict=True):
        assert entry.num_samples == len(load_mono(dataset.audio_path(take), rate))
