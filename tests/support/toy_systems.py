"""Small checkpoints, datasets and caches over the toy codec, for tests of whole pipelines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from midigroove_core.audio import save_audio
from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.checkpoint import CodecPart, TrainedWindow, save_checkpoint
from midigroove_core.interfaces.model import (
    CodeScores,
    GridBatch,
    Loss,
    Model,
    ModelSpec,
    SamplingConfig,
)
from midigroove_core.kits import sampler
from midigroove_core.kits.library import load_kit
from midigroove_core.midi import DrumPerformance, load_midi, save_midi
from midigroove_core.testing import ToyCodec

TOY_PLUGIN = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("toy", "midigroove_core.testing.toy:ToyCodec")

@hookimpl
def register_models(register):
    register("toy_steps", "support.toy_systems:StepsModel")
    register("toy_flow", "support.small_models:FlowModel")
"""
"""Source for the fixture `install_plugin`; `Registry()` then knows the codec "toy" and the models
"toy_steps" and "toy_flow"."""


@contextmanager
def toy_plugin_installed(folder: Path) -> Iterator[str]:
    """The toy codec as an installed plugin, for fixtures that outlive one test; yields its name."""
    (folder / "toy_for_tests.py").write_text(TOY_PLUGIN)
    info = folder / "toy_for_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-for-tests\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[midigroove]\ntoy_for_tests = toy_for_tests\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("MIDIGROOVE_LOAD_PLUGINS", "toy_for_tests")
        yield "toy_for_tests"


KITS = ["Brushes", "Jazz", "Rock"]


def performance(
    num_hits: int = 24, end_sec: float = 6.0, seed: int = 0, bpm: float = 120.0
) -> DrumPerformance:
    """Kick, snare and hats at human times."""
    generator = np.random.default_rng(seed)
    grid_sec = np.linspace(0.05, end_sec - 0.5, num_hits)
    onset_sec = np.sort(np.abs(grid_sec + generator.normal(0, 0.01, num_hits)))
    return DrumPerformance(
        onset_sec=onset_sec,
        duration_sec=np.full(num_hits, 0.1),
        pitch=generator.choice([36, 38, 42, 46], num_hits),
        velocity=generator.integers(30, 127, num_hits),
        tempo_bpm=np.array([bpm]),
        end_sec=end_sec,
    )


def codec_header(codec: ToyCodec) -> dict:
    """What a cache of that codec says about it."""
    return {
        "codec_id": codec.codec_id,
        "codec_config": codec.get_config(),
        "codec_facts": codec.facts(),
        "weights_sha": codec.weights_sha,
        "provider": {"distribution": "toy-plugin", "version": "1.0"},
    }


def toy_spec(codec: ToyCodec, vocabularies: dict[str, list[str]]) -> ModelSpec:
    """What a model on codes of the toy codec is built for."""
    names = tuple(ExpressiveGrid().feature_names)
    return ModelSpec(names, codec.clock, codec.codebooks, vocabularies)


def save_going_on_checkpoint(path: Path, **args: Any) -> Path:
    """An untrained tiny model that goes on from known frames, over the toy codec and one kit."""
    codec = ToyCodec()
    torch.manual_seed(0)
    model = AutoregressiveModel.build(
        toy_spec(codec, {"kit": ["jazz"], "drummer": [], "style": []}),
        dim=16, layers=1, heads=2, head_dim=8, span=16, **args,
    )  # fmt: skip
    save_checkpoint(
        path, model, featurizer=ExpressiveGrid(), codec=CodecPart.of_cache(codec_header(codec)),
        window=TrainedWindow(62, 0), training={},
    )  # fmt: skip
    return path


def save_toy_checkpoint(
    path: Path, *, seed: int = 0, window: TrainedWindow | None = None,
    kits: Sequence[str] = KITS, **more: Any,
) -> Path:  # fmt: skip
    """An untrained tiny `parallel` model over the toy codec and three kits."""
    codec, featurizer = ToyCodec(), ExpressiveGrid()
    vocabularies = {"kit": list(kits), "drummer": ["drummer1"], "style": ["rock"]}
    torch.manual_seed(seed)
    model = ParallelModel.build(
        toy_spec(codec, vocabularies), dim=16, layers=1, heads=2, head_dim=8
    )
    with torch.no_grad():  # fresh weights are so small that neither hits nor kits matter
        for weight in model.parameters():
            weight.mul_(5.0)
    save_checkpoint(
        path,
        model,
        featurizer=featurizer,
        codec=CodecPart.of_cache(codec_header(codec)),
        window=window or TrainedWindow(250, 0),
        training={},
        **more,
    )
    return path


class StepsModel(Model):
    """Plays murmurs, every second window of a batch `step` codes louder: joins that click.

    Args:
        step: 0 makes joins that cannot be heard.
        fault: "raises" in `generate`, "raises for many" (windows at once), "nan" logits,
            "one code too high" for the codec, "silent", or "".
    """

    model_id = "toy_steps"
    likelihood = "exact"

    def __init__(self, spec: ModelSpec, *, step: int = 0, fault: str = "") -> None:
        super().__init__()
        self._config = {"step": step, "fault": fault}
        self.weight = torch.nn.Parameter(torch.zeros(1))

    conditions = ("kit",)

    def score(self, batch: GridBatch) -> CodeScores:
        codes = self.codes_of(batch)
        nll = float("nan") if self._config["fault"] == "nan" else math.log(64)
        return CodeScores(torch.full(codes.shape, nll), codes == 0)

    def loss(self, batch: GridBatch, step: int) -> Loss:
        raise NotImplementedError

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> torch.Tensor:
        many = len(batch.grid) > 1 and self._config["fault"] == "raises for many"
        if many or self._config["fault"] == "raises":
            raise RuntimeError("out of\nmemory")
        shape = (len(batch.grid), len(ToyCodec.codebooks), batch.grid.shape[2])
        codes = np.random.default_rng(sampling.seed).integers(18, 23, shape)
        codes[1::2] += self._config["step"]
        if self._config["fault"] == "silent":
            codes[:] = 0
        if self._config["fault"] == "one code too high":
            codes[0, 0, 0] = ToyCodec.codebooks[0].size
        return torch.from_numpy(codes)


def save_steps_checkpoint(path: Path, *, step: int = 0, fault: str = "") -> Path:
    """A `StepsModel` with windows of 62 frames, about a second."""
    codec, featurizer, vocabularies = ToyCodec(), ExpressiveGrid(), {"kit": ["jazz"]}
    model = StepsModel.build(toy_spec(codec, vocabularies), step=step, fault=fault)
    save_checkpoint(
        path,
        model,
        featurizer=featurizer,
        codec=CodecPart.of_cache(codec_header(codec)),
        window=TrainedWindow(62, 15),
        training={},
    )
    return path


def make_toy_dataset(root: Path, *, train: int = 4, test: int = 3, end_sec: float = 5.0) -> Path:
    """Performances played by the sampler on two built-in kits, as a folder of pairs with a csv."""
    lines = ["file,kit,style,drummer,bpm,split,performance"]
    for number in range(train + test):
        played = performance(20, end_sec, seed=number, bpm=100.0 + 10 * number)
        for kit_name in ("jazz", "power"):
            stem = f"{kit_name}/{number}"
            (root / kit_name).mkdir(parents=True, exist_ok=True)
            save_midi(played, root / f"{stem}.mid")
            written = load_midi(root / f"{stem}.mid")  # on the file's ticks
            audio = sampler.render(written, load_kit(kit_name), tail_sec=0.5)
            save_audio(root / f"{stem}.wav", 0.5 * audio, 44100)
            split = "train" if number < train else "test"
            tempo = played.tempo_bpm[0]
            lines.append(f"{stem}.wav,{kit_name},rock,drummer{number},{tempo},{split},p{number}")
    (root / "takes.csv").write_text("\n".join(lines) + "\n")
    return root
