"""`midigroove data`: exit codes, tables, JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import save_audio
from midigroove_core.cli import run

GROOVE = Path(__file__).parents[1] / "data" / "groove"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset that `data synth` made from one short performance and one kit of one-shots."""
    tmp_path = tmp_path_factory.mktemp("data")
    source = next(GROOVE.rglob("27_rock_90*.mid"))
    (tmp_path / "midi").mkdir()
    shutil.copy(source, tmp_path / "midi" / "groove.mid")
    shots = tmp_path / "shots"
    shots.mkdir()
    t = np.arange(6000) / 44100
    rng = np.random.default_rng(0)
    for drum in ("kick", "snare", "hat_closed", "hat_open", "tom_low", "crash_1", "ride"):
        shot = 0.3 * np.exp(-40 * t) * rng.normal(size=len(t)).clip(-1, 1)
        save_audio(shots / f"{drum}.wav", shot.astype(np.float32), 44100)
    (tmp_path / "kits.toml").write_text('[[kit]]\nname = "Noise"\noneshots = "shots"\n')
    assert run(synth_command(tmp_path)) == 0
    return tmp_path / "out"


def synth_command(folder: Path) -> list[str]:
    command = ["data", "synth", "--midi", "midi", "--kits", "kits.toml", "--out", "out"]
    paths = [str(folder / a) if a in ("midi", "kits.toml", "out") else a for a in command]
    return [*paths, "--json", "--workers", "1"]


def test_synth_again_keeps_what_is_there(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(synth_command(made.parent)) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["written"], facts["kept"], facts["skipped"]) == (0, 1, {})


def test_verify_exits_with_1_on_findings_only(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, data = tmp_path / "report.json", tmp_path / "data"
    shutil.copytree(made, data)
    command = ["data", "verify", str(data), "--report", str(report), "--workers", "1"]
    assert run(command) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    wav = next(data.rglob("*.wav"))
    wav.write_bytes(wav.read_bytes()[:5000])
    assert run(command) == 1
    assert "unreadable_audio" in capsys.readouterr().out
    assert json.loads(report.read_text())["counts"] == {"unreadable_audio": 1}
    assert run([*command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["takes"] == 1


def test_stats_prints_tables_or_json(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "stats", str(made), "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "By kit" in out and "Noise" in out and "snare" in out
    assert run(["data", "stats", str(made), "--kit", "noise", "--json", "--workers", "1"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["total"]["takes"] == 1
    assert facts["total"]["hits"] == 51


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stats", "OUT", "--kind", "wav"], "--kind: 'wav' is not one of auto, egmd"),
        (["stats", "OUT", "--midi", "best"], "--midi: 'best' is not one of canonical, kit"),
        (["stats", "OUT", "--split-mode", "x"], "--split-mode: 'x' is not one of published"),
        (["stats", "OUT", "--style", "polka"], "no style 'polka' in the dataset; it has unknown"),
        (["verify", "OUT/none"], "no such dataset folder or csv"),
        (["synth", "--midi", "OUT", "--out", "OUT", "--kits", "banjo"], "no kit 'banjo'"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    made: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [argument.replace("OUT", str(made)) for argument in arguments]
    assert run(["data", *given]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
