"""MIDI to audio: exact lengths, kits by name, no clipping, the same result for the same seed."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.toy_systems import KITS, TOY_PLUGIN, performance, save_toy_checkpoint

from midigroove_core.audio import audio_info
from midigroove_core.checkpoint import load_checkpoint
from midigroove_core.coding.decode import CHUNK_SEC, decode_whole
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits.remap import remap
from midigroove_core.midi import save_midi
from midigroove_core.progress import Silent
from midigroove_core.registry import Registry
from midigroove_core.rendering import files, render
from midigroove_core.rendering.model_engine import ModelEngine
from midigroove_core.rendering.render import RenderConfig
from midigroove_core.testing import ToyCodec


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def checkpoint(tmp_path: Path, install_plugin: Callable[..., None]) -> Path:
    install_plugin("toy-plugin", TOY_PLUGIN)
    return save_toy_checkpoint(tmp_path / "toy.safetensors")


@pytest.mark.parametrize("end_sec", [0.3, 3.98765, 6.0, 21.7])
@pytest.mark.parametrize("sample_rate", [None, 16000, 44100])
def test_exact_sample_count(checkpoint: Path, end_sec: float, sample_rate: int | None) -> None:
    config = RenderConfig(checkpoint=checkpoint, tail_sec=0.777, sample_rate=sample_rate)
    rendered = render.from_performance(performance(end_sec=end_sec), config)
    rate = sample_rate or 16000
    assert rendered.sample_rate == rate
    assert rendered.audio.shape[1] == math.ceil((end_sec + 0.777) * rate - 1e-6)
    assert rendered.audio.dtype == np.float32


def test_same_seed_same_audio(checkpoint: Path) -> None:
    config = RenderConfig(checkpoint=checkpoint)
    once = render.from_performance(performance(end_sec=20.0), config)
    again = render.from_performance(performance(end_sec=20.0), config)
    other = render.from_performance(performance(end_sec=20.0), replace(config, seed=1))
    assert np.array_equal(once.audio, again.audio)
    assert not np.array_equal(once.codes, other.codes)


def test_an_engine_of_loaded_parts_plays_as_one_that_loads(checkpoint: Path) -> None:
    config = RenderConfig(checkpoint=checkpoint, kit="Rock")
    registry = Registry()
    loaded = load_checkpoint(checkpoint, registry=registry)
    engine = ModelEngine(config, loaded, loaded.build_codec(registry), Silent())
    played = render.from_performance(performance(end_sec=9.0), config, engine=engine)
    whole = render.from_performance(performance(end_sec=9.0), config)
    assert np.array_equal(played.audio, whole.audio) and played.joins_sec == whole.joins_sec
    assert [window.keep_start for window in engine.windows(9.0)[1:]] == [
        round(join * 62.5) for join in whole.joins_sec
    ]


def test_batches_of_windows_do_not_repeat_their_luck(checkpoint: Path) -> None:
    config = RenderConfig(checkpoint=checkpoint, window_sec=1.0, overlap_sec=0.0)
    silent = replace(performance(), onset_sec=np.zeros(0), duration_sec=np.zeros(0),
                     pitch=np.zeros(0, int), velocity=np.zeros(0, int), end_sec=30.0)  # fmt: skip
    codes = render.from_performance(silent, config).codes
    frames = round(8 * 62.5)  # eight windows of a second are a batch
    assert not np.array_equal(codes[:, :frames], codes[:, frames : 2 * frames])


def test_joins_are_reported_inside_the_audio(checkpoint: Path) -> None:
    config = RenderConfig(checkpoint=checkpoint, window_sec=2.0)
    rendered = render.from_performance(performance(end_sec=9.0), config)
    assert rendered.joins_sec[0] == pytest.approx(1.75, abs=0.02)
    assert len(rendered.joins_sec) == 6
    assert max(rendered.joins_sec) < rendered.duration_sec


def test_kit_by_name_in_any_case(checkpoint: Path) -> None:
    engine = render.open_engine(RenderConfig(checkpoint=checkpoint, kit="jAZZ"))
    assert engine.kit == "Jazz"


def test_the_first_kit_when_none_is_named(checkpoint: Path) -> None:
    notes = Notes()
    engine = render.open_engine(RenderConfig(checkpoint=checkpoint), notes)
    assert engine.kit == KITS[0]
    assert notes.lines == ["kit: Brushes (others: Jazz, Rock)"]
    unknown = render.open_engine(RenderConfig(checkpoint=checkpoint, kit="unknown"))
    assert unknown.kit == "unknown"


def test_an_unknown_kit_lists_the_kits(checkpoint: Path) -> None:
    with pytest.raises(InputError, match="no kit 'Polka'.*Brushes, Jazz, Rock"):
        render.open_engine(RenderConfig(checkpoint=checkpoint, kit="Polka"))
    with pytest.raises(InputError, match="no kit 'random_0007'.*`engine` sampler plays it"):
        render.open_engine(RenderConfig(checkpoint=checkpoint, kit="random_0007"))


@pytest.mark.parametrize("names", ["jazz,rock", "*", "?azz*,rock"])
def test_more_than_one_kit_is_not_taken_for_the_first(checkpoint: Path, names: str) -> None:
    with pytest.raises(InputError, match=r"kit .* (name one|knows)"):
        render.open_engine(RenderConfig(checkpoint=checkpoint, kit=names))


def test_kits_sound_different(checkpoint: Path) -> None:
    codes = [
        render.from_performance(performance(), RenderConfig(checkpoint=checkpoint, kit=kit)).codes
        for kit in ("Jazz", "Rock")
    ]
    assert not np.array_equal(*codes)


def test_without_a_model_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("midigroove_core.checkpoint.shipped.resources.files", lambda name: tmp_path)
    with pytest.raises(InputError, match="`checkpoint`"):
        render.open_engine(RenderConfig())


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_files(checkpoint: Path, tmp_path: Path, suffix: str) -> None:
    midi, audio = tmp_path / "groove.mid", tmp_path / f"groove{suffix}"
    save_midi(performance(), midi)
    rendered = render.from_file_to_file(midi, audio, RenderConfig(checkpoint=checkpoint))
    info = audio_info(audio)
    assert (info.sample_rate, info.channels) == (16000, 1)
    assert info.num_samples == rendered.audio.shape[1]


def test_another_suffix_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out\.mp3.*\.wav, \.flac, \.ogg"):
        render.from_file_to_file(tmp_path / "missing.mid", tmp_path / "out.mp3")


def test_a_bad_file_among_many_costs_the_others_nothing(checkpoint: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.mid", tmp_path / "bad.mid"
    save_midi(performance(), good)
    bad.write_text("not MIDI")
    pairs = [(bad, tmp_path / "bad.wav"), (good, tmp_path / "good.wav")]
    results = files.from_files_to_files(pairs, RenderConfig(checkpoint=checkpoint))
    assert "bad.mid" in results[0].error and results[1].error is None
    assert results[1].duration_sec == 8.0 and results[1].kit == "Brushes"
    assert (tmp_path / "good.wav").is_file() and not (tmp_path / "bad.wav").exists()


def test_the_command(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from midigroove_core.cli import run

    midi, audio = tmp_path / "groove.mid", tmp_path / "groove.flac"
    save_midi(performance(), midi)
    options = ["--checkpoint", str(checkpoint), "--kit", "rock", "--tail", "1", "--json"]
    assert run(["render", str(midi), "-o", str(audio), *options]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["duration_sec"] == 7.0 and result["kit"] == "Rock" and result["error"] is None
    assert audio_info(audio).num_samples == 7 * 16000
    assert run(["render", str(midi), "-o", str(audio), *options]) == 2
    assert "groove.flac is there already; --overwrite" in capsys.readouterr().err
    midi.write_text("not MIDI")
    assert run(["render", str(midi), "-o", str(audio), "--overwrite", *options]) == 2
    assert "groove.mid" in capsys.readouterr().err


def test_remap_by_meaning() -> None:
    gm, roland = load_drum_map("gm"), load_drum_map("roland_td")
    events = performance(4)
    events = replace(events, pitch=np.array([40, 55, 39, 36]))
    moved, found = remap(events, gm, roland)
    assert list(moved.pitch) == [38, 49, 39, 36]
    assert found.line("the model") == "the model: 1 splash_china played as crash_1"
    assert remap(replace(events, pitch=np.array([40, 81, 39, 36])), gm, roland)[0].num_hits == 3
    # 40 is the rim on a Roland module and a second snare in General MIDI.
    assert [roland.articulation(40), gm.articulation(40)] == ["rimshot", "snare"]
    assert list(remap(events, roland, gm)[0].pitch)[0] == 38


def test_long_codes_decode_as_in_one_go() -> None:
    codec: Codec = ToyCodec()
    frames = round(2.4 * CHUNK_SEC * float(codec.clock.frame_rate))
    codes = np.random.default_rng(0).integers(0, codec.codebooks[0].size, (4, frames))
    import torch

    whole = codec.decode(torch.from_numpy(codes)[None])[0].numpy()
    assert np.array_equal(decode_whole(codec, codes), whole)


def test_importing_the_module_brings_no_torch() -> None:
    code = "import sys; import midigroove_core.rendering.render; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_levels_bring_no_scipy_signal() -> None:
    """It takes a third of the time of a short render."""
    code = "import sys, midigroove_core.rendering.guide; print('scipy.signal' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("known", "expected"),
    [(["brush", "room", "standard"], 2), (["mine", "yours"], 0), (["jazz", "mine"], 0), ([], -1)],
)
def test_the_default_kit_is_the_first_that_ships(known: list[str], expected: int) -> None:
    from midigroove_core.rendering.conditions import default_kit

    assert default_kit(known) == expected


def test_a_touch_is_laid_on_what_is_played() -> None:
    straight = performance(end_sec=3.0)
    settings = {"kit": "standard", "engine": "sampler"}
    plain = render.render(straight, **settings)
    swung = render.render(straight, swing="66", **settings)
    loose = render.render(straight, humanize="time=9,velocity=5", seed=1, **settings)
    assert not np.array_equal(swung.audio, plain.audio)
    assert not np.array_equal(loose.audio, plain.audio[:, : loose.audio.shape[1]])
    again = render.render(straight, humanize="time=9,velocity=5", seed=1, **settings)
    assert np.array_equal(loose.audio, again.audio)
    soft = render.render(straight, velocity_curve=2.0, **settings)
    assert np.abs(soft.audio).max() < np.abs(plain.audio).max()
    with pytest.raises(InputError, match="swing must be a number from 50 to 75"):
        render.render(straight, swing=20, **settings)


@pytest.mark.parametrize(
    ("engine", "settings"),
    [
        ("sampler", {"checkpoint": "a.safetensors"}), ("sampler", {"temperature": 0.5}),
        ("sampler", {"drummer": "drummer1"}), ("sampler", {"style": "funk"}),
        ("sampler", {"bpm": 90.0}), ("sampler", {"device": "cpu"}), ("model", {"vary": True}),
    ],
)  # fmt: skip
def test_what_an_engine_has_no_use_for_is_refused(engine: str, settings: dict) -> None:
    with pytest.raises(
        InputError, match=f"{next(iter(settings))} is for the .*; the {engine} has no use for it"
    ):
        render.render(performance(), engine=engine, **settings)


def test_top_k_is_said_to_do_nothing_where_no_codes_are_weighed(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RenderConfig(checkpoint=checkpoint, sampling={"top_k": 3}, kit="Rock")
    registry, notes = Registry(), Notes()
    loaded = load_checkpoint(checkpoint, registry=registry)
    codec = loaded.build_codec(registry)
    ModelEngine(config, loaded, codec, notes)
    assert notes.lines == []
    monkeypatch.setattr(type(loaded.model), "likelihood", "none")
    ModelEngine(config, loaded, codec, notes)
    assert notes.lines == ["top_k: this model weighs no codes to choose from; it has no effect"]
