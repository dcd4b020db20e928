"""docs/from_the_seed.md: complete, and every option, setting and metric that it names is there."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from midigroove_core.builtin.paper_grid import PaperGrid
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.cli import build_app
from midigroove_core.metrics.info import METRICS, SET_METRICS
from midigroove_core.scorecard.cost import CostLine
from midigroove_core.scorecard.records import CodesLine
from midigroove_core.training import TrainConfig

PAGE = Path(__file__).parents[1] / "docs" / "from_the_seed.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="only in a checkout, not in the sdist")
OPTIONS = {"drumgrid train": 53, "expressivegrid train": 42, "eval": 31, "fad": 8,
           "codec_reference_diagnostics": 14}  # fmt: skip
OTHERS = {"Environment variables": 7, "Metrics": 18, "Diagnostics of codes": 12}
SECTIONS = [*OPTIONS, *OTHERS, "Plots and scripts"]
STATISTICS = {
    "codebook", "size", "frames", "entropy_nats", "perplexity", "usage", "change_rate",
    "mean_run_frames", "unigram_nll", "bigram_nll", "probe_nll",
}  # fmt: skip


def rows(section: str) -> list[list[str]]:
    """The lines of a section's table: what the seed had, what is here, and why."""
    text = PAGE.read_text("utf-8")
    found = re.search(rf"^## `?{re.escape(section)}`?.*?$(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, section
    lines = [line for line in found[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_has_something_of_ours_or_says_why_not(section: str) -> None:
    table = rows(section)
    assert len(table) == {**OPTIONS, **OTHERS}.get(section, len(table))
    assert len({row[0] for row in table}) == len(table)
    for name, ours, why in table:
        assert spans(ours) or ours == "by design", name
        assert why or ours != "by design" or "TF_CPP" in name, name


def test_there_are_148_options() -> None:
    assert sum(len(rows(section)) for section in OPTIONS) == 148


def is_setting(name: str) -> bool:
    """Whether `train --set` takes it."""
    first, _, rest = name.partition(".")
    known = {field.name for field in fields(TrainConfig)}
    inside = {"model_args": ParallelModel, "featurizer_args": PaperGrid}
    return first in known and (not rest or rest in inspect.signature(inside[first]).parameters)


@pytest.mark.parametrize("section", [*OPTIONS, "Plots and scripts"])
def test_every_option_that_is_named_exists(section: str) -> None:
    program = typer.main.get_command(build_app())
    for _, ours, _ in rows(section):
        for span in spans(ours):
            words, command = span.split(), program
            while words and not words[0].startswith("-"):
                assert words[0] in command.commands, span
                command = command.commands[words.pop(0)]
            known = {option for param in command.params for option in param.opts}
            assert set(words[:1]) <= known, span
            if words[:1] == ["--set"]:
                assert is_setting(words[1]), span


@pytest.mark.parametrize(
    ("section", "known"),
    [
        (
            "Metrics",
            {*METRICS, *SET_METRICS, *(f.name for f in (*fields(CodesLine), *fields(CostLine)))},
        ),
        ("Diagnostics of codes", STATISTICS),
    ],
)
def test_every_figure_that_is_named_exists(section: str, known: set[str]) -> None:
    assert {span for _, ours, _ in rows(section) for span in spans(ours)} <= known
