"""Cards say what a file and an evaluation say, and no licence that a codec does not allow."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from support.evaluation_files import METRICS, write_evaluation
from support.hub_things import small_checkpoint

from midigroove_core.atomic import read_json, sha256_of_file
from midigroove_core.checkpoint import read_metadata
from midigroove_core.errors import MidigrooveError, MismatchError
from midigroove_core.kits import library
from midigroove_core.publishing import parcel_of
from midigroove_core.publishing.licences import hub_id, is_non_commercial, licence_of_weights
from midigroove_core.scorecard.figures import Figure
from midigroove_core.scorecard.records import CodecFacts, SystemFacts
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import RowSummary

SHIPPED = library.ASSETS / "groove_model.safetensors"


def checkpoint(folder: Path, **changes: Any) -> Path:
    path = folder / "best.safetensors"
    path.write_bytes(small_checkpoint(SHIPPED, **changes))
    return path


def with_codec_license(license: str) -> dict[str, Any]:
    codec = read_metadata(SHIPPED).to_json()["codec"]
    return {"codec": {**codec, "facts": {**codec["facts"], "license": license}}}


def head_of(card: str) -> dict[str, Any]:
    """The head, each line of which is JSON; and what a YAML reader makes of it is the same."""
    _, block, _ = card.split("---\n", 2)
    lines = [line.partition(": ") for line in block.splitlines()]
    found = {name: json.loads(value) for name, _, value in lines}
    try:
        import yaml
    except ImportError:
        return found
    assert yaml.safe_load(block) == found
    return found


def test_a_card_of_the_shipped_model() -> None:
    parcel = parcel_of(SHIPPED, "ann/groove", data="GMD, CC BY 4.0")
    head = head_of(parcel.card)
    assert (head["license"], head["library_name"]) == ("mit", "midigroove")
    for part in (
        "--checkpoint hf://ann/groove", "`groove_32khz`", "2,405 takes, 21.0 hours, split train",
        "3.451 nats a code (unigram 5.975, bigram 5.994)", "GMD, CC BY 4.0",
        "No evaluation of this file", "### groove_model",
    ):  # fmt: skip
        assert part in parcel.card, part
    assert "](groove_codec.md)" not in parcel.card, "a link to what is not there"
    assert parcel.notes == ("the card has no figures: no evaluation is named",)


def test_a_non_commercial_codec_makes_a_non_commercial_card(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, **with_codec_license("CC-BY-NC-4.0"))
    card = parcel_of(path, "ann/drums").card
    assert head_of(card)["license"] == "cc-by-nc-4.0"  # the checkpoint itself says MIT
    assert "**not for commercial use**" in card
    with pytest.raises(
        MismatchError, match=r"`license` is MIT, but codec groove_32khz is CC-BY-NC"
    ):
        parcel_of(path, "ann/drums", license="MIT")
    stricter = parcel_of(path, "ann/drums", license="CC-BY-NC-SA-4.0").card
    assert head_of(stricter)["license"] == "cc-by-nc-sa-4.0"


def test_what_nobody_said_is_not_made_up(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, license="", **with_codec_license("see model card"))
    parcel = parcel_of(path, "ann/drums")
    assert "license" not in head_of(parcel.card)
    assert "ask its authors before you use what it plays" in parcel.card
    assert len(parcel.notes) == 3 and "names no licence" in parcel.notes[0]


@pytest.mark.parametrize(
    ("license", "is_so"),
    [
        ("CC-BY-NC-4.0", True), ("CC BY-NC 4.0", True), ("non-commercial", True),
        ("research only", True), ("MIT", False), ("CC-BY-4.0", False), ("Apache-2.0", False),
        ("NCSA", False),
    ],
)  # fmt: skip
def test_which_licences_are_non_commercial(license: str, is_so: bool) -> None:
    assert is_non_commercial(license) is is_so


def test_licences_as_the_hub_has_them() -> None:
    assert [hub_id(name) for name in ("MIT", "CC BY 4.0", "Mine alone", "")] == [
        "mit", "cc-by-4.0", "other", "",
    ]  # fmt: skip
    with pytest.raises(MidigrooveError, match="no SPDX id"):
        licence_of_weights("a\nb: c", "", "MIT", "toy")


def evaluated(folder: Path, path: Path) -> Path:
    """An evaluation of that file, with its reference rows."""
    system = SystemFacts(
        name="mine", checkpoint=path.name, checkpoint_sha256=sha256_of_file(path),
        model="autoregressive", likelihood="exact", sampling={"temperature": 0.5}, training={},
        cache="c", cache_fingerprint="f", cache_dataset={"name": "GMD"},
        codec=CodecFacts("groove_32khz", {}, "w"),
    )  # fmt: skip
    out = write_evaluation(folder / "eval", {"mine": 0.8})
    kinds = {"silence": RowKind.SILENCE, "mine": RowKind.SYSTEM, "recording": RowKind.RECORDING}
    rows = [
        RowSummary(name, kind, None, 40, 0, {
            metric: Figure(value, value - 0.02, value + 0.02, 40, 10) for metric in METRICS
        })
        for value, (name, kind) in zip((0.1, 0.8123, 0.95), kinds.items(), strict=True)
    ]  # fmt: skip
    manifest = read_json(out / "manifest.json")
    manifest["systems"] = [asdict(system)]
    (out / "manifest.json").write_text(json.dumps(manifest))
    summary = read_json(out / "summary.json")
    summary["rows"] = [asdict(row) for row in rows]
    (out / "summary.json").write_text(json.dumps(summary))
    return out


def test_figures_come_with_reference_rows_and_intervals(tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    out = evaluated(tmp_path, path)
    card = parcel_of(path, "ann/drums", evaluation=out).card
    assert "| **mine** | **40** | **0.812 ±0.02** |" in card
    assert "| silence | 40 | 0.1 ±0.02 |" in card and "| recording | 40 | 0.95 ±0.02 |" in card
    assert "the recording itself" in card and "95 % interval over performances" in card
    found = head_of(card)["model-index"][0]["results"][0]["metrics"]
    assert {"type": "onset_f1_50ms", "name": "Onset F1", "value": 0.8123} in found
    assert "rmse" not in [metric["type"] for metric in found], "trusted figures alone"


def test_figures_of_another_file_are_refused(tmp_path: Path) -> None:
    out = evaluated(tmp_path, checkpoint(tmp_path))
    other = checkpoint(tmp_path, license="MIT-0")
    with pytest.raises(MismatchError, match="judges other files"):
        parcel_of(other, "ann/drums", evaluation=out)


def test_names_cannot_write_in_a_card(tmp_path: Path) -> None:
    """Kits and datasets are called what their makers like; a card shows it, as text."""
    evil = "x`|\n---\nlicense: mit <script>alert(1)</script> [a](http://b) **c**"
    metadata = read_metadata(SHIPPED).to_json()
    metadata["training"]["dataset"]["name"] = evil
    path = checkpoint(tmp_path, vocabularies={"kit": [evil, "jazz"]}, training=metadata["training"])
    card = parcel_of(path, "ann/drums", data=evil).card
    body = card.split("---\n", 2)[2].split("## From its authors")[0]
    assert "\nlicense:" not in body and "\n---" not in body
    text = re.sub("`[^`]*`", "", body)  # as code, anything may stand there
    assert "<script>" not in text and "[a](" not in text and " **c**" not in text
    assert "&lt;script&gt;" in text and "\\[a\\](" in text
    assert " --kit " not in body, "a name that would not survive a shell is no example"
