"""Set distances of folders and evaluations, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.evaluation_files import write_evaluation
from support.synthetic_drums import SAMPLE_RATE, groove, play

from midigroove_core.audio import save_audio
from midigroove_core.cli import run
from midigroove_core.errors import InputError
from midigroove_core.evaluation.distances import measure_distances

KITS = {"real": "wood", "same": "wood", "other": "metal"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("folders")
    for place, (name, kit) in enumerate(KITS.items()):
        for seed in range(5):
            audio = play(groove(10 * place + seed), 4.0, kit, seed)
            save_audio(root / name / f"{seed}.wav", audio, SAMPLE_RATE)
    for path in sorted((root / "same").iterdir()):
        audio = play(groove(10 + int(path.stem)), 4.0, "wood", int(path.stem))
        save_audio(root / "quiet" / path.name, np.float32(0.2) * audio, SAMPLE_RATE)
    return root


def test_the_folder_of_the_same_kit_is_nearer(folders: Path) -> None:
    found = measure_distances(folders / "real", [folders / "same", folders / "other"], clip_sec=2.0)
    same, other = found.lines
    assert (same.row, other.row) == ("same", "other") and found.embedding == "log_mel"
    assert same.kernel_audio_distance < other.kernel_audio_distance
    assert same.frechet_distance < other.frechet_distance and same.coverage > other.coverage
    (floor,) = found.floors
    assert floor.kernel_audio_distance < other.kernel_audio_distance
    # 30 vectors in 360 dimensions: nothing to extrapolate from.
    assert same.embeddings == 30 and same.frechet_distance_infinity is None
    again = measure_distances(folders / "real", [folders / "same", folders / "other"], clip_sec=2.0)
    assert again == found


def test_pieces_are_as_loud_as_each_other(folders: Path) -> None:
    places = [folders / "same", folders / "quiet"]
    loud, quiet = measure_distances(folders / "real", places).lines
    assert quiet.kernel_audio_distance == pytest.approx(loud.kernel_audio_distance, abs=0.2)


def test_an_evaluation_is_a_set_per_row(folders: Path, tmp_path: Path) -> None:
    evaluation = write_evaluation(tmp_path / "eval", {"one": 0.5})
    clips = []
    for seed in range(4):
        rows = {}
        for row, kit in (("one", "metal"), ("recording", "wood")):
            audio = play(groove(seed), 4.0, kit, seed)
            save_audio(evaluation / f"preds/{seed}/{row}.wav", 0.5 * audio, SAMPLE_RATE)
            rows[row] = {"file": f"{seed}/{row}.wav", "gain": 0.5}
        clips.append(
            {
                "index": seed, "clip": f"t@{seed}", "kit": "", "drummer": "", "style": "",
                "bpm": 120.0, "start_sec": 0.0, "duration_sec": 4.0, "beats_sec": [], "hits": [],
                "rows": rows,
            }
        )  # fmt: skip
    index = {"sample_rate": SAMPLE_RATE, "clips": clips}
    (evaluation / "preds/preds.json").write_text(json.dumps(index))
    rows = measure_distances(folders / "real", [evaluation]).lines
    assert [line.row for line in rows] == ["one", "recording"]
    assert rows[1].kernel_audio_distance < rows[0].kernel_audio_distance
    (line,) = measure_distances(evaluation, [folders / "other"]).lines
    assert line.row == "other" and line.kernel_audio_distance > 0


def test_what_is_no_set_is_named(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: has no audio"):
        measure_distances(folders / "real", [tmp_path / "empty"])
    with pytest.raises(InputError, match="no such folder"):
        measure_distances(tmp_path / "gone", [folders / "same"])
    save_audio(tmp_path / "short/a.wav", play(groove(0), 4.0, "wood", 0), SAMPLE_RATE)
    with pytest.raises(InputError, match=r"short: 7 vectors say nothing, 10 are the least"):
        measure_distances(folders / "real", [tmp_path / "short"], clip_sec=0)
    with pytest.raises(InputError, match="`clip_sec` is -1"):
        measure_distances(folders / "real", [folders / "same"], clip_sec=-1)
    evaluation = write_evaluation(tmp_path / "eval", {"one": 0.5})
    with pytest.raises(InputError, match="no audio was kept"):
        measure_distances(evaluation, [folders / "same"])


def test_from_the_command_line(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["distances", str(folders / "real"), str(folders / "same"), str(folders / "other")]
    assert run(arguments) == 0
    told = capsys.readouterr()
    assert "floor" in told.out and "Coverage" in told.out and "not extrapolated: 35" in told.err
    assert run([*arguments, "--json", "--clip-sec", "0"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [line["row"] for line in found["lines"]] == ["same", "other"]
