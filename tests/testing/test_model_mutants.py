"""The model suite refuses wrong models, each by the test that is about what is wrong with it."""

from __future__ import annotations

import inspect

import pytest
from mutants import models
from support.suites import refusals

from midigroove_core import Model
from midigroove_core.testing import ModelContract

MUTANTS = [
    kind for _, kind in inspect.getmembers(models, inspect.isclass) if "refused_by" in vars(kind)
]
SMALL_DECODER = {"dim": 16, "layers": 1, "heads": 2, "conv_kernel": 3, "head_dim": 16, "span": 8,
                 "sketch": True}  # fmt: skip


def suite_of(mutant: type[Model]) -> ModelContract:
    """The suite with the test that is about it alone."""
    own = {name: None for name in dir(ModelContract) if name.startswith("test_")}
    own[mutant.refused_by] = getattr(ModelContract, mutant.refused_by)
    args = SMALL_DECODER if issubclass(mutant, models.AutoregressiveModel) else {}
    return type("OneTest", (ModelContract,), {**own, "model_class": mutant, "args": args})()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda kind: kind.__name__)
def test_is_refused(mutant: type[Model]) -> None:
    suite = suite_of(mutant)
    found = refusals(suite, model=suite.make, trained=suite.make_trained)
    assert mutant.refused_by in found


def test_every_test_of_the_suite_refuses_some_model() -> None:
    tests = {name for name in dir(ModelContract) if name.startswith("test_")}
    assert tests == {mutant.refused_by for mutant in MUTANTS}
