"""What an evaluation hears each kit's drums with: fitted to its recordings, or one-shots."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.toy_systems import make_toy_dataset, save_toy_checkpoint

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.cache.build import build_cache
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

pytestmark = pytest.mark.usefixtures("toy_plugin")


@pytest.fixture(scope="module")
def unknown_kit(toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same recordings under the name of a kit that nobody has one-shots of, and their cache."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("unknown")
    data = make_toy_dataset(root / "data", end_sec=12.0)
    lines = (data / "takes.csv").read_text().replace("wav,jazz,", "wav,Basement,")
    (data / "takes.csv").write_text(lines)
    build_cache(open_dataset(data), ToyCodec(), root / "cache", device="cpu")
    save_toy_checkpoint(root / "one.safetensors", seed=1)
    return root


def heard_with(workbench: Path, out: Path, **options: object) -> dict[str, dict]:
    """What each kit was heard with, from summary.json."""
    system = SystemSpec("one", workbench / "one.safetensors", workbench / "cache")
    settings = {"dataset": workbench / "data", **options}
    evaluate(
        EvalConfig(
            (system,), out, max_items=0, knee_items=0, save_preds=0, rows=("recording", "silence"),
            device="cpu", long_items=0, embedding="", **settings,
        )
    )  # fmt: skip
    lines = json.loads((out / "summary.json").read_text())["audio"]["heard_with"]
    return {line["kit"]: line for line in lines}


def test_an_unknown_kit_is_heard_with_its_own_recordings(unknown_kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    heard = heard_with(unknown_kit, out)
    basement = heard["Basement"]
    assert basement["how"] == f"fitted to {basement['seconds']:.0f} s of other recordings"
    assert 30.0 < basement["seconds"] < 60.0 and not basement["judged"]  # of four training takes
    assert basement["absent"] == ["tom", "crash", "ride"] and basement["unusable"] == {}
    assert heard["power"]["how"].startswith("fitted to")  # a built-in name may be chance
    classes = json.loads((out / "summary.json").read_text())["audio"]["drums"]
    own = {line["drum"]: line["f1"] for line in classes if line["row"] == "recording"}
    assert own["kick"] > 0.85 and own["snare"] > 0.85
    assert "/tmp" not in (out / "summary.json").read_text()


def test_broken_recordings_are_not_fitted_to(unknown_kit: Path, tmp_path: Path) -> None:
    """One take is no audio, one is not in time, one is silent: the fourth is enough."""
    data = tmp_path / "data"
    shutil.copytree(unknown_kit / "data", data)
    (data / "jazz" / "0.wav").write_bytes(b"no audio")
    audio, rate = load_audio(data / "jazz" / "1.wav")
    save_audio(data / "jazz" / "1.wav", np.roll(audio, rate // 4, axis=1), rate)
    save_audio(data / "jazz" / "2.wav", np.zeros(12 * 44100, np.float32), 44100)
    heard = heard_with(unknown_kit, tmp_path / "out", dataset=data)["Basement"]
    assert heard["how"] == "fitted to 10 s of other recordings"
    assert set(heard["unusable"]) == {"jazz/0.wav", "jazz/1.wav", "jazz/2.wav"}
    assert heard["unusable"]["jazz/1.wav"] == "recording has other onsets than its MIDI"
    assert str(tmp_path) not in heard["unusable"]["jazz/0.wav"]


def test_without_training_takes_the_judged_ones_are_used(unknown_kit: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(unknown_kit / "data", data)
    kept = [x for x in (data / "takes.csv").read_text().splitlines() if ",train," not in x]
    for take in data.glob("*/[0-3].*"):
        take.unlink()
    (data / "takes.csv").write_text("\n".join(kept) + "\n")
    heard = heard_with(unknown_kit, tmp_path / "out", dataset=data)["Basement"]
    assert heard["judged"] and heard["how"].endswith("of the judged recordings themselves")


def test_without_recordings_one_shots_are_used(unknown_kit: Path, tmp_path: Path) -> None:
    heard = heard_with(unknown_kit, tmp_path / "out", dataset=None, reference="oracle")
    assert {kit: line["how"] for kit, line in heard.items()} == {
        "Basement": "one-shots of other kits", "power": "own one-shots",
    }  # fmt: skip
    assert heard["Basement"]["seconds"] == 0.0
