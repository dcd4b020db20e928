"""Codecs of unusual shapes from cache to render, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.loudness_codecs import LOUDNESS_PLUGIN
from support.toy_systems import make_toy_dataset
from support.typed_pipeline import through_all, typed

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.cache import Cache
from midigroove_core.midi import load_midi
from midigroove_core.rendering.config import num_output_samples


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_toy_dataset(tmp_path / "data", train=2, test=1, end_sec=3.0)


@pytest.fixture(autouse=True)
def codecs(install_plugin) -> None:
    install_plugin("loudness-codecs", LOUDNESS_PLUGIN)


@pytest.mark.parametrize(
    "codec, options, dtype, knee",
    [
        ("multirate_toy", [], "uint16", [1, 2, 3]),
        ("wide_toy", [], "uint16", []),
        ("wide_toy", ["steps=17"], "uint32", []),
    ],
    ids=["multirate", "65,536", "83,521"],
)
def test_from_cache_to_render(
    codec: str, options: list[str], dtype: str, knee: list[int], data: Path, tmp_path: Path
) -> None:
    made = through_all(codec, data, tmp_path, *options)
    cache = Cache.open(made.cache)
    assert cache.dtype == cache.codes(cache.entries[0]).dtype.name == dtype
    summary = json.loads((made.evaluation / "summary.json").read_text())
    assert [line["levels"] for line in summary["audio"]["knee"]] == knee
    sound, rate = load_audio(made.rendered)
    assert rate == 16000
    assert sound.shape == (1, num_output_samples(load_midi(made.midi).end_sec + 2.0, 16000))


def test_stereo_stays_stereo(data: Path, tmp_path: Path) -> None:
    """From recordings that are loud on the left, to renders and what is kept to listen to."""
    for path in data.rglob("*.wav"):
        mono, rate = load_audio(path)
        save_audio(path, np.concatenate([mono, 0.25 * mono]), rate)
    made = through_all("stereo_toy", data, tmp_path)
    preds = made.evaluation / "preds"
    kept = {path.stem: load_audio(path)[0] for path in preds.rglob("*.wav")}
    for name in ("oracle", "recording"):
        left, right = np.linalg.norm(kept[name], axis=1)
        assert right / left == pytest.approx(0.25, rel=0.1)
    assert len(kept["toy"]) == len(load_audio(made.rendered)[0]) == 2
    typed("report", made.evaluation, "-o", tmp_path / "report.html")
    mixed, again = tmp_path / "mono.flac", tmp_path / "stereo.flac"
    same = ("--checkpoint", made.checkpoint, "--sample-rate", 22050)
    typed("render", made.midi, "-o", again, *same)
    typed("render", made.midi, "-o", mixed, *same, "--mono")
    stereo, mono = load_audio(again)[0], load_audio(mixed)[0]
    assert mono.shape == (1, stereo.shape[1])
    mean = stereo.mean(axis=0)
    gain = np.abs(mono).max() / np.abs(mean).max()  # either is kept below full scale by itself
    assert np.abs(gain * mean - mono[0]).max() < 1e-3
