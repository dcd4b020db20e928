"""Numbers out of bounds are one line, from whichever side they come."""

from __future__ import annotations

import math

import pytest

from midigroove_core import bounds
from midigroove_core.bounds import Bounds
from midigroove_core.cli import run as midigroove
from midigroove_core.errors import InputError
from midigroove_core.interfaces.model import SamplingConfig
from midigroove_core.rendering.config import RenderConfig


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -1, 2.5, True, "1", None, 10**400]
)
def test_what_is_no_number_in_the_bounds(value: object) -> None:
    with pytest.raises(InputError, match=r"^`x` must be a number from 0 to 1, got .{1,40}$"):
        bounds.SHARE.check("`x`", value)


def test_edges() -> None:
    for value in (0, 1, 0.5):
        bounds.SHARE.check("x", value)
    with pytest.raises(InputError, match="above 0 up to 1, got 0"):
        bounds.SHARE_ABOVE_0.check("x", 0)
    with pytest.raises(InputError, match="a whole number from 1 to 16, got 2.0"):
        bounds.CHANNEL.check("x", 2.0)
    assert str(Bounds(0, math.inf)) == "a number from 0"


@pytest.mark.parametrize(
    "option",
    [
        "--bpm=nan", "--bpm=inf", "--bpm=-5", "--bpm=0", "--temperature=nan", "--temperature=inf",
        "--temperature=-1", f"--seed={2**65}", "--seed=-1", "--device=tpu", "--device=cuda:9999",
        "--top-p=nan", "--top-p=0", "--top-k=-3", "--tail=nan", "--tail=inf", "--tail=-1",
        "--sample-rate=0", f"--sample-rate={2**31}", "--channel=17",
    ],
)  # fmt: skip
def test_options_of_render(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert midigroove(["render", "missing.mid", option]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "missing.mid" not in said
    if not option.startswith("--device"):
        assert said.startswith(f"error: {option.split('=')[0]} must be ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "synth", "--midi", "builtin", "--out", "x", "--max-performances", "-3"],
        ["data", "synth", "--midi", "builtin", "--out", "x", "--headroom-db", "nan"],
        ["data", "verify", "x", "--max-offset-ms", "nan"],
        ["data", "stats", "x", "--max-takes", "0"],
        ["cache", "--dataset", "x", "--out", "y", "--batch", "0"],
        ["cache", "--dataset", "x", "--out", "y", "--bandwidth", "nan"],
        ["train", "--cache", "x", "--out", "y", "--learning-rate", "nan"],
        ["train", "--cache", "x", "--out", "y", "--set", "weight_decay=nan"],
        ["train", "--cache", "x", "--out", "y", "--seed", str(2**65)],
        ["eval", "--system", "a:b:c", "--out", "x", "--temperature", "nan"],
        ["eval", "--system", "a:b:c", "--out", "x", "--device", "tpu"],
        ["eval", "--system", "a:b:c", "--out", "x", "--save-preds", "-1"],
        ["demo", "--minutes", "nan"],
    ],
)
def test_options_of_other_commands(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    assert midigroove(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1


def test_the_library_refuses_them_too() -> None:
    for field, value in (("bpm", math.nan), ("seed", 2**65)):
        with pytest.raises(InputError, match=f"^{field} must be"):
            RenderConfig(**{field: value})
    with pytest.raises(InputError, match="^temperature must be"):
        RenderConfig(sampling={"temperature": math.inf})
    with pytest.raises(InputError, match="^seed must be"):
        SamplingConfig(seed=-1)


def test_a_number_that_cannot_be_shown() -> None:
    with pytest.raises(InputError, match="got an integer of far more digits"):
        bounds.SEED.check("x", 10**9999)
