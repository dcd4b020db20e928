"""Audio from elsewhere is judged beside every reference row, with or without a checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.toy_systems import make_toy_dataset, save_toy_checkpoint

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.cache.build import build_cache
from midigroove_core.cli import run
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.evaluation import AudioSpec, SystemSpec, evaluate
from midigroove_core.evaluation.base.config import read_systems_file
from midigroove_core.evaluation.base.takes import DatasetTakes
from midigroove_core.evaluation.rows.audio_folder import AudioFolder
from midigroove_core.report import write_report
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.scorecard import Scorecard
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec

pytestmark = pytest.mark.usefixtures("toy_plugin")


@pytest.fixture(scope="module")
def workbench(toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, and folders with its audio as it is and 90 ms late."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("folders")
    data = make_toy_dataset(root / "data", train=1, test=2, end_sec=4.0)
    build_cache(open_dataset(data), ToyCodec(), root / "cache", device="cpu")
    save_toy_checkpoint(root / "one.safetensors")
    for path in sorted(data.rglob("*.wav")):
        place = path.relative_to(data)
        audio, rate = load_audio(path)
        for name in ("same", "late"):
            (root / name / place).parent.mkdir(parents=True, exist_ok=True)
        save_audio(root / "same" / place, audio, rate)
        late = np.pad(audio, ((0, 0), (rate * 9 // 100, 0)))[:, : audio.shape[1]]
        save_audio(root / "late" / place.with_suffix(".flac"), late, rate)
    return root


def figures(result: Scorecard) -> dict[str, dict[str, float | None]]:
    return {
        row.row: {name: figure.mean for name, figure in row.figures.items()}
        for row in result.table()
    }


OPTIONS = {"embedding": "", "device": "cpu", "save_preds": 1}


def test_no_checkpoint_and_no_codec_are_needed(workbench: Path, tmp_path: Path) -> None:
    audio = [f"same:{workbench / 'same'}", f"late:{workbench / 'late'}"]
    result = evaluate([], tmp_path / "out", audio=audio, dataset=workbench / "data", **OPTIONS)
    found = figures(result)
    assert list(found) == ["silence", "sampler", "same", "late", "recording"]
    assert found["same"]["rmse"] == pytest.approx(0.0, abs=1e-6)
    assert found["same"]["onset_f1_50ms"] == found["recording"]["onset_f1_50ms"]
    assert found["late"]["onset_f1_50ms"] < found["same"]["onset_f1_50ms"] - 0.3
    verdicts = {line.metric: line.found.verdict for line in result.summary.differences}
    assert verdicts["reference_onset_f1_50ms"] == "first"
    assert found["same"]["reference_onset_f1_50ms"] == 1.0
    assert found["late"]["reference_onset_f1_50ms"] < 0.8
    manifest = Evaluation.open(tmp_path / "out").manifest
    assert [(x.name, x.folder, x.files) for x in manifest.folders] == [
        ("same", "same", 4), ("late", "late", 4),
    ]  # fmt: skip
    assert manifest.sample_rate == 44100 and str(workbench) not in str(manifest)
    assert "late" in write_report([tmp_path / "out"], tmp_path / "report.html").read_text()


def test_beside_a_system_and_beside_a_codec(workbench: Path, tmp_path: Path) -> None:
    audio = [AudioSpec("same", workbench / "same")]
    system = SystemSpec("one", workbench / "one.safetensors", workbench / "cache", "toy")
    both = evaluate(
        [system], tmp_path / "both", audio=audio, dataset=workbench / "data", long_items=0,
        **OPTIONS,
    )  # fmt: skip
    assert list(figures(both)) == [
        "silence", "random", "unigram", "nearest", "sampler", "one", "same", "oracle", "recording",
    ]  # fmt: skip
    assert not [d for d in both.summary.disorder if d.but == "same" and d.better == "oracle"]
    codec = evaluate(
        [], tmp_path / "codec", audio=audio, caches=[workbench / "cache"],
        dataset=workbench / "data", **OPTIONS,
    )  # fmt: skip
    assert "oracle" in figures(codec) and "one" not in figures(codec)
    assert Evaluation.open(tmp_path / "codec").manifest.caches[0].codec.codec_id == "toy"
    bare = evaluate([], tmp_path / "bare", audio=audio, dataset=workbench / "data", **OPTIONS)
    first, second = (x.summary.clips for x in (both, bare))
    assert first == second  # the clips are the dataset's, whatever the codec
    prints = [Evaluation.open(tmp_path / n).manifest.clips.fingerprint for n in ("both", "bare")]
    assert prints[0] == prints[1]


def test_files_are_matched_by_path_then_stem_or_by_a_csv(workbench: Path, tmp_path: Path) -> None:
    takes = DatasetTakes(open_dataset(workbench / "data")).split("test")
    assert set(AudioFolder(AudioSpec("a", workbench / "same"), takes).files) == {
        take.key for take in takes
    }
    flat = tmp_path / "flat"
    flat.mkdir()
    save_audio(flat / "1.wav", np.zeros((1, 100), np.float32), 8000)
    with pytest.raises(InputError, match="has no audio of any of the 4 judged takes"):
        AudioFolder(AudioSpec("a", flat), takes)  # two takes have that stem, on two kits
    jazz = [take for take in takes if take.kit == "jazz"]
    assert set(AudioFolder(AudioSpec("a", flat), jazz).files) == {"jazz/1.wav"}
    shutil.copy(flat / "1.wav", flat / "1.flac")
    with pytest.raises(InputError, match="may be 1.flac and 1.wav"):
        AudioFolder(AudioSpec("a", flat), jazz)
    (tmp_path / "table.csv").write_text("take,file\njazz/1.wav,flat/1.wav\n")
    found = AudioFolder(AudioSpec("a", tmp_path / "table.csv"), takes)
    assert found.files == {"jazz/1.wav": tmp_path / "flat/1.wav"}
    (tmp_path / "table.csv").write_text("name,file\na,b\n")
    with pytest.raises(InputError, match="has no column 'take'"):
        AudioFolder(AudioSpec("a", tmp_path / "table.csv"), takes)
    with pytest.raises(InputError, match="no such folder"):
        AudioFolder(AudioSpec("a", tmp_path / "nowhere"), takes)


def test_what_is_missing_costs_its_own_clips(workbench: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    shutil.copytree(workbench / "same", part)
    (part / "jazz" / "1.wav").unlink()
    (part / "jazz" / "2.wav").write_bytes(b"no audio")
    save_audio(part / "power" / "1.wav", np.zeros((1, 10), np.float32), 8000)
    audio = [f"part:{part}", f"same:{workbench / 'same'}"]
    kept = {"audio": audio, "dataset": workbench / "data", **OPTIONS}
    result = evaluate([], tmp_path / "out", **kept)
    assert set(result.summary.skipped) >= {"audio missing", "audio too short"}
    assert result.summary.row("same").skipped == 0
    assert result.summary.row("part").clips < result.summary.row("same").clips
    together = evaluate([], tmp_path / "both", intersection=True, **kept)
    assert together.summary.takes == 3


def test_the_command(workbench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    command = ["eval", "--dataset", str(workbench / "data"), "--embedding", "none", "--device",
               "cpu", "--out", out]  # fmt: skip
    assert run(command) == 2
    assert "name a --system" in capsys.readouterr().err
    assert run([*command, "--audio", f"same:{workbench / 'same'}"]) == 0
    shutil.copytree(out, tmp_path / "again")
    assert run(["compare", out, str(tmp_path / "again")]) == 0
    assert run([*command, "--audio", "nothing"]) == 2
    assert "write NAME:FOLDER" in capsys.readouterr().err


def test_a_file_of_systems(workbench: Path, tmp_path: Path) -> None:
    path = tmp_path / "systems.txt"
    path.write_text("# mine\none:a.safetensors:cache/a\n\ntwo:b.safetensors:cache/b:dac  # late\n")
    assert read_systems_file(path) == [
        SystemSpec("one", Path("a.safetensors"), Path("cache/a")),
        SystemSpec("two", Path("b.safetensors"), Path("cache/b"), "dac"),
    ]
    path.write_text("one:a\n")
    with pytest.raises(InputError, match="systems.txt: line 1: system 'one:a': write NAME"):
        read_systems_file(path)
    path.write_text("\n")
    with pytest.raises(InputError, match="names no system"):
        read_systems_file(path)


def test_the_fourth_field_is_checked(workbench: Path, tmp_path: Path) -> None:
    text = f"one:{workbench}/one.safetensors:{workbench}/cache:groove"
    with pytest.raises(MismatchError, match="holds codes of toy, not of groove"):
        evaluate([text], tmp_path / "out", dataset=workbench / "data", **OPTIONS)
