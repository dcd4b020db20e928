"""Codecs without a model: oracle rows of any rates in one table, by bit rate, with their speed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from support.toy_systems import make_toy_dataset

from midigroove_core.cli import run
from midigroove_core.errors import InputError, PluginError
from midigroove_core.evaluation.codecs import CodecSpec, evaluate_codecs
from midigroove_core.report import write_report
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.scorecard import Scorecard

pytestmark = pytest.mark.usefixtures("toy_plugin")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_toy_dataset(tmp_path_factory.mktemp("codecs") / "data", train=1, test=1)


@pytest.fixture(scope="module")
def judged(
    data: Path, toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Scorecard]:
    """The shipped codec at two rates beside the toy, which has another sample rate."""
    out = tmp_path_factory.mktemp("judged") / "eval"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDIGROOVE_LOAD_PLUGINS", toy_plugin_name)
        codecs = ["toy", "groove", "groove:num_codebooks=2"]
        options = {
            "embedding": "",
            "knee_items": 2,
            "device": "cpu",
            "save_preds": 1,
            "memory": False,
        }
        return out, evaluate_codecs(codecs, out, dataset=data, **options)


def test_a_row_per_codec_and_the_better_one_is_better(judged: tuple[Path, Scorecard]) -> None:
    rows = {row.row: row for row in judged[1].table()}
    assert set(rows) == {
        "silence", "oracle-toy", "oracle-groove", "oracle-groove-num_codebooks=2", "recording",
    }  # fmt: skip
    full, less = rows["oracle-groove"], rows["oracle-groove-num_codebooks=2"]
    assert full.mean("mel_l1") < less.mean("mel_l1") < rows["silence"].mean("mel_l1")


def test_rates_and_speed_are_told(judged: tuple[Path, Scorecard]) -> None:
    out, result = judged
    lines = {line.oracle: line for line in result.summary.audio.codecs}
    assert lines["oracle-groove"].bits_per_second == 5000
    assert lines["oracle-groove-num_codebooks=2"].bits_per_second == 1250
    knee = [line for line in result.summary.audio.knee if line.oracle == "oracle-groove"]
    assert [line.levels for line in knee] == list(range(1, 9))
    assert [line.bits_per_second for line in knee] == [625.0 * n for n in range(1, 9)]
    assert knee[-1].metrics["mel_l1"] < knee[0].metrics["mel_l1"]
    assert [line.cache for line in result.cost.encoding] == [
        "toy", "groove", "groove-num_codebooks=2",
    ]  # fmt: skip
    assert all(line.real_time_factor > 0 for line in result.cost.encoding)
    table = list(csv.DictReader((out / "codecs.csv").read_text().splitlines()))
    assert [line["codec"] for line in table] == ["toy", "groove_32khz", "groove_32khz"]


def test_the_report_shows_them(judged: tuple[Path, Scorecard], tmp_path: Path) -> None:
    text = write_report([judged[0]], tmp_path / "report.html").read_text()
    assert "What each codec loses, and what it takes" in text and "By bit rate: Mel L1" in text
    assert "Is the difference real?" not in text  # no systems, no differences


def test_codes_are_kept_and_the_manifest_names_the_codecs(
    judged: tuple[Path, Scorecard], data: Path
) -> None:
    out, _ = judged
    found = Evaluation.open(out).manifest
    assert [facts.codec.codec_id for facts in found.caches] == ["toy"] + ["groove_32khz"] * 2
    assert found.sample_rate == 32000 and found.systems == ()
    again = evaluate_codecs(
        ["toy"], out.with_name("again"), dataset=data, caches=out.with_name("eval-caches"),
        embedding="", knee_items=0, device="cpu", memory=True,
    )  # fmt: skip
    assert again.cost.encoding[0].encode_sec is None  # nothing was encoded again
    assert 0 <= again.cost.encoding[0].memory_mib < 500
    decoded = next(line for line in again.cost.rows if line.row == "oracle")
    assert 0 < decoded.sec_per_clip < 10
    times = Evaluation.open(out.with_name("again")).columns("times.csv")
    of_oracle = times["row"] == "oracle"
    made = times["predict_sec"] + times["decode_sec"]
    assert made[of_oracle].mean() == pytest.approx(decoded.sec_per_clip, rel=1e-3)
    assert [row.row for row in again.table()] == ["silence", "oracle", "recording"]


def test_the_command_and_what_it_refuses(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["codec-eval", "--dataset", str(data), "--out", str(tmp_path / "out"), "--device",
               "cpu", "--embedding", "none", "--no-memory", "--codec"]  # fmt: skip
    assert run([*command, "toy"]) == 0
    assert "What each codec loses" in capsys.readouterr().out
    assert run([*command, "toy", "--codec", "toy"]) == 2
    assert "a --codec is named twice" in capsys.readouterr().err
    assert run([*command, "nothing"]) == 2
    with pytest.raises(InputError, match="write CODEC or CODEC:NAME=VALUE"):
        CodecSpec.parse("dac:44khz")
    assert CodecSpec.parse("encodec:bandwidth=6").folder == "encodec-bandwidth=6"
    with pytest.raises(PluginError, match="nothing"):
        evaluate_codecs(["toy", "nothing"], tmp_path / "none", dataset=data)
    assert not (tmp_path / "none-caches").exists()  # before anything is encoded
