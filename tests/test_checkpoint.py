"""Checkpoints round-trip, say what they need, and refuse what does not agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor, nn

from midigroove_core.checkpoint import (
    KEY,
    CodecPart,
    TrainedWindow,
    load_checkpoint,
    load_state,
    read_metadata,
    save_checkpoint,
    save_state,
)
from midigroove_core.checkpoint.metadata import checkpoint_file
from midigroove_core.checkpoint.shipped import shipped_checkpoint
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError, MismatchError, PluginError
from midigroove_core.interfaces.featurizer import Grid, GridFeaturizer
from midigroove_core.interfaces.model import (
    GridBatch,
    Loss,
    Model,
    ModelSpec,
    SamplingConfig,
    SamplingOption,
)
from midigroove_core.performance import DrumPerformance
from midigroove_core.registry import Registry
from midigroove_core.testing import ToyCodec

PLUGIN = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("toy", "midigroove_core.testing:ToyCodec")

@hookimpl
def register_featurizers(register):
    register("toy_grid", "test_checkpoint:ToyGrid")

@hookimpl
def register_models(register):
    register("toy_model", "test_checkpoint:ToyModel")
"""


class ToyGrid(GridFeaturizer):
    featurizer_id = "toy_grid"

    def __init__(self, names: tuple[str, ...] | list[str] = ("hit", "velocity")) -> None:
        self._names = tuple(names)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self._names

    def featurize(
        self, performance: DrumPerformance, clock: FrameClock, start_frame: int, num_frames: int
    ) -> Grid:
        values = np.zeros((len(self._names), num_frames), dtype=np.float32)
        return Grid(values, self._names, clock, start_frame)

    def get_config(self) -> dict[str, Any]:
        return {"names": list(self._names)}


class ToyModel(Model):
    model_id = "toy_model"
    likelihood = "none"
    conditions = ("kit",)

    def __init__(self, spec: ModelSpec, *, width: int = 1, bug: bool = False) -> None:
        super().__init__()
        self.head = nn.Linear(spec.num_features, width * sum(spec.codebook_sizes))
        self.register_buffer("steps", torch.tensor(3))
        if bug:
            len(3)  # type: ignore[arg-type]

    @classmethod
    def sampling_options(cls) -> tuple[SamplingOption, ...]:
        return (SamplingOption("passes", 8, "How often.", low=1, high=64),)

    def loss(self, batch: GridBatch, step: int) -> Loss:
        raise NotImplementedError

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        raise NotImplementedError


VOCABULARIES = {"kit": ("Brush", "Jazz")}


def header(codec: ToyCodec) -> dict[str, Any]:
    return {
        "codec_id": codec.codec_id,
        "codec_config": codec.get_config(),
        "codec_facts": codec.facts(),
        "weights_sha": codec.weights_sha,
        "provider": {"distribution": "toys", "version": "1.0"},
    }


def model(**changes: Any) -> ToyModel:
    torch.manual_seed(0)
    codec = ToyCodec()
    spec = ModelSpec(("hit", "velocity"), codec.clock, codec.codebooks, VOCABULARIES)
    return ToyModel.build(spec, **changes)


@pytest.fixture
def registry(install_plugin) -> Registry:
    install_plugin("toys", PLUGIN)
    return Registry()


@pytest.fixture
def path(tmp_path: Path, registry: Registry) -> Path:
    write(tmp_path / "best.safetensors", registry)
    return tmp_path / "best.safetensors"


def write(path: Path, registry: Registry, **changes: Any) -> None:
    options = {
        "featurizer": ToyGrid(),
        "codec": CodecPart.of_cache(header(ToyCodec())),
        "window": TrainedWindow(62, 15),
        "training": {"step": 7, "loss": 1.25},
        "registry": registry,
        **changes,
    }
    save_checkpoint(path, options.pop("model", model()), **options)


def edit(path: Path, **changes: Any) -> None:
    metadata = {**read_metadata(path).to_json(), **changes}
    save_file(load_file(path), path, {KEY: json.dumps(metadata)})


def part(path: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_metadata(path).to_json()[name]
    return found


def test_it_round_trips(path: Path, registry: Registry) -> None:
    loaded = load_checkpoint(path, registry=registry)
    assert torch.equal(loaded.model.head.weight, model().head.weight)
    assert not loaded.model.training
    assert loaded.featurizer.feature_names == ("hit", "velocity")
    assert (loaded.codec.id, loaded.codec.weights_sha) == ("toy", ToyCodec().weights_sha)
    assert loaded.window == TrainedWindow(62, 15)
    assert loaded.vocabularies == VOCABULARIES
    assert loaded.training == {"step": 7, "loss": 1.25}
    assert (loaded.metadata.model.distribution, loaded.metadata.model.version) == ("toys", "1.0")
    codec = loaded.build_codec(registry)
    assert codec.get_config() == ToyCodec().get_config()


def test_the_same_content_is_the_same_bytes(path: Path, registry: Registry) -> None:
    write(path.with_name("again.safetensors"), registry)
    assert path.read_bytes() == path.with_name("again.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float16, 1e-3), (torch.float8_e4m3fn, 0.07)], ids=["16", "8"]
)
def test_shorter_weights_come_back_as_float32(
    path: Path, registry: Registry, dtype: torch.dtype, error: float
) -> None:
    own = model().state_dict()
    shorter = {n: x.to(dtype) if x.is_floating_point() else x for n, x in own.items()}
    write(path, registry, tensors=shorter, license="MIT", model_card="a toy")
    assert load_file(path)["head.weight"].dtype == dtype
    loaded = load_checkpoint(path, registry=registry)
    assert loaded.model.head.weight.dtype == torch.float32
    assert torch.allclose(loaded.model.head.weight, own["head.weight"], rtol=error, atol=1e-3)
    assert loaded.model.steps.dtype == torch.int64
    assert loaded.metadata.license == "MIT"


def test_averaged_weights_may_be_stored_instead(path: Path, registry: Registry) -> None:
    average = {name: torch.zeros_like(value) for name, value in model().state_dict().items()}
    write(path, registry, tensors=average)
    assert load_checkpoint(path, registry=registry).model.head.weight.abs().max() == 0


def test_metadata_is_read_without_torch(path: Path) -> None:
    script = (
        "import sys; from midigroove_core.checkpoint import read_metadata; "
        f"assert read_metadata({str(path)!r}).training['step'] == 7; "
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", script], env=environment).returncode == 0


def test_a_missing_plugin_says_what_to_install(path: Path, registry: Registry) -> None:
    codec = {**part(path, "codec"), "id": "acme_16khz"}
    edit(path, codec={**codec, "distribution": "midigroove-acme"})
    wanted = "needs codec 'acme_16khz', which is not installed; install the plugin that has it"
    with pytest.raises(PluginError, match=wanted):
        load_checkpoint(path, registry=registry)


def test_a_broken_plugin_says_why(path: Path, install_plugin) -> None:
    edit(path, model={**part(path, "model"), "id": "gone", "distribution": "broken-one"})
    install_plugin("broken-one", "import nothing_of_that_name")
    with pytest.raises(
        PluginError, match="needs model 'gone' from broken-one, which .* broken: Module"
    ):
        load_checkpoint(path, registry=Registry())


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("featurizer", "names", ["hit", "openness"], r"feature_names: .*'velocity' and 'openness'"),
        ("featurizer", "names", ["hit"], r"feature_names: .*has 2, .* 1 here.*their number"),
    ],
)
def test_what_does_not_agree_is_named(
    path: Path, registry: Registry, kind: str, field: str, value: Any, message: str
) -> None:
    stored = part(path, kind)
    edit(path, **{kind: {**stored, "config": {**stored["config"], field: value}}})
    with pytest.raises(MismatchError, match=message):
        load_checkpoint(path, registry=registry)


def test_weights_are_loaded_strictly(path: Path, registry: Registry) -> None:
    weights = load_file(path)
    metadata = {KEY: json.dumps(read_metadata(path).to_json())}
    for change, message in (
        ({"head.bias": None}, "weight 'head.bias' of the model is missing"),
        ({"tail": torch.zeros(1)}, "weight 'tail' is not one of the model's"),
        ({"head.bias": torch.zeros(3)}, r"'head.bias' has shape \[3\], the model's has \[256\]"),
    ):
        kept = {name: value for name, value in {**weights, **change}.items() if value is not None}
        save_file(kept, path, metadata)
        with pytest.raises(MismatchError, match=message):
            load_checkpoint(path, registry=registry)


def test_another_codec_is_refused(path: Path, registry: Registry) -> None:
    loaded = load_checkpoint(path, registry=registry)
    codec = part(path, "codec")
    loaded.codec.facts["codebooks"].pop()
    with pytest.raises(MismatchError, match='codec.facts.codebooks is "3 x 64", but "4 x 64" here'):
        loaded.build_codec(registry)
    edit(path, codec={**codec, "weights_sha": "0" * 64})
    with pytest.raises(MismatchError, match="weights_sha is 000000000000, .*`codec_path`"):
        load_checkpoint(path, registry=registry).build_codec(registry)


def test_wrong_files_get_one_clear_line(path: Path, registry: Registry, tmp_path: Path) -> None:
    data = path.read_bytes()
    wrong = {
        "text": (b"# a text file, not a checkpoint\n", "not a safetensors file"),
        "empty": (b"", "not a safetensors file"),
        "pickle": (b"\x80\x04\x95" + b"x" * 100, "not a safetensors file"),
        "truncated": (data[:-10], "damaged: .* bytes of tensors where its header says"),
        "header_only": (data[:40], "not a safetensors file"),
        "other": (save({"w": torch.zeros(2)}), "a safetensors file, but not a midigroove check"),
        "odd": (
            save({"w": torch.zeros(2)}, {KEY: "[1]"}),
            "midigroove: expected object, got array",
        ),
        "old": (save({}, {KEY: '{"schema": 0}'}), "checkpoint schema is 0, this version reads 1"),
        "bare": (save({}, {KEY: '{"schema": 1}'}), "missing required field model"),
    }
    for name, (content, message) in wrong.items():
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: .*{message}") as caught:
            load_checkpoint(file, registry=registry)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="nowhere: no such file"):
        read_metadata(tmp_path / "nowhere")


def test_training_state_round_trips_without_pickle(path: Path, tmp_path: Path) -> None:
    tensors = {"adam.0": torch.randn(3), "rng": torch.get_rng_state()}
    save_state(tmp_path / "last.state", tensors, {"step": 12, "order": [3, 1, 2]})
    found, state = load_state(tmp_path / "last.state")
    assert state == {"step": 12, "order": [3, 1, 2]}
    assert all(torch.equal(found[name], value) for name, value in tensors.items())
    with pytest.raises(InputError, match="but not a midigroove training state"):
        load_state(path)
    with pytest.raises(InputError, match="but not a midigroove checkpoint"):
        read_metadata(tmp_path / "last.state")


def test_a_runs_folder_means_its_best_checkpoint(path: Path, registry: Registry) -> None:
    assert load_checkpoint(path.parent).path == path
    assert read_metadata(path.parent) == read_metadata(path)
    with pytest.raises(InputError, match=r"a folder without best\.safetensors"):
        load_checkpoint(path.parent.parent)


@pytest.mark.parametrize(
    ("args", "kind", "message"),
    [
        ({"height": 3}, InputError, "model toy_model: no argument 'height'; it takes width, bug"),
        ({"bug": True}, PluginError, "toy_model of toys cannot be built .TypeError: .*len"),
        ({"width": 2}, MismatchError, r"'head.bias' has shape \[256\], the model's has \[512\]"),
        ({"width": "2"}, PluginError, "cannot be built .TypeError"),
    ],
)
def test_arguments_that_do_not_fit(
    path: Path, registry: Registry, args: dict[str, Any], kind: type[Exception], message: str
) -> None:
    edit(path, model={**part(path, "model"), "args": args})
    with pytest.raises(kind, match=message) as caught:
        load_checkpoint(path, registry=registry)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_asks_for_far_more_than_it_has_fills_no_memory(
    path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(path, model={**part(path, "model"), "args": {"width": 2**31}})
    grown: list[int] = []
    linear = nn.Linear.__init__

    def watched(self: nn.Linear, *sizes: int, **more: Any) -> None:
        linear(self, *sizes, **more)
        grown.append(0 if self.weight.is_meta else self.weight.numel())

    monkeypatch.setattr(nn.Linear, "__init__", watched)
    with pytest.raises(MismatchError, match="has shape"):
        load_checkpoint(path, registry=registry)
    assert grown == [0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(
    path: Path, registry: Registry, value: float
) -> None:
    weights = load_file(path)
    weights["head.bias"][3] = value
    save_file(weights, path, {KEY: json.dumps(read_metadata(path).to_json())})
    with pytest.raises(InputError, match=r"weight 'head.bias' has NaN or infinite values"):
        load_checkpoint(path, registry=registry)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"window": {"frames": 0, "context_frames": 0}}, "window.frames: expected int >= 1"),
        ({"window": None}, "window: expected object, got null"),
        ({"vocabularies": {"kit": [1]}}, r"vocabularies.kit.0: expected str, got int"),
        ({"feature_names": "hit"}, "feature_names: expected array, got str"),
    ],
)
def test_metadata_is_typed(path: Path, change: dict[str, Any], says: str) -> None:
    edit(path, **change)
    with pytest.raises(InputError, match=says):
        read_metadata(path)


def test_sampling_settings_are_the_checkpoints_where_nothing_is_said(
    path: Path, registry: Registry
) -> None:
    write(path, registry, sampling={"temperature": 0.0, "passes": 3})
    loaded = load_checkpoint(path, registry=registry)
    found = loaded.sampling({"top_k": 5}, seed=7)
    assert found == SamplingConfig(0.0, 5, 1.0, 7, {"passes": 3})
    for asked, says in (
        ({"pases": 3}, r"no sampling setting 'pases' \(did you mean passes\?\)"),
        ({"passes": 65}, r"passes must lie in \[1, 64\], got 65"),
        ({"passes": 2.5}, "passes is 2.5, expected int"),
        ({"temperature": -1}, "temperature must be a number from 0"),
    ):
        with pytest.raises(InputError, match=says):
            loaded.sampling(asked)


def test_a_render_by_the_model_that_ships_imports_no_more_than_it_uses() -> None:
    """Some operations on torch's meta device import its compiler, for more than a second at every
    render; scipy.signal, which hears recordings, takes nearly as long."""
    script = (
        "import sys; from midigroove_core.rendering.render import RenderConfig, open_engine; "
        "open_engine(RenderConfig()); "
        "sys.exit(bool({'torch._dynamo', 'scipy.signal', 'scipy.stats'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", script], env=environment).returncode == 0


def test_the_model_that_ships_has_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert checkpoint_file("groove_model") == shipped_checkpoint()
    assert read_metadata("groove_model").codec.id == "groove_32khz"
    with pytest.raises(InputError, match=r"^groove_modl: no such .* mean groove_model\?\)$"):
        read_metadata("groove_modl")
    Path("groove_model").write_text("a file of that name comes first")
    assert checkpoint_file("groove_model") == Path("groove_model")
