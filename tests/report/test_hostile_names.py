"""Names that are written to break a page, in every field that others fill in."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from support.report_browser import CHROMIUM, in_browser
from support.toy_systems import make_toy_dataset, save_toy_checkpoint, toy_plugin_installed

from midigroove_core.cache.build import build_cache
from midigroove_core.evaluation import SystemSpec, evaluate
from midigroove_core.report import export_papers, listening, write_listening_test, write_report
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

HOSTILE = {
    "kit": "</script><img src=x onerror=\"failures.push('kit')\">",
    "style": "'\"><svg onload=failures.push('style')>{{ 7 * 7 }}",
    "drummer": "=cmd|' /C calc'!A0",
    "performance": "</title><b>$x^2$ &amp;",
}
FILE = "<img src=x onerror=failures.push('take')> \u202e%s.wav"


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("hostile")
    with toy_plugin_installed(tmp_path_factory.mktemp("plugin")):
        data = make_toy_dataset(root / "data", train=1, test=1, end_sec=3.0)
        lines = list(csv.DictReader((data / "takes.csv").read_text().splitlines()))
        for number, line in enumerate(lines):
            old, new = line["file"], FILE % number
            for suffix in (".wav", ".mid"):
                (data / old).with_suffix(suffix).rename((data / new).with_suffix(suffix))
            performance = f"{HOSTILE['performance']} {line['performance']}"
            line |= {**HOSTILE, "performance": performance, "file": new}
        with open(data / "takes.csv", "w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        build_cache(open_dataset(data), ToyCodec(), root / "cache", device="cpu")
        checkpoint = save_toy_checkpoint(root / "best.safetensors")
        out = root / "<img src=x onerror=failures.push('folder')>"
        evaluate(
            [SystemSpec("one", checkpoint, root / "cache")], out, dataset=data, device="cpu",
            rows=("oracle", "silence"), long_items=0,
        )  # fmt: skip
    yield out


def votes(evaluation: Path, path: Path) -> Path:
    """A listener with a hostile name."""
    found = Evaluation.open(evaluation)
    test = listening.test_id(found)
    _, kept = found.kept()
    assert kept is not None
    ratings = [
        {"stimulus": listening.stimulus_id(test, clip.index, row), "score": 50}
        for clip in kept.clips
        for row in clip.rows
    ]
    whole = {"format": listening.FORMAT, "version": listening.VERSION, "test": test}
    path.write_text(
        json.dumps({**whole, "listener": f"{HOSTILE['kit']}\x00\n", "ratings": ratings})
    )
    return path


def test_hostile_names_stay_texts(evaluation: Path, tmp_path: Path) -> None:
    ballots = votes(evaluation, tmp_path / "votes.json")
    title = f"{HOSTILE['kit']} {HOSTILE['style']}"
    page = write_report([evaluation], tmp_path / "r.html", votes=[ballots], title=title).read_text()
    test = write_listening_test(evaluation, tmp_path / "t.html").read_text()
    for text in (page, test):
        assert not re.search(r"<(img|svg|b)\b[^>]*(onerror|onload)=[^&]", text)
        assert "<b>$x" not in text and HOSTILE["kit"] not in text and HOSTILE["style"] not in text
        data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
        assert data is not None and "<" not in data[1]
        json.loads(data[1])
    assert "&lt;/script&gt;" in page and "{{ 7 * 7 }}" in page and "What listeners said" in page


def test_hostile_names_come_back_from_the_files(evaluation: Path, tmp_path: Path) -> None:
    found = Evaluation.open(evaluation)
    line = found.table("clips.csv")[0]
    assert {name: line[name] for name in ("kit", "style", "drummer")} == {
        name: HOSTILE[name] for name in ("kit", "style", "drummer")
    }
    assert line["performance"].startswith(HOSTILE["performance"])
    raw = (evaluation / "clips.csv").read_text()
    assert f",'{HOSTILE['drummer']}," in raw
    export_papers(evaluation, tmp_path / "paper", latex=True)
    assert "</script>" in (tmp_path / "paper" / "per_kit.csv").read_text()


@browser
def test_hostile_names_run_nothing_in_a_browser(evaluation: Path, tmp_path: Path) -> None:
    ballots = votes(evaluation, tmp_path / "votes.json")
    page = write_report([evaluation], tmp_path / "r.html", votes=[ballots], title=HOSTILE["kit"])
    found = in_browser(
        page,
        """
document.querySelectorAll(".rows button").forEach((button) => button.click());
document.querySelectorAll("thead button").forEach((button) => button.click());
const clip = document.querySelector(".clip");
return {
  strangers: document.querySelectorAll("[onerror], [onload], main b").length,
  title: document.title, head: clip.querySelector("h3").textContent,
  folder: document.querySelector("h2").textContent,
  widths: [document.documentElement.scrollWidth, window.innerWidth],
};
""",
        tmp_path,
        size="500,900",
    )  # fmt: skip
    assert found["failures"] == []
    seen = found["found"]
    assert seen["strangers"] == 0
    assert seen["title"] == HOSTILE["kit"] and HOSTILE["kit"] in seen["head"]
    assert HOSTILE["style"] in seen["head"] and HOSTILE["drummer"] in seen["head"]
    assert seen["folder"] == evaluation.name
    assert seen["widths"][0] <= seen["widths"][1]
    test = write_listening_test(evaluation, tmp_path / "t.html")
    script = """return [document.querySelectorAll("[onerror], [onload]").length,
  document.getElementById("title").textContent];"""
    found = in_browser(test, script, tmp_path)
    assert found["failures"] == [] and found["found"][0] == 0
    assert found["found"][1].startswith(HOSTILE["style"])


@browser
def test_saved_tables_hold_no_formulas(evaluation: Path, tmp_path: Path) -> None:
    page = write_report([evaluation], tmp_path / "r.html")
    script = """
const table = document.createElement("table");
for (const text of ["=1+1", "-6.94 ±1.9", "-3 to 2", "-2+cmd|x", "-", "a, b"])
  table.insertRow().insertCell().textContent = text;
return csvOf(table).split("\\n");
"""
    found = in_browser(page, script, tmp_path)
    assert found["found"] == [
        "'=1+1", "-6.94 ±1.9", "-3 to 2", "'-2+cmd|x", "-", '"a, b"', "",
    ]  # fmt: skip
