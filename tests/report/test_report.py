"""The report: whole, self-contained, honest about bad input; in a real browser if there is one."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from support.report_browser import CHROMIUM, in_browser
from support.toy_systems import make_toy_dataset, save_toy_checkpoint, toy_plugin_installed

from midigroove_core.cache.build import build_cache
from midigroove_core.checkpoint import TrainedWindow
from midigroove_core.cli import run
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.report import (
    export_papers,
    listening,
    page,
    write_listening_test,
    write_report,
)
from midigroove_core.report.formats import latex
from midigroove_core.report.media import describe_audio
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small evaluation of two systems."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("report")
    with toy_plugin_installed(tmp_path_factory.mktemp("plugin")):
        dataset = make_toy_dataset(root / "data", train=1, test=2, end_sec=4.0)
        build_cache(open_dataset(dataset), ToyCodec(), root / "cache", device="cpu")
        specs = []
        for seed, name in enumerate(("one", "two")):
            (root / name).mkdir()
            short = TrainedWindow(62, 15)  # windows of a second
            checkpoint = save_toy_checkpoint(
                root / name / "best.safetensors", seed=seed, window=short
            )
            (root / name / "metrics.csv").write_text("step,valid_nll\n0,4.1\n100,3.2\n200,3.0\n")
            specs.append(SystemSpec(name, checkpoint, root / "cache"))
        rows = ("recording", "oracle", "silence", "sampler", "unigram")
        config = EvalConfig(
            tuple(specs), root / "eval", dataset=dataset, max_items=4, save_preds=2, rows=rows,
            knee_items=0, device="cpu",
        )  # fmt: skip
        evaluate(config)
    yield root / "eval"


@pytest.fixture(scope="module")
def report(evaluation: Path) -> Path:
    return write_report([evaluation], evaluation.parent / "report.html")


@pytest.fixture(scope="module")
def copied(evaluation: Path) -> Path:
    """A second evaluation with the same name for its systems."""
    other = evaluation.parent / "again"
    shutil.copytree(evaluation, other)
    return other


def test_one_file_without_a_network(report: Path) -> None:
    text = report.read_text()
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", text)
    assert "http://" not in text and "https://" not in text and "@import" not in text
    assert text.count("<audio") == 2 * 7
    assert text.count("data:image/jpeg") == 2 * 7
    assert "data:image/png" in text
    assert len(text) < 3_000_000


def test_every_section_is_there(report: Path) -> None:
    text = report.read_text()
    for heading in (
        "Does it play the MIDI?", "Does it sound like the recording?", "Is the difference real?",
        "Each drum", "Each kit", "Codes, per codebook", "Cost", "manifest.json",
        "Validation loss over training; dashed, what it was trained on",
        "Code accuracy per codebook", "Long renders",
        "Can the joins of long renders be heard? (takes of up to 30 s)",
    ):  # fmt: skip
        assert heading in text, heading


def test_names_from_files_cannot_break_the_page(evaluation: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "eval"
    shutil.copytree(evaluation, hostile)
    for name in ("summary.json", "clips.csv", "preds/preds.json", "per_kit.csv"):
        path = hostile / name
        path.write_text(path.read_text().replace("jazz", "</script><b>jazz"))
    text = write_report([hostile], tmp_path / "report.html").read_text()
    assert "</script><b>jazz" not in text and "&lt;/script&gt;&lt;b&gt;jazz" in text


def test_several_evaluations_are_compared(evaluation: Path, copied: Path, tmp_path: Path) -> None:
    text = write_report([evaluation, copied], tmp_path / "both.html").read_text()
    assert "Paired differences" in text and "again/one" in text
    assert 'id="e1_clip1"' in text and 'id="e2_clip1"' in text


def test_evaluations_that_cannot_be_compared_say_why(evaluation: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(evaluation, other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["reference"]["kind"] = "oracle"
    (other / "manifest.json").write_text(json.dumps(manifest))
    (note,) = page._comparison([evaluation, other])["notes"]
    assert "cannot be compared, another kind of reference" in note


def test_an_evaluation_that_lost_its_audio_still_reports(evaluation: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(evaluation, bare)
    shutil.rmtree(bare / "preds")
    assert "<audio" not in write_report([bare], tmp_path / "bare.html").read_text()
    with pytest.raises(InputError, match="no audio was kept"):
        write_listening_test(bare, tmp_path / "test.html")
    with pytest.raises(InputError, match="is no evaluation"):
        write_report([tmp_path], tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_export_for_papers(evaluation: Path, tmp_path: Path) -> None:
    files = {path.name for path in export_papers(evaluation, tmp_path / "paper", latex=True)}
    heard = (tmp_path / "paper" / "heard_with.csv").read_text().splitlines()
    assert len(heard) > 1 and all("fitted to" in line for line in heard[1:])
    assert {
        "summary_1.csv",
        "summary_1.tex",
        "per_drum.csv",
        "long.csv",
        "long.tex",
        "interval_mel_l1.png",
    } <= files
    joins = list(csv.reader(io.StringIO((tmp_path / "paper" / "long.csv").read_text())))
    assert [row[:2] for row in joins[1:]] == [
        ["one", "one"], ["recording", "one"], ["two", "two"], ["recording", "two"],
    ]  # fmt: skip
    assert float(joins[1][5].split()[0]) > 0 and joins[1][-2] == "0" and float(joins[1][-1]) > 0
    rows = list(csv.reader(io.StringIO((tmp_path / "paper" / "summary_1.csv").read_text())))
    assert rows[0][:2] == ["row", "clips"]
    assert [row[0] for row in rows[1:]][-1] == "recording"
    percent = list(csv.DictReader((tmp_path / "paper" / "percent.csv").read_text().splitlines()))
    by_row = {line.pop("row"): line for line in percent}
    assert set(by_row["silence"].values()) == {"0"} and set(by_row["oracle"].values()) == {"100"}
    lines = (tmp_path / "paper" / "summary_1.md").read_text().splitlines()
    assert len({line.count("|") for line in lines[2:]}) == 1 and len(lines) == 3 + len(rows)
    misleading = (tmp_path / "paper" / "summary_4.md").read_text().splitlines()[-1]
    assert re.fullmatch(r"\| recording \| \d+ \|( \*[^*]+\* \|)+", misleading)
    table = (tmp_path / "paper" / "summary_1.tex").read_text()
    assert "\\toprule" in table and "\\pm" in table and "\u00b1" not in table
    assert latex("a_b & 50 %") == "a\\_b \\& 50 \\%"


def test_media_of_a_click() -> None:
    audio = np.zeros(16000, np.float32)
    audio[8000] = 1.0
    found = describe_audio(audio[None], 16000)
    assert found["peaks"][200] == 100 and sum(found["peaks"]) == 100
    assert found["duration_sec"] == 1.0
    assert found["audio"].startswith("data:audio/ogg;base64,")


def test_the_listening_test_is_blind(evaluation: Path, tmp_path: Path) -> None:
    text = write_listening_test(evaluation, tmp_path / "test.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert len(data["pages"]) == 2
    for shown in data["pages"]:
        # One, two, the oracle, the hidden recording, the unigram as a low anchor.
        assert len(shown["stimuli"]) == 5
        assert all(re.fullmatch("[0-9a-f]{12}", stimulus["id"]) for stimulus in shown["stimuli"])
    for name in ("recording", "oracle", "unigram"):
        assert name not in json.dumps(data)


def test_votes_come_back(evaluation: Path, tmp_path: Path) -> None:
    found = Evaluation.open(evaluation)
    test = listening.test_id(found)
    index = json.loads((evaluation / "preds" / "preds.json").read_text())
    scores = {"recording": 95, "oracle": 80, "one": 30, "two": 20, "unigram": 10}

    def vote(listener: str, shift: int) -> Path:
        ratings = [
            {"stimulus": listening.stimulus_id(test, clip["index"], row), "score": score - shift}
            for clip in index["clips"]
            for row, score in scores.items()
        ]
        path = tmp_path / f"{listener}.json"
        votes = {"format": "midigroove-votes", "version": 1, "test": test, "listener": listener}
        path.write_text(json.dumps({**votes, "ratings": ratings}))
        return path

    paths = [vote("ann", 0), vote("ben", 10)]
    table = listening.votes_table(listening.read_votes(paths, [found])[0])
    assert [row[0].text for row in table.rows] == list(scores)
    assert table.rows[0][1].value == 90.0 and table.rows[0][4].text == "2"
    text = write_report([evaluation], tmp_path / "report.html", votes=paths).read_text()
    assert "What listeners said" in text

    other = json.loads(paths[0].read_text())
    paths[0].write_text(json.dumps({**other, "test": "0" * 16}))
    with pytest.raises(MismatchError, match="ann.json: votes of the test"):
        write_report([evaluation], tmp_path / "report.html", votes=paths)
    paths[0].write_text("{}")
    with pytest.raises(InputError, match="not votes"):
        write_report([evaluation], tmp_path / "report.html", votes=paths)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "expected"),
        (b"\xff\xfe", "save it as UTF-8"),
        ({"format": "else"}, "not votes of a midigroove listening test"),
        ({"version": 2}, "votes of version 2, not 1"),
        ({"version": "one"}, "version: expected int"),
        ({"ratings": []}, "has no ratings"),
        ({"ratings": [{"stimulus": "x", "score": 50}]}, "ratings.0: expected a stimulus"),
        ({"ratings": [{"stimulus": "KNOWN", "score": 101}]}, "ratings.0: expected a stimulus"),
        ({"ratings": [{"stimulus": "KNOWN", "score": "high"}]}, "ratings.0.score: expected float"),
        ({"ratings": [{"stimulus": "KNOWN"}]}, "ratings.0"),
        ({"ratings": [{"stimulus": "KNOWN", "score": 5}] * 2}, "ratings.1: that sound was scored"),
    ],
)
def test_damaged_votes_are_one_line(
    evaluation: Path, tmp_path: Path, change: object, message: str
) -> None:
    found = Evaluation.open(evaluation)
    _, kept = found.kept()
    assert kept is not None
    test = listening.test_id(found)
    known = listening.stimulus_id(test, kept.clips[0].index, "one")
    whole = {
        "format": listening.FORMAT, "version": listening.VERSION, "test": test,
        "listener": "Ann", "ratings": [{"stimulus": known, "score": 50}],
    }  # fmt: skip
    path = tmp_path / "votes.json"
    if isinstance(change, dict):
        change = json.dumps({**whole, **change}).replace("KNOWN", known)
    path.write_bytes(change if isinstance(change, bytes) else str(change).encode())
    with pytest.raises(InputError) as error:
        write_report([evaluation], tmp_path / "report.html", votes=[path])
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)
    assert message in str(error.value)
    assert not (tmp_path / "report.html").exists()


def test_the_command(evaluation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.html"
    export = ["--export", str(tmp_path / "paper"), "--latex"]
    assert run(["report", str(evaluation), "-o", str(out), *export]) == 0
    assert out.is_file() and (tmp_path / "paper" / "per_kit.tex").is_file()
    assert run(["report", str(evaluation), "-o", str(out), "--listening-test"]) == 0
    assert "Listening test" in out.read_text()
    assert run(["report", str(evaluation), "-o", str(out), "--latex"]) == 2
    assert run(["report", str(tmp_path), "-o", str(out)]) == 2
    assert "is no evaluation" in capsys.readouterr().err


LOAD_AUDIO = """
const audios = [...document.querySelectorAll("audio")];
await Promise.all(audios.map((audio) => audio.readyState >= 1 ? 0 : new Promise((done) => {
  audio.addEventListener("loadedmetadata", done, { once: true });
  audio.addEventListener("error", done, { once: true });
  audio.load();
})));
"""


@browser
def test_players_sorting_and_themes_in_a_browser(
    report: Path, evaluation: Path, tmp_path: Path
) -> None:
    script = (
        LOAD_AUDIO
        + """
const clip = document.querySelector(".clip");
const [first, second] = clip.querySelectorAll(".rows button");
const visible = () => [...clip.querySelectorAll(".stage img")]
  .filter((image) => image.offsetHeight > 0).map((image) => image.dataset.row);
const audio = (row) => clip.querySelector(`audio[data-row="${row}"]`);
const stage = clip.querySelector(".stage");
const found = { durations: audios.map((a) => [a.dataset.row, a.duration]), before: visible() };
stage.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
stage.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
found.sought = Number(stage.getAttribute("aria-valuenow"));
second.click();
found.after = visible();
found.position = audio(second.dataset.row).currentTime;
found.checked = [first, second].map((button) => button.getAttribute("aria-checked"));
stage.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
found.digit = visible();
found.figures = clip.querySelector(".figures").textContent;
clip.focus();  // as a click into its empty parts does
found.focus = document.activeElement === clip;
clip.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true }));
found.plays = !audio(first.dataset.row).paused;
clip.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true }));
found.stopped = audio(first.dataset.row).paused;
const table = document.querySelector("#summary_2");
const head = table.querySelectorAll("thead button")[2];
const column = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[2].dataset.v));
head.click();
found.up = column();
head.click();
found.down = column();
found.sort = head.parentNode.getAttribute("aria-sort");
const colour = () => getComputedStyle(document.body).backgroundColor;
const colours = [colour()];
document.getElementById("theme").click();
found.colours = [...colours, colour()];
found.widths = [document.documentElement.scrollWidth, window.innerWidth];
return found;
"""
    )
    result = in_browser(report, script, tmp_path, size="500,900")  # the width of a phone
    assert result["failures"] == []
    found = result["found"]
    index = json.loads((evaluation / "preds" / "preds.json").read_text())
    wanted = {round(clip["duration_sec"], 2) for clip in index["clips"]}
    assert len(found["durations"]) == 14
    assert all(min(abs(s - w) for w in wanted) < 0.02 for _, s in found["durations"])
    assert found["before"] == ["recording"] and found["after"] == ["oracle"]
    assert found["sought"] == 0.5
    assert found["position"] == pytest.approx(0.5, abs=0.02)
    assert found["checked"] == ["false", "true"] and found["digit"] == ["recording"]
    assert "Mel L1" in found["figures"]
    assert found["focus"] and found["plays"] and found["stopped"]
    assert found["up"] == sorted(found["up"]) and found["down"] == sorted(found["up"])[::-1]
    assert found["sort"] == "descending"
    assert found["colours"][0] != found["colours"][1]
    assert found["widths"][0] <= found["widths"][1]  # nothing sticks out


@browser
def test_the_listening_test_in_a_browser(evaluation: Path, tmp_path: Path) -> None:
    test = write_listening_test(evaluation, tmp_path / "test.html")
    script = """
const saved = [];
URL.createObjectURL = (blob) => { saved.push(blob); return "blob:x"; };
HTMLAnchorElement.prototype.click = function () {};
const find = (id) => document.getElementById(id);
const before = find("save").disabled;
const score = () => document.querySelectorAll("#stimuli input").forEach((slider, index) => {
  slider.value = 10 * index; slider.dispatchEvent(new Event("input"));
});
score(); find("next").click(); score();
find("listener").value = "Ann"; find("listener").dispatchEvent(new Event("input"));
const after = find("save").disabled;
find("save").click();
return { before, after, place: find("place").textContent, votes: await saved[0].text() };
"""
    result = in_browser(test, script, tmp_path)
    assert result["failures"] == []
    found = result["found"]
    assert found["before"] and not found["after"]
    assert found["place"] == "Clip 2 of 2, 10 of 10 sounds scored"
    votes = tmp_path / "votes.json"
    votes.write_text(found["votes"])
    (ballots,) = listening.read_votes([votes], [Evaluation.open(evaluation)]).values()
    assert ballots[0].listener == "Ann" and len(ballots[0].scores) == 10
