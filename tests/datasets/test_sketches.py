"""Takes as a kit that is cut from another take plays them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import audio_info, load_mono, save_audio
from midigroove_core.cli import run
from midigroove_core.datasets.sketches import sketch
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.kits import sampler
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi
from midigroove_core.takes import Dataset, open_dataset

RATE = 44_100


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two performances on one kit."""
    root = tmp_path_factory.mktemp("takes")
    for info in [one for one in builtin_grooves() if one.split == "validation"][:2]:
        performance = load_midi(info.path).slice(0.0, 8.0)
        audio = sampler.render(performance, load_kit("tr808"), num_samples=8 * RATE)
        save_audio(root / f"{info.name}.wav", audio, RATE)
        (root / f"{info.name}.mid").write_bytes(info.path.read_bytes())
    found = open_dataset(root)
    found.takes = [take.__class__(**{**vars_of(take), "split": "train"}) for take in found.takes]
    return found


def vars_of(take: object) -> dict[str, object]:
    return {name: getattr(take, name) for name in take.__dataclass_fields__}  # type: ignore[attr-defined]


def test_a_sketch_is_a_take_of_the_same_key_length_and_kit(
    dataset: Dataset, tmp_path: Path
) -> None:
    made = sketch(dataset, tmp_path / "out", heard=0.0, workers=1)
    assert (made.written, made.skipped) == (2, {})
    found = open_dataset(tmp_path / "out")
    assert {t.key for t in found.takes} == {t.key for t in dataset.takes}
    for take in found.takes:
        true, drawn = dataset.root / take.audio_path, found.audio_path(take)
        assert audio_info(drawn).num_samples == audio_info(true).num_samples
        truth = load_mono(true, RATE)
        near = mel_l1(truth, load_mono(drawn, RATE), RATE)
        performance = load_midi(found.midi_path(take))
        other = sampler.render(performance, load_kit("jazz"), num_samples=len(truth))
        assert near < mel_l1(truth, other, RATE)


def test_it_goes_on_and_ends_with_the_same_bytes(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sketch(dataset, out, heard=0.5, workers=1)
    key = dataset.takes[0].key
    whole = (out / key).read_bytes()
    (out / key).unlink()
    made = sketch(dataset, out, heard=0.5, workers=1)
    assert (made.written, made.kept) == (1, 1)
    assert (out / key).read_bytes() == whole
    with pytest.raises(MismatchError, match="another dataset or setting"):
        sketch(dataset, out, heard=0.1, workers=1)


def test_what_cannot_be_sketched(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = Dataset("alone", dataset.root, dataset.takes[:1])
    with pytest.raises(InputError, match="no kit plays two"):
        sketch(alone, tmp_path / "out")
    with pytest.raises(InputError, match="lies in the dataset's folder"):
        sketch(dataset, dataset.root / "out")
    root = tmp_path / "silent"
    for take in dataset.takes:
        info = audio_info(dataset.audio_path(take))
        save_audio(root / take.audio_path, np.zeros(info.num_samples, np.float32), RATE)
        (root / take.midi_path).write_bytes(dataset.midi_path(take).read_bytes())
    silent = Dataset("silent", root, dataset.takes)
    with pytest.raises(InputError, match="nothing is heard where the MIDI has hits"):
        sketch(silent, tmp_path / "none", heard=0.0, workers=1)
    assert run(["data", "sketch", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 2
    assert "nowhere" in capsys.readouterr().err
