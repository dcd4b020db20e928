"""StemGMD: a tree in its layout, its takes, and their audio as the sum of the stems."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import save_audio
from midigroove_core.cli import run
from midigroove_core.datasets.verify import verify
from midigroove_core.errors import InputError
from midigroove_core.kits import sampler
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.midi import load_midi, save_midi
from midigroove_core.takes import Dataset, open_dataset
from midigroove_core.takes.reading import LoadedTake, Skip, TakeReader
from midigroove_core.takes.sound import duration_sec, load_stems, load_take
from midigroove_core.takes.stemgmd import STEMS

RATE = 44_100
SECONDS = 6.0
MIDI = "drummer1/eval_session/1_funk_94_beat_4-4.mid"
STEM_OF = {"kick": "kick", "snare": "snare", "toms": "mid_tom", "hats": "hihat_closed"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six seconds on two kits, nine stems each; one kit's files lack the kit's name."""
    groove = next(i.path for i in builtin_grooves() if i.name.startswith("drummer8_s1_14"))
    performance = load_midi(groove).slice(0.0, SECONDS - 1.0)
    (tmp_path / MIDI).parent.mkdir(parents=True)
    save_midi(performance, tmp_path / MIDI)
    for kit, sound, ending in (("bluebird", "jazz", "_bluebird"), ("roots", "tr808", "")):
        blocks = sampler.render_blocks(
            performance, load_kit(sound), round(SECONDS * RATE), stems=True
        )
        rows = dict(zip(sampler.STEMS, np.concatenate(list(blocks), axis=1), strict=True))
        rows = {STEM_OF.get(name, "ride"): audio for name, audio in rows.items()}
        for stem in STEMS:
            audio = rows.get(stem, np.zeros(round(SECONDS * RATE), np.float32))
            folder = tmp_path / Path(MIDI).parent / kit / stem
            save_audio(folder / f"{Path(MIDI).stem}{ending}.wav", np.stack([audio, audio]), RATE)
    row = {
        "drummer": "drummer1", "session": "drummer1/eval_session", "id": "drummer1/eval_session/1",
        "style": "funk", "bpm": "94", "beat_type": "beat", "time_signature": "4-4",
        "midi_filename": MIDI, "audio_filename": MIDI.replace(".mid", ".wav"),
        "duration": str(SECONDS), "split": "test",
    }  # fmt: skip
    absent = {**row, "id": "other", "midi_filename": "drummer1/session1/2_funk.mid"}
    with open(tmp_path / "info.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, row)
        writer.writeheader()
        writer.writerows([row, absent])
    return tmp_path


@pytest.fixture
def dataset(root: Path) -> Dataset:
    return open_dataset(root)


def test_a_take_for_each_kit_of_what_is_there(dataset: Dataset) -> None:
    assert [take.kit for take in dataset.takes] == ["bluebird", "roots"]
    for take in dataset.takes:
        assert take.performance_key == "drummer1/eval_session/1" and take.midi_path == MIDI
        assert [name for name, _ in take.stems] == sorted(STEMS)
        assert (take.split, take.style, take.bpm) == ("test", "funk", 94.0)
    assert dataset.takes[0].key.endswith("bluebird/mixture/1_funk_94_beat_4-4_bluebird.wav")
    assert len({take.key for take in dataset.takes}) == 2


def test_the_audio_is_the_sum_of_the_stems(dataset: Dataset) -> None:
    take = dataset.takes[0]
    stems = load_stems(dataset, take, RATE, 2)
    assert set(stems) == set(STEMS) and np.any(stems["kick"]) and not np.any(stems["crash_left"])
    whole = load_take(dataset, take, RATE, 2)
    np.testing.assert_allclose(whole, np.sum(list(stems.values()), axis=0), atol=1e-6)
    assert duration_sec(dataset, take) == pytest.approx(SECONDS)


def test_a_mixture_that_is_there_is_the_take(dataset: Dataset) -> None:
    take = dataset.takes[0]
    half = 0.5 * load_take(dataset, take, RATE, 1)
    save_audio(dataset.audio_path(take), half, RATE)
    np.testing.assert_allclose(load_take(dataset, take, RATE, 1), half, atol=1e-4)
    again = open_dataset(dataset.root)
    assert [t.key for t in again.takes] == [t.key for t in dataset.takes]


def test_takes_are_read_and_verified_and_a_missing_stem_is_named(dataset: Dataset) -> None:
    reader = TakeReader(dataset, 32_000, 1)
    assert isinstance(reader.read(dataset.takes[1]), LoadedTake)
    assert verify(dataset, workers=1).findings == []
    (dataset.root / dict(dataset.takes[1].stems)["snare"]).unlink()
    skip = reader.read(dataset.takes[1])
    stem = dict(dataset.takes[1].stems)["snare"]
    assert isinstance(skip, Skip) and skip.detail == f"{stem}: no such file"
    found = verify(dataset, workers=1).findings
    assert [(f.kind, f.detail) for f in found] == [("missing_audio", f"no file {stem}")]


def test_a_tree_without_stems_gets_one_line(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "info.csv").write_bytes((root / "info.csv").read_bytes())
    with pytest.raises(InputError, match="none of the performances .* has stems such as"):
        open_dataset(tmp_path / "empty", kind="stemgmd")
    (tmp_path / "empty" / "info.csv").unlink()
    with pytest.raises(InputError, match=r"no info.csv there"):
        open_dataset(tmp_path / "empty", kind="stemgmd")


def test_the_command_line_counts_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "stats", str(root), "--kind", "stemgmd"]) == 0
    assert "bluebird" in capsys.readouterr().out
