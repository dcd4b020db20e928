"""Every column and field of an evaluation's files is explained in docs/evaluation_files.md."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from midigroove_core.scorecard import records
from midigroove_core.scorecard.cost import Cost
from midigroove_core.scorecard.kept import Kept
from midigroove_core.scorecard.manifest import Manifest
from midigroove_core.scorecard.metrics import CLIP_METRICS, TAKE_METRICS
from midigroove_core.scorecard.scores import Skip
from midigroove_core.scorecard.summary import Summary
from midigroove_core.scorecard.writing import CLIP_COLUMNS, SET_COLUMNS, TIME_COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "evaluation_files.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="only in a checkout, not in the sdist")


HAS_A_TABLE = re.compile(r"records\.(\w+Line|SetFloor)")
"""Records that are a csv file, which has a section of its own."""


def names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def all_names(kind: object) -> set[str]:
    """Fields of a dataclass, and of those inside it."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return {name for part in typing.get_args(kind) for name in all_names(part)}
    own = set()
    for name, hint in typing.get_type_hints(kind).items():
        if not name.startswith("_"):  # nor is that written
            own |= {name} if HAS_A_TABLE.search(str(hint)) else {name, *all_names(hint)}
    return own


FILES = {
    "clips.csv": {*CLIP_COLUMNS, *CLIP_METRICS},
    "seeds.csv": {"clip", "row", "seed"},
    "takes.csv": {"take", "performance", "row", *TAKE_METRICS},
    "per_kit.csv": {"kit", "row", "clips"},
    "per_drum.csv": names(records.DrumLine),
    "codes.csv": names(records.CodesLine),
    "sets.csv": set(SET_COLUMNS),
    "knee.csv": {"oracle", "levels", "bits_per_second", "clips"},
    "codecs.csv": names(records.CodecLine),
    "long.csv": names(records.LongLine),
    "summary.json": all_names(Summary),
    "manifest.json": all_names(Manifest),
    "cost.json": all_names(Cost),
    "times.csv": set(TIME_COLUMNS),
    "preds/preds.json": all_names(Kept),
    "skipped.jsonl": names(Skip),
}


@pytest.mark.parametrize("file", FILES)
def test_every_column_is_explained(file: str) -> None:
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S))
    explained = set(re.findall(r"`(?:\w+\.)*(\w+)`", sections[file]))
    assert FILES[file] - explained == set()


def test_no_column_is_explained_that_is_not_there() -> None:
    text = PAGE.read_text()
    first = set(re.findall(r"^\| `(?:\w+\.)*(\w+)` \|", text, re.M))
    assert first - set().union(*FILES.values()) == set()


def test_what_all_names_finds() -> None:
    assert {"metrics", "unit", "over_seeds", "heard_with", "absent", "floors"} <= all_names(Summary)
