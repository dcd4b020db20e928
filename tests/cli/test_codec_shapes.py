"""Codecs of unusual shapes from cache to render, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.loudness_codecs import LOUDNESS_PLUGIN
from support.toy_systems import make_toy_dataset

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.cache import Cache
from midigroove_core.cli import run
from midigroove_core.midi import load_midi
from midigroove_core.rendering.config import num_output_samples

TINY = (
    "--preset", "tiny", "--max-steps", 2, "--batch-size", 2, "--eval-every", 2, "--device", "cpu",
    "--valid-split", "test", "--set", "model_args.dim=16", "--set", "model_args.layers=1",
    "--set", "model_args.heads=2", "--set", "model_args.head_dim=8",
)  # fmt: skip
SHORT = (
    "--max-items", 2, "--embedding", "none", "--long-items", 0, "--knee-items", 1,
    "--no-add-nearest", "--no-add-sampler", "--device", "cpu", "--save-preds", 1,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_toy_dataset(tmp_path_factory.mktemp("data"), train=2, test=1, end_sec=3.0)


@pytest.fixture(autouse=True)
def codecs(install_plugin) -> None:
    install_plugin("loudness-codecs", LOUDNESS_PLUGIN)


def done(*arguments: object) -> None:
    assert run([str(argument) for argument in arguments]) == 0


@pytest.mark.parametrize(
    "codec, options, dtype, levels",
    [
        ("multirate_toy", (), "uint16", 3),
        ("wide_toy", (), "uint16", 1),
        ("wide_toy", ("--codec-option", "steps=17"), "uint32", 1),
    ],
    ids=["multirate", "65,536", "83,521"],
)
def test_from_cache_to_render(
    codec: str, options: tuple[str, ...], dtype: str, levels: int, data: Path, tmp_path: Path
) -> None:
    cache, best = tmp_path / "cache", tmp_path / "run" / "best.safetensors"
    done("cache", "--codec", codec, *options, "--dataset", data, "--out", cache)
    found = Cache.open(cache)
    assert found.dtype == found.codes(found.entries[0]).dtype.name == dtype
    done("train", "--cache", cache, "--out", tmp_path / "run", *TINY)
    out = tmp_path / "eval"
    done("eval", "--system", f"toy:{best}:{cache}", "--dataset", data, "--out", out, *SHORT)
    audio = json.loads((out / "summary.json").read_text())["audio"]
    assert [line["levels"] for line in audio["codecs"]] == [levels]
    prefixes = [line["levels"] for line in audio["knee"]]
    assert prefixes == (list(range(1, levels + 1)) if codec == "multirate_toy" else [])
    midi = next(data.rglob("*.mid"))
    done("render", midi, "--checkpoint", best, "-o", tmp_path / "a.wav", "--device", "cpu")
    sound, rate = load_audio(tmp_path / "a.wav")
    assert rate == 16000
    assert sound.shape == (1, num_output_samples(load_midi(midi).end_sec + 2.0, 16000))


def test_stereo_stays_stereo(data: Path, tmp_path: Path) -> None:
    """From recordings that are loud on the left, to renders and what is kept to listen to."""
    takes = make_toy_dataset(tmp_path / "takes", train=2, test=1, end_sec=3.0)
    for path in takes.rglob("*.wav"):
        mono, rate = load_audio(path)
        save_audio(path, np.concatenate([mono, 0.25 * mono]), rate)
    cache, best = tmp_path / "cache", tmp_path / "run" / "best.safetensors"
    done("cache", "--codec", "stereo_toy", "--dataset", takes, "--out", cache)
    done("train", "--cache", cache, "--out", tmp_path / "run", *TINY)
    out = tmp_path / "eval"
    done("eval", "--system", f"toy:{best}:{cache}", "--dataset", takes, "--out", out, *SHORT)
    kept = {path.stem: load_audio(path)[0] for path in (out / "preds").rglob("*.wav")}
    assert {"toy", "oracle", "recording"} <= set(kept)
    for name in ("oracle", "recording"):
        left, right = np.linalg.norm(kept[name], axis=1)
        assert right / left == pytest.approx(0.25, rel=0.1)
    assert len(kept["toy"]) == 2
    done("report", out, "-o", tmp_path / "report.html")
    midi = next(takes.rglob("*.mid"))
    for name, options in (("stereo", ()), ("mono", ("--mono",))):
        made = ("--checkpoint", best, "-o", tmp_path / f"{name}.flac", "--device", "cpu")
        done("render", midi, *made, "--sample-rate", 22050, *options)
    stereo, mono = (load_audio(tmp_path / f"{name}.flac")[0] for name in ("stereo", "mono"))
    assert stereo.shape[0] == 2 and mono.shape == (1, stereo.shape[1])
    gain = np.abs(mono).max() / np.abs(stereo.mean(axis=0)).max()  # each is kept below full scale
    assert np.abs(gain * stereo.mean(axis=0) - mono[0]).max() < 1e-3
