"""The codec suite refuses wrong codecs, each by the test that is about what is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
from mutants import codecs_facts, codecs_shapes, codecs_sound
from support.loudness_codecs import StereoCodec
from support.suites import refusals

from midigroove_core import Codec
from midigroove_core.testing import CodecContract

MUTANTS = [
    kind
    for module in (codecs_facts, codecs_shapes, codecs_sound)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if "refused_by" in vars(kind)
]


def refusals_of(codec: type[Codec]) -> dict[str, str]:
    make: Callable[[], Codec] = getattr(codec, "built", codec)
    found = refusals(CodecContract(), codec=make)
    del found["test_golden_codes"]  # nobody wrote golden codes of these
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda kind: kind.__name__)
def test_is_refused(mutant: type[Codec]) -> None:
    found = refusals_of(mutant)
    assert mutant.refused_by in found, found


def test_the_sound_codec_that_they_are_made_of_is_not() -> None:
    assert refusals_of(StereoCodec) == {}


def test_every_test_of_the_suite_refuses_some_codec() -> None:
    tests = {name for name in dir(CodecContract) if name.startswith("test_")}
    assert tests - {"test_golden_codes"} == {mutant.refused_by for mutant in MUTANTS}
