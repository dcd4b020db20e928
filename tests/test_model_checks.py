"""What a model of a plugin gives is checked; shapes of weights are found without memory."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.small_models import FramesModel
from torch import nn

from midigroove_core.errors import InputError, PluginError
from midigroove_core.interfaces.classes import faults_of_class
from midigroove_core.interfaces.model import CodeScores, Loss
from midigroove_core.interfaces.model_checks import check_loss, generate_codes, score_codes
from midigroove_core.interfaces.sampling import SamplingConfig, SamplingOption, read_sampling
from midigroove_core.interfaces.shapes import shapes_of, shapes_without_memory
from midigroove_core.testing.model_task import task_batch, task_spec


def model() -> FramesModel:
    return FramesModel.build(task_spec(), dim=4)


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        ({"loss": 1.0}, "model toy_frames: loss: gave a dict, expected a Loss"),
        (Loss(torch.zeros(3)), r"total is torch.float32 \[3\], expected a scalar tensor"),
        (Loss(1.0), "total is a float, expected a scalar tensor"),  # type: ignore[arg-type]
        (Loss(torch.zeros(()), {"a": torch.zeros(2)}), r"log 'a' is torch.float32 \[2\]"),
        (Loss(torch.zeros(()), {"a": "b"}), "log 'a' is a str"),  # type: ignore[dict-item]
    ],
)
def test_a_loss_that_is_none(loss: Any, says: str) -> None:
    with pytest.raises(PluginError, match=says):
        check_loss(model(), loss)


def test_a_score_of_another_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = task_batch(model())
    assert batch.codes is not None
    for found, says in (
        (torch.zeros(3), "gave a Tensor, expected CodeScores"),
        (CodeScores(batch.codes, batch.codes > 0), "nll is torch.int64"),
        (CodeScores(batch.codes.float()[:, :1], batch.codes > 0), r"nll is .*\[16, 1, 12\]"),
        (CodeScores(batch.codes.float(), batch.codes), "correct is torch.int64"),
    ):
        monkeypatch.setattr(FramesModel, "score", lambda self, batch, found=found: found)
        with pytest.raises(PluginError, match=says):
            score_codes(model(), batch)


def test_codes_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, good = task_batch(model()), torch.zeros(16, 2, 12, dtype=torch.int64)
    for codes, says in (
        (good.float(), r"codes are torch.float32 \[16, 2, 12\], expected torch.int64"),
        (good[:, :, 1:], r"\[16, 2, 11\], expected torch.int64 \[16, 2, 12\]"),
        (good + 3, r"codes of codebook 1 lie in \[3, 3\], expected \[0, 3\)"),
        (good - 1, r"codes of codebook 0 lie in \[-1, -1\]"),
        (None, "codes are a NoneType"),
    ):
        monkeypatch.setattr(FramesModel, "generate", lambda self, b, s, codes=codes: codes)
        with pytest.raises(PluginError, match=says):
            generate_codes(model(), batch, SamplingConfig())


def test_a_bug_in_a_constructor_is_no_wrong_argument() -> None:
    class Bug(FramesModel):
        def __init__(self, spec: Any, *, dim: int = 4) -> None:
            super().__init__(spec, dim=dim)
            self.kit(1, 2, 3)

    with pytest.raises(TypeError, match="positional arguments"):
        Bug.build(task_spec())
    with pytest.raises(InputError, match="model toy_frames: no argument 'width'; it takes dim"):
        FramesModel.build(task_spec(), width=3)


def test_a_constructor_without_a_spec_and_a_likelihood_that_is_none() -> None:
    class NoSpec(FramesModel):
        likelihood = "roughly"  # type: ignore[assignment]

        def __init__(self, *, dim: int = 4) -> None:
            super().__init__(task_spec(), dim=dim)

    with pytest.raises(PluginError, match="toy_frames: its constructor does not take 'spec'"):
        NoSpec.build(task_spec())
    (fault,) = faults_of_class("model", "toy_frames", NoSpec)
    assert fault.startswith("NoSpec.likelihood is 'roughly', expected ")


def test_arguments_have_to_be_json() -> None:
    with pytest.raises(InputError, match="its arguments are no JSON"):
        FramesModel.build(task_spec(), dim={4})
    with pytest.raises(InputError, match="its arguments are no JSON"):
        FramesModel.build(task_spec(), dim=math.nan)


def test_options_are_of_their_type_and_in_their_bounds() -> None:
    options = (
        SamplingOption("passes", 8, "How often.", low=1, high=64),
        SamplingOption("guidance", 1.0, "How much."),
        SamplingOption("order", "surest", "Which first.", choices=("surest", "random")),
        SamplingOption("cold", False, "Whether."),
    )
    found = read_sampling({"guidance": 2, "order": "random"}, options, seed=3)
    assert found == SamplingConfig(
        seed=3, extras={"passes": 8, "guidance": 2.0, "order": "random", "cold": False}
    )
    assert read_sampling(found.settings, options, seed=3) == found
    for asked, says in (
        ({"cold": 1}, "cold is 1, expected bool"),
        ({"guidance": math.inf}, "guidance is inf, expected a finite number"),
        ({"order": "last"}, "order is 'last'; use one of surest, random"),
        ({"passes": True}, "passes is True, expected int"),
    ):
        with pytest.raises(InputError, match=says):
            read_sampling(asked, options)


class Odd(nn.Module):
    """Makes tensors in many ways."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, 2 * size)
        self.scaled = nn.Parameter(torch.randn(size, 3) / size**0.5)
        place = torch.arange(size) + 0.5
        self.register_buffer("table", torch.sin(place[:, None] * torch.arange(5.0)))


def test_shapes_without_memory_are_those_with() -> None:
    assert shapes_without_memory(lambda: Odd(6)) == shapes_of(Odd(6))
    huge = shapes_without_memory(lambda: Odd(2**20))
    assert huge is not None and huge["linear.weight"] == (2**21, 2**20)
    assert shapes_without_memory(lambda: Odd(int(torch.zeros(1).item()))) is None


def test_finding_shapes_loads_no_compiler() -> None:
    code = (
        "import sys, torch; from test_model_checks import Odd; "
        "from midigroove_core.interfaces.shapes import shapes_without_memory; "
        "assert shapes_without_memory(lambda: Odd(4)); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == 0
