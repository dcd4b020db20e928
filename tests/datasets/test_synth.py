"""Kits files, FluidSynth's errors, and `synthesize` with one-shots: resumable, deterministic."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.atomic import write_json
from midigroove_core.audio import load_audio, save_audio
from midigroove_core.datasets import synth_plan, synth_take
from midigroove_core.datasets.synth import synthesize
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.kits import fluidsynth
from midigroove_core.kits.fluidsynth import ROLAND_TO_GM, SoundFontPreset
from midigroove_core.kits.kitsfile import KitSpec, kit_specs
from midigroove_core.lock import lock_folder
from midigroove_core.midi import DrumPerformance, load_midi
from midigroove_core.processes import in_order
from midigroove_core.progress import Silent
from midigroove_core.takes import open_dataset

GROOVE = Path(__file__).parents[1] / "data" / "groove"


@pytest.fixture
def midi_dir(tmp_path: Path) -> Path:
    """The shortest samples, with their rows."""
    folder = tmp_path / "midi"
    with open(GROOVE / "info.csv", newline="") as handle:
        rows = [r for r in csv.DictReader(handle) if float(r["duration"]) < 9]
    for row in rows:
        path = folder / row["midi_filename"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((GROOVE / row["midi_filename"]).read_bytes())
    with open(folder / "info.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def kits(tmp_path: Path) -> Path:
    """A kits file with two kits of decaying clicks."""
    for name, pitch in (("low", 200), ("high", 900)):
        folder = tmp_path / "shots" / name
        folder.mkdir(parents=True)
        for drum in ("kick", "snare", "hat_closed", "tom_low", "crash_1", "ride"):
            t = np.arange(4410) / 44100
            shot = 0.5 * np.exp(-30 * t) * np.cos(2 * np.pi * (pitch + 40 * len(drum)) * t)
            save_audio(folder / f"{drum}.wav", shot.astype(np.float32), 44100)
    path = tmp_path / "kits.toml"
    path.write_text(
        '[[kit]]\nname = "Low"\noneshots = "shots/low"\n'
        '[[kit]]\nname = "High"\noneshots = "shots/high"\ngain = 0.25\n'
    )
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_a_dataset_in_the_shape_of_egmd(midi_dir: Path, kits: Path, tmp_path: Path) -> None:
    summary = synthesize(midi_dir, kits, tmp_path / "out", workers=1)
    assert (summary.written, summary.kept, summary.skipped) == (6, 0, [])
    assert summary.gains["High"] == 0.25
    dataset = open_dataset(tmp_path / "out", midi="kit")
    assert len(dataset.takes) == 6
    for take in dataset.takes:
        audio, rate = load_audio(dataset.audio_path(take))
        assert (rate, len(audio)) == (44100, 1)
        assert audio.shape[1] / rate == pytest.approx(take.duration_sec, abs=1e-6)
        performance = load_midi(dataset.midi_path(take))
        last = (performance.onset_sec + performance.duration_sec).max()
        assert take.duration_sec == pytest.approx(last + 1.0, abs=1e-4)
        assert 0.01 < np.abs(audio).max() < 1.0
    assert {t.performance_key for t in dataset.takes[:2]} == {dataset.takes[0].performance_key}
    assert [t.kit for t in dataset.takes[:2]] == ["Low", "High"]


def test_the_grooves_that_ship_need_no_folder(kits: Path, tmp_path: Path) -> None:
    summary = synthesize("builtin", kits, tmp_path / "out", max_performances=3, workers=1)
    takes = open_dataset(summary.csv_path).takes
    assert len(takes) == 6 and {take.kit for take in takes} == {"Low", "High"}
    assert {take.drummer for take in takes} <= {f"drummer{n}" for n in range(1, 11)}
    assert all(0 < take.bpm < 300 for take in takes)


def test_takes_of_a_kit_share_one_gain(midi_dir: Path, kits: Path, tmp_path: Path) -> None:
    """Normalising each file would make a ghost note as loud as an accent."""
    synthesize(midi_dir, kits, tmp_path / "out", workers=1)
    header = json.loads((tmp_path / "out" / "synth.json").read_text())
    gain = header["kits"][0]["gain"]
    spec = kit_specs(kits)[0]
    for wav in sorted((tmp_path / "out").rglob("*_1.wav")):
        performance = load_midi(wav.with_suffix(".midi"))
        audio = load_audio(wav)[0][0]
        expected = synth_take._play(performance, spec, len(audio)) * np.float32(gain)
        np.testing.assert_allclose(audio, expected, atol=1 / 65536 + 1e-6)


class StopAfter(Silent):
    """Interrupts the run when so many performances are done, as Ctrl-C would."""

    def __init__(self, performances: int) -> None:
        self.left = performances

    def advance(self, steps: int = 1, **info: object) -> None:
        self.left -= steps
        if self.left <= 0:
            raise KeyboardInterrupt


def test_interrupted_and_resumed_gives_the_same_bytes(
    midi_dir: Path, kits: Path, tmp_path: Path
) -> None:
    synthesize(midi_dir, kits, tmp_path / "whole", workers=1)
    out = tmp_path / "resumed"
    for performances in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            synthesize(midi_dir, kits, out, workers=1, progress=StopAfter(performances))
        assert not (out / "e-gmd-v1.0.0.csv").exists()
    (out / "drummer7").mkdir(exist_ok=True)
    (out / "drummer7" / ".half.tmp.wav").write_bytes(b"RIFF")  # what a killed process leaves
    summary = synthesize(midi_dir, kits, out, workers=1)
    assert (summary.written, summary.kept) == (2, 4)
    assert files(out) == files(tmp_path / "whole")
    sorted(out.rglob("*.wav"))[0].unlink()
    assert synthesize(midi_dir, kits, out, workers=1).written == 1
    assert files(out) == files(tmp_path / "whole")


@pytest.mark.slow
def test_killed_processes_and_parallel_runs_give_the_same_bytes(
    midi_dir: Path, kits: Path, tmp_path: Path
) -> None:
    synthesize(midi_dir, kits, tmp_path / "whole", workers=1)
    out = tmp_path / "killed"
    code = (
        "import sys\nfrom midigroove_core.datasets.synth import synthesize\n"
        "synthesize(*sys.argv[1:], workers=1)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(midi_dir), str(kits), str(out)])
    while child.poll() is None and next(out.rglob("*.wav"), None) is None:
        time.sleep(0.002)
    child.kill()
    child.wait()
    synthesize(midi_dir, kits, out, workers=2)
    assert files(out) == files(tmp_path / "whole")


def test_processes_keep_the_order_of_the_tasks() -> None:
    assert list(in_order(math.sqrt, [9.0, 4.0, 1.0], workers=2)) == [3.0, 2.0, 1.0]


def test_other_kits_in_the_same_folder_are_refused(
    midi_dir: Path, kits: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    synthesize(midi_dir, kits, out, workers=1, max_performances=1)
    text = kits.read_text()
    kits.write_text(text.replace("0.25", "0.5"))
    with pytest.raises(MismatchError, match="synth.json: gain of kit 'High' was 0.25 and is now"):
        synthesize(midi_dir, kits, out, workers=1)
    kits.write_text(text.replace("Low", "Lower"))
    with pytest.raises(MismatchError, match="name of kit 'Low' was 'Low' and is now 'Lower'"):
        synthesize(midi_dir, kits, out, workers=1)


def test_headroom_turns_measured_kits_down(midi_dir: Path, kits: Path, tmp_path: Path) -> None:
    plain = synthesize(midi_dir, kits, tmp_path / "plain", workers=1)
    lower = synthesize(midi_dir, kits, tmp_path / "lower", headroom_db=6.0, workers=1)
    measured = {name for name, gain in plain.gains.items() if gain != lower.gains[name]}
    assert measured == {"Low"}  # the other one's gain stands in the kits file
    assert lower.gains["Low"] / plain.gains["Low"] == pytest.approx(10 ** (-6 / 20), abs=0.01)
    with pytest.raises(MismatchError, match="headroom_db was 6.0 and is now 0.0"):
        synthesize(midi_dir, kits, tmp_path / "lower", workers=1)
    with pytest.raises(InputError, match="`headroom_db` must be a number from 0 to 40"):
        synthesize(midi_dir, kits, tmp_path / "other", headroom_db=-1.0, workers=1)


def test_bad_and_clipping_and_silent_takes_are_listed_and_never_written(
    midi_dir: Path, kits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = sorted(midi_dir.rglob("*.mid"))[0]
    bad.write_bytes(b"not MIDI")
    kits.write_text(kits.read_text().replace("0.25", "9.9"))
    play = synth_take._play

    def silent_once(performance: DrumPerformance, spec: KitSpec, n: int) -> np.ndarray:
        silent = spec.name == "Low" and performance.num_hits == 51
        return np.zeros(n, np.float32) if silent else play(performance, spec, n)

    monkeypatch.setattr(synth_take, "_play", silent_once)
    out = tmp_path / "out"
    summary = synthesize(midi_dir, kits, out, workers=1)
    reasons = " | ".join(entry["reason"] for entry in summary.skipped)
    assert "not a MIDI file" in reasons
    assert "clips on kit 'High' by" in reasons and "set gain =" in reasons
    assert "kit 'Low' makes no sound" in reasons
    written = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.wav"))
    with open(out / "e-gmd-v1.0.0.csv", newline="") as handle:
        assert sorted(r["audio_filename"] for r in csv.DictReader(handle)) == written
    assert len(written) == summary.written == 1
    assert len((out / "skipped.jsonl").read_text().splitlines()) == len(summary.skipped) == 5


def test_nothing_made_is_an_error(midi_dir: Path, kits: Path, tmp_path: Path) -> None:
    for path in midi_dir.rglob("*.mid"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="no take could be made: .*0 bytes"):
        synthesize(midi_dir, kits, tmp_path / "out", workers=1)
    assert not (tmp_path / "out" / "e-gmd-v1.0.0.csv").exists()


KIT = '[[kit]]\nname = "A"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no \[\[kit\]\]"),
        ("[[kit", "not readable as TOML"),
        ('[[kit]]\nsoundfont = "a.sf2"', "kit.0: object missing required field name"),
        (KIT, r"kit 1 \(A\): give it a soundfont, oneshots or random"),
        (KIT + "random = 0\n", r"kit 1 \(A\): random: write how many"),
        (KIT + 'random = "9-2"\n', r"kit 1 \(A\): random: write how many"),
        (KIT + 'random = 2\nfolders = ["none"]\n', "none: no such folder of one-shots"),
        (KIT + 'oneshots = "jazz"\nfolders = ["x"]\n', "folders: belongs to random kits"),
        (KIT + 'colour = "red"', "kit.0: object contains unknown field colour"),
        (KIT + 'soundfont = "none.sf2"', "no SoundFont none.sf2; give its full path"),
        (KIT + 'soundfont = "font.sf2"\nprogram = 128', "kit.0.program: expected int <= 127"),
        (KIT + 'soundfont = "font.sf2"\nbank = 0\nchannel = 10', "channel: bank 0 would be silent"),
        (KIT + 'soundfont = "font.sf2"\nremap = { a = 3 }', "remap: 'a' is not a pitch"),
        (KIT + 'oneshots = "jazz"\ngain = -1', "kit.0.gain: expected float > 0"),
        ("kit = [1]", "kit.0: expected object, got int"),
        (KIT + f'oneshots = "{"x" * 999}"', "File name too long"),
        (KIT + 'oneshots = "jazz"\ngain = true', "kit.0.gain: expected float"),
        (KIT + 'oneshots = "jazz"\ngain = nan', "kit.0.gain: nan is no finite number"),
        (KIT + 'soundfont = "font.sf2"\nremap = { "²" = 42 }', "remap: '²' is not a pitch"),
        (KIT + 'soundfont = "font.sf2"\nremap = { 36 = true }', "remap.36: expected int"),
        ((KIT + 'oneshots = "jazz"\n') * 2, "two kits are named 'A'"),
    ],
)
def test_wrong_kits_files_name_the_field(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "font.sf2").write_bytes(b"sfbk")
    (tmp_path / "kits.toml").write_text(text)
    with pytest.raises(InputError, match=r"(kits.toml|no SoundFont)") as caught:
        kit_specs(tmp_path / "kits.toml")
    assert caught.match(message)


def test_a_known_font_that_is_missing_says_which_package_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fluidsynth, "FONT_FOLDERS", ())
    (tmp_path / "kits.toml").write_text(KIT + 'soundfont = "FluidR3_GM.sf2"')
    with pytest.raises(InputError, match="apt install fluid-soundfont-gm"):
        kit_specs(tmp_path / "kits.toml")


def test_kits_file_defaults(tmp_path: Path) -> None:
    (tmp_path / "font.sf2").write_bytes(b"sfbk")
    (tmp_path / "kits.toml").write_text(
        KIT + 'soundfont = "font.sf2"\n[[kit]]\nname = "B"\nsoundfont = "font.sf2"\nbank = 0\n'
        "remap = { 22 = 42 }\n"
    )
    drums, other = (spec.preset for spec in kit_specs(tmp_path / "kits.toml"))
    assert drums == SoundFontPreset(tmp_path / "font.sf2", 128, 0, 10, dict(ROLAND_TO_GM))
    assert other == SoundFontPreset(tmp_path / "font.sf2", 0, 0, 1, {22: 42})
    with pytest.raises(InputError, match="no kit 'banjo'"):
        kit_specs("banjo")


def test_a_missing_program_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    performance = load_midi(sorted(GROOVE.rglob("*.mid"))[0])
    for call in (
        fluidsynth.fluidsynth_version,
        lambda: fluidsynth.play(performance, SoundFontPreset(tmp_path / "font.sf2"), 44100),
    ):
        with pytest.raises(MidigrooveError, match="fluidsynth is missing; apt install fluidsynth"):
            call()


def test_a_failing_program_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "fluidsynth"
    program.write_text("#!/bin/sh\necho 'fluidsynth: error: no font' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    performance = load_midi(sorted(GROOVE.rglob("*.mid"))[0])
    with pytest.raises(MidigrooveError, match="fluidsynth failed on .*font.sf2: .*no font"):
        fluidsynth.play(performance, SoundFontPreset(tmp_path / "font.sf2"), 44100)


def test_notes_for_the_font_are_remapped_and_held_until_struck_again() -> None:
    performance = DrumPerformance(
        onset_sec=np.array([0.5, 1.0, 2.0]),
        duration_sec=np.full(3, 0.1),
        pitch=np.array([22, 36, 42]),
        velocity=np.array([10, 20, 30]),
        end_sec=3.0,
    )
    preset = SoundFontPreset(Path("a.sf2"), bank=0, program=5, channel=1)
    track = fluidsynth._render_file(performance, preset, 4 * 44100).tracks[0]
    tick, notes = 0, []
    for message in track:
        tick += message.time
        if message.type in ("note_on", "note_off"):
            notes.append((tick / 44100, message.type, message.note, message.channel))
    assert notes == [
        (0.5, "note_on", 42, 0), (1.0, "note_on", 36, 0),
        (2.0, "note_off", 42, 0), (2.0, "note_on", 42, 0),
    ]  # fmt: skip
    assert [m.program for m in track if m.type == "program_change"] == [5]
    assert tick == 4 * 44100


def test_a_changed_performance_of_the_same_name_is_played_again(
    midi_dir: Path, kits: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    synthesize(midi_dir, kits, out, workers=1)
    first, second = sorted(p for p in midi_dir.rglob("*.mid"))[:2]
    stem = first.relative_to(midi_dir).with_suffix("").as_posix()
    before = (out / f"{stem}_1.wav").read_bytes()
    first.write_bytes(second.read_bytes())
    summary = synthesize(midi_dir, kits, out, workers=1)
    assert (summary.written, summary.kept) == (2, 4)
    assert (out / f"{stem}_1.midi").read_bytes() == second.read_bytes()
    assert (out / f"{stem}_1.wav").read_bytes() != before


def test_a_changed_one_shot_kit_of_the_same_name_is_refused(
    midi_dir: Path, kits: Path, tmp_path: Path
) -> None:
    synthesize(midi_dir, kits, tmp_path / "out", workers=1)
    shot = np.linspace(0.5, 0, 4410).astype(np.float32)
    save_audio(tmp_path / "shots" / "low" / "snare.wav", shot, 44100)
    with pytest.raises(MismatchError, match="sha256 of kit 'Low' was"):
        synthesize(midi_dir, kits, tmp_path / "out", workers=1)


@pytest.mark.parametrize("below", ["", "made", "a/b"])
def test_the_folder_of_the_performances_is_not_written_into(
    midi_dir: Path, kits: Path, below: str
) -> None:
    before = files(midi_dir)
    with pytest.raises(InputError, match="lies in the folder of the performances"):
        synthesize(midi_dir, kits, midi_dir / below, workers=1)
    assert files(midi_dir) == before


def test_random_kits_give_the_same_bytes_with_any_number_of_workers(
    midi_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesize(midi_dir, "random:2", tmp_path / "one", workers=1)
    monkeypatch.setattr(synth_plan, "KITS_AT_ONCE", 1)
    synthesize(midi_dir, "random:2", tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    takes = open_dataset(tmp_path / "one").takes
    assert len(takes) == 6 and {take.kit for take in takes} == {"random_0000", "random_0001"}
    keys = {take.key: take for take in takes}
    for take in takes:
        if take.reference:
            other = keys[take.reference]
            assert (other.kit, other.split) == (take.kit, take.split)
            assert other.performance_key != take.performance_key
    assert any(take.reference for take in takes)


def test_a_kit_of_few_performances(midi_dir: Path, tmp_path: Path) -> None:
    """Many kits that each play a little: between them they play everything."""
    path = tmp_path / "kits.toml"
    path.write_text(
        '[[kit]]\nname = "mixed"\nrandom = 6\nperformances = 1\n'
        '[[kit]]\nname = "all"\noneshots = "tr808"\n'
    )
    first, second = tmp_path / "one", tmp_path / "two"
    for out in (first, second):
        synthesize(midi_dir, path, out, headroom_db=3.0, workers=1)
    takes = open_dataset(first).takes
    assert (first / "e-gmd-v1.0.0.csv").read_bytes() == (second / "e-gmd-v1.0.0.csv").read_bytes()
    played = [take.performance_key for take in takes if take.kit.startswith("mixed")]
    everything = {take.performance_key for take in takes if take.kit == "all"}
    assert len(played) == 6
    assert 1 < len(set(played)) <= len(everything)


def test_random_kits_made_by_another_recipe_are_refused(midi_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesize(midi_dir, "random:2", out, workers=1, max_performances=1)
    state = json.loads((out / "synth.json").read_text())
    state["kits"][1]["recipe"]["families"]["kick"]["semitones"] += 1.0
    (out / "synth.json").write_text(json.dumps(state))
    with pytest.raises(MismatchError, match="recipe of kit 'random_0001' is not"):
        synthesize(midi_dir, "random:2", out, workers=1, max_performances=1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kits": [1]}, "kits.0: expected object, got int"),
        ({"kits": [{"name": "A"}]}, "kits.0: object missing required field gain"),
        ({"kits": [{"name": "A", "gain": "1"}]}, "kits.0.gain: expected float, got str"),
        ({"kits": [{"name": "A", "gain": -1}]}, "kits.0.gain: expected float > 0"),
        ({"headroom_db": None}, "headroom_db: expected float, got null"),
        ({"versions": 3}, "versions: expected object"),
        ({"schema": 9}, "of another version"),
    ],
)
def test_a_wrong_synth_json_is_one_line(
    tmp_path: Path, midi_dir: Path, change: dict[str, object], says: str
) -> None:
    plain = {
        "schema": 1,
        "tail_sec": 1.0,
        "headroom_db": 0.0,
        "stems": False,
        "kits": [],
        "versions": {},
    }
    write_json(tmp_path / "out" / "synth.json", {**plain, **change})
    with pytest.raises(MidigrooveError, match=says) as caught:
        synthesize(midi_dir, "jazz", tmp_path / "out", workers=1)
    assert "synth.json" in str(caught.value) and "\n" not in str(caught.value)


def test_one_synth_at_a_time(tmp_path: Path, midi_dir: Path) -> None:
    with (
        lock_folder(tmp_path / "out", "dataset"),
        pytest.raises(MidigrooveError, match="another process is writing to this dataset"),
    ):
        synthesize(midi_dir, "jazz", tmp_path / "out", workers=1)
