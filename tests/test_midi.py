"""`load_midi`, `save_midi`: no hit lost, times as the ticks say, bad files named."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.midi import DrumPerformance, load_midi, read_tempo_and_meter, save_midi

SAMPLES = sorted((Path(__file__).parent / "data" / "groove").rglob("*.mid"))
DOUBLED = "1_latin-chacarera_157_beat_3-4"
"""The sample with one hit sent twice at one tick."""


def hits_by_ticks(path: Path) -> list[tuple[float, int, int]]:
    """An independent reading: (seconds, pitch, velocity) of every note-on, from the raw ticks."""
    midi = mido.MidiFile(path)
    hits, seconds, microseconds = [], 0.0, 500_000
    for message in midi.tracks[0]:
        seconds += message.time * microseconds / (midi.ticks_per_beat * 1e6)
        if message.type == "set_tempo":
            microseconds = message.tempo
        if message.type == "note_on" and message.velocity > 0:
            hits.append((seconds, message.note, message.velocity))
    return sorted(hits)


def write(path: Path, *tracks: list[mido.Message], type: int = 0, ticks: int = 480) -> Path:
    tracks_ = [mido.MidiTrack(track) for track in tracks]
    mido.MidiFile(type=type, ticks_per_beat=ticks, tracks=tracks_).save(path)
    return path


def on(pitch: int, time: int = 0, velocity: int = 100, channel: int = 9) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, time=time, channel=channel)


def off(pitch: int, time: int = 0, channel: int = 9) -> mido.Message:
    return mido.Message("note_off", note=pitch, time=time, channel=channel)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_every_hit_is_read_at_the_time_its_ticks_say(path: Path) -> None:
    performance = load_midi(path)
    expected = hits_by_ticks(path)
    if path.stem == DOUBLED:
        assert performance.num_hits == len(expected) - 1
        expected = [
            hit for i, hit in enumerate(expected) if i == 0 or hit[:2] != expected[i - 1][:2]
        ]
    assert performance.num_hits == len(expected)
    np.testing.assert_allclose(performance.onset_sec, [h[0] for h in expected], atol=1e-6, rtol=0)
    assert performance.pitch.tolist() == [h[1] for h in expected]


def test_a_pitch_struck_again_before_its_note_off_is_another_hit() -> None:
    """partitura, which the baseline's readers resemble, keeps one of the two."""
    path = next(p for p in SAMPLES if p.stem.startswith("9_latin-merengue"))
    sounding, again = set(), 0
    for message in mido.merge_tracks(mido.MidiFile(path).tracks):
        if message.type in ("note_on", "note_off"):
            hit = message.type == "note_on" and message.velocity > 0
            again += hit and message.note in sounding
            (sounding.add if hit else sounding.discard)(message.note)
    assert again > 0
    assert load_midi(path).num_hits == len(hits_by_ticks(path))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_saved_and_loaded_again_is_the_same(path: Path, tmp_path: Path) -> None:
    performance = load_midi(path)
    save_midi(performance, tmp_path / "again.mid")
    again = load_midi(tmp_path / "again.mid").to_arrays()
    for name, array in performance.to_arrays().items():
        if name == "duration_sec":  # a gate of no length becomes one tick
            np.testing.assert_allclose(again[name], array, atol=0.003)
        else:
            np.testing.assert_array_equal(again[name], array, err_msg=name)


def test_tempo_meter_and_pedal_come_from_the_file() -> None:
    path = next(p for p in SAMPLES if p.stem.startswith("1_rock_70_beat_6-8"))
    performance = load_midi(path)
    assert performance.tempo_bpm.tolist() == pytest.approx([70.0], abs=1e-3)
    meter = (performance.meter_numerator.tolist(), performance.meter_denominator.tolist())
    assert meter == ([6], [8])
    raw = [m for m in mido.MidiFile(path).tracks[0] if m.type == "control_change"]
    assert performance.cc4_value.tolist() == [m.value for m in raw if m.control == 4]
    assert len(performance.cc4_value) > 0
    bpm, meter_name = read_tempo_and_meter(path)
    assert (bpm, meter_name) == (pytest.approx(70.0, abs=1e-3), "6-8")


def test_a_tempo_change_moves_later_hits(tmp_path: Path) -> None:
    tempo = [mido.MetaMessage("set_tempo", tempo=250_000, time=480)]
    notes = [on(36), off(36, 10), on(38, 950), off(38, 10)]
    performance = load_midi(write(tmp_path / "a.mid", tempo, notes, type=1))
    assert performance.onset_sec.tolist() == [0.0, 0.75]
    assert performance.tempo_bpm.tolist() == [120.0, 240.0]
    assert performance.tempo_sec.tolist() == [0.0, 0.5]
    assert performance.seconds_to_beats([0.75]).tolist() == [2.0]


def test_restrikes_and_hanging_notes_are_hits(tmp_path: Path) -> None:
    track = [on(38), on(38, 100), on(38, 100), off(38, 50), off(38, 5), on(36, 5)]
    performance = load_midi(write(tmp_path / "a.mid", track))
    assert performance.pitch.tolist() == [38, 38, 38, 36]
    beat = 0.5 / 480
    np.testing.assert_allclose(performance.duration_sec, [100 * beat, 100 * beat, 50 * beat, 0])


def test_doubled_hits_keep_the_louder_and_zero_length_hits_stay(tmp_path: Path) -> None:
    track = [
        on(38, velocity=30),
        on(38, velocity=90),
        on(38, velocity=60),
        off(38),
        on(36),
        off(36),
    ]
    performance = load_midi(write(tmp_path / "a.mid", track))
    assert performance.pitch.tolist() == [36, 38]
    assert performance.velocity.tolist() == [100, 90]


def test_channel_10_only_unless_there_is_none(tmp_path: Path) -> None:
    bass = [on(40, channel=0), off(40, 480, channel=0)]
    drums = [on(36, 10), off(36, 10)]
    both = load_midi(write(tmp_path / "a.mid", bass, drums, type=1))
    assert both.pitch.tolist() == [36]
    alone = load_midi(write(tmp_path / "b.mid", bass, type=1))
    assert alone.pitch.tolist() == [40]


def test_sequences_of_format_2_follow_one_another(tmp_path: Path) -> None:
    end = mido.MetaMessage("end_of_track", time=470)
    one, two = [on(36), off(36, 10), end], [on(38), off(38, 10)]
    performance = load_midi(write(tmp_path / "a.mid", one, two, type=2))
    assert performance.pitch.tolist() == [36, 38]
    assert performance.onset_sec.tolist() == [0.0, 0.5]


def test_bad_files_are_named(tmp_path: Path) -> None:
    good = SAMPLES[0].read_bytes()
    texts = {
        "empty.mid": b"", "text.mid": b"kick snare kick snare", "cut.mid": good[: len(good) // 2],
        "header.mid": good[:14], "zero.mid": bytes(100),
    }  # fmt: skip
    for name, data in texts.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=f"{name}: .*") as caught:
            load_midi(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="none.mid: no such file$"):
        load_midi(tmp_path / "none.mid")


def test_a_file_without_notes_is_an_empty_performance(tmp_path: Path) -> None:
    performance = load_midi(write(tmp_path / "a.mid", []))
    assert performance.num_hits == 0
    assert performance.end_sec == 0.0


def test_save_ends_a_gate_where_its_pitch_sounds_again(tmp_path: Path) -> None:
    performance = DrumPerformance(
        onset_sec=np.array([0.0, 0.25, 0.25]),
        duration_sec=np.array([1.0, 0.0, 0.1]),
        pitch=np.array([38, 36, 38]),
        velocity=np.array([80, 1, 127]),
        end_sec=1.0,
    )
    save_midi(performance, tmp_path / "a.mid")
    again = load_midi(tmp_path / "a.mid")
    assert again.velocity.tolist() == [80, 1, 127]
    np.testing.assert_allclose(again.duration_sec, [0.25, 0.5 / 480, 0.1], atol=1e-12)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]
