"""Pitches map to articulations, and the maps agree with the datasets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midigroove_core.drum_reading import read_with
from midigroove_core.drums import (
    ARTICULATIONS,
    CLASS_OF_ARTICULATION,
    DRUM_CLASSES,
    PAPER_CLASS_OF_ARTICULATION,
    PAPER_CLASSES,
    DrumMap,
    DrumMapInfo,
    classes_of_pitches,
    list_drum_maps,
    load_drum_map,
)
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.performance import DrumPerformance

GMD_PITCHES = (
    36,
    38,
    40,
    37,
    48,
    50,
    45,
    47,
    43,
    58,
    46,
    26,
    42,
    22,
    44,
    49,
    55,
    57,
    52,
    51,
    59,
    53,
)


def test_every_articulation_has_a_class() -> None:
    assert set(CLASS_OF_ARTICULATION) == set(ARTICULATIONS)
    assert set(CLASS_OF_ARTICULATION.values()) == set(DRUM_CLASSES)
    assert set(PAPER_CLASS_OF_ARTICULATION.values()) == set(PAPER_CLASSES)


def test_roland_knows_all_pitches_of_the_groove_dataset() -> None:
    drum_map = load_drum_map("roland_td")
    assert all(drum_map.articulation(pitch) != "other" for pitch in GMD_PITCHES)
    assert drum_map.articulation(22) == "hat_closed" and drum_map.articulation(26) == "hat_open"
    assert (
        drum_map.articulation(40) == "rimshot" and load_drum_map("gm").articulation(40) == "snare"
    )


def test_the_table_agrees_with_the_map() -> None:
    drum_map = load_drum_map("gm")
    table = drum_map.articulation_table()
    names = [*ARTICULATIONS, None]
    assert [names[i] for i in table] == [drum_map.articulation(p) for p in range(128)]


def test_a_map_from_a_file(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "gm"\n[pitches]\n60 = "kick"\n')
    drum_map = load_drum_map(path)
    assert drum_map.articulation(60) == "kick" and drum_map.articulation(38) == "snare"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not toml [", "not readable as TOML"),
        ("", "no .pitches. in it"),
        ('pitches = "x"', "pitches: expected"),
        ('base = ["gm"]', "base: expected"),
        ('base = "mine.toml"', "base: no drum map"),
        ('[pitches]\n"²" = "kick"', "is not a MIDI pitch"),
        ('base = "xg"', "base: no drum map 'xg'"),
        ('[pitches]\nsnare = "snare"', "'snare' is not a MIDI pitch"),
        ('[pitches]\n200 = "snare"', "pitch 200 is not in 0..127"),
        ('[pitches]\n38 = "snair"', "unknown articulation 'snair'"),
    ],
)
def test_a_bad_map_names_the_field(tmp_path, text: str, reason: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(MidigrooveError, match=reason):
        load_drum_map(path)


def test_an_unlisted_pitch_is_no_drum_anywhere() -> None:
    for name in ("gm", "roland_td"):
        drum_map = load_drum_map(name)
        assert drum_map.articulation(81) is None and drum_map.articulation_table()[81] == -1
        assert classes_of_pitches(drum_map)[81] == ""


def test_pedal_settings_come_back_from_json(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "gm"\nhat_pedal = "cc4"\npedal_down = "low"\nclosed_at = 64\n')
    drum_map = load_drum_map(path)
    again = DrumMap.from_json("mine", drum_map.to_json())
    assert (again.hat_pedal, again.pedal_down, again.closed_at) == ("cc4", "low", 64)
    assert again.pitches == drum_map.pitches and not again.plain.reads_pedal
    for wrong in ("hat_pedal = 'x'", "pedal_down = 1", "closed_at = 0"):
        path.write_text(f'base = "gm"\n{wrong}\n')
        with pytest.raises(MidigrooveError, match=wrong.split()[0]):
            load_drum_map(path)


def test_an_unknown_map_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="use gm, roland_td, .*yamaha_xg or a .toml file"):
        load_drum_map("xg")


def test_a_map_with_a_byte_order_mark_is_read_and_other_encodings_are_refused(tmp_path) -> None:
    text = '[pitches]\n36 = "kick"\n'
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8-sig"))
    assert load_drum_map(path).articulation(36) == "kick"
    for data in (text.encode("utf-16"), b'[pitches]\n36="kick" # caf\xe9\n', b"x=" + b"[" * 2000):
        path.write_bytes(data)
        with pytest.raises(InputError, match="mine.toml: ") as caught:
            load_drum_map(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("info", list_drum_maps(), ids=lambda info: info.name)
def test_maps_that_ship_are_whole_and_credited(info: DrumMapInfo) -> None:
    found = load_drum_map(info.name)
    assert info.title and info.source
    assert {"kick", "snare", "hat_closed", "hat_open", "crash_1", "ride"} <= set(
        found.pitches.values()
    )
    assert found.pitches[36] == "kick" and found.pitches[38] == "snare"
    again = DrumMap.from_json(info.name, json.loads(json.dumps(found.to_json())))
    assert (again.pitches, again.chokes) == (found.pitches, found.chokes)
    assert again.reads_pedal == found.reads_pedal


def test_notes_of_programs_mean_what_their_lists_say() -> None:
    for name, pitch, articulation in (
        ("addictive_drums_2", 42, "xstick"), ("addictive_drums_2", 49, "hat_closed"),
        ("addictive_drums_2", 67, "tom_low"), ("ezdrummer", 22, "hat_closed"),
        ("superior_drummer_3", 40, "rimshot"), ("alesis", 58, "tom_low"),
        ("yamaha_xg", 33, "kick"), ("roland_gs", 25, "snare"), ("ableton", 44, "hat_closed"),
    ):  # fmt: skip
        assert load_drum_map(name).articulation(pitch) == articulation
    assert load_drum_map("ableton").articulation(60) is None
    assert load_drum_map("alesis_one_hat").hat_pedal == "cc4"


def test_choke_notes_grab_cymbals_and_are_no_hits() -> None:
    onset, pitch = np.array([0.0, 0.5, 1.0, 2.0]), np.array([60, 63, 77, 3])
    performance = DrumPerformance(onset, np.zeros(4), pitch, np.full(4, 90), end_sec=2.5)
    reading = read_with(performance, load_drum_map("addictive_drums_2"))
    assert reading.performance.pitch.tolist() == [60, 77] and reading.unlisted == {3: 1}
    assert reading.performance.choke_sec.tolist() == [0.5] * 4
    assert 60 in reading.performance.choke_pitch
    held = read_with(replace(performance, pitch=np.array([55, 56, 56, 57])),
                     load_drum_map("superior_drummer_3")).performance  # fmt: skip
    assert held.num_hits == 4 and held.choke_pitch.tolist() == [56, 56]
    assert np.allclose(held.choke_sec, [0.58, 1.08])


def test_a_file_may_start_from_any_map_that_ships(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "superior_drummer_3"\n[pitches]\n99 = "kick"\n[chokes]\n98 = [49]\n')
    found = load_drum_map(path)
    assert found.pitches[99] == "kick" and found.pitches[40] == "rimshot"
    assert found.chokes[98] == (49,) and found.chokes[50] == (50,)
    path.write_text('base = "gm"\n[chokes]\n200 = [49]\n')
    with pytest.raises(MidigrooveError, match="pitch 200"):
        load_drum_map(path)


@pytest.mark.parametrize(
    "values",
    [None, 3, "gm", [], {"x": "kick"}, {"36": 1}, {"²": "kick"}, {"closed_at": "9"},
     {"chokes": 3}, {"hat_pedal": []}, {"36": "gong"}, {"999": "kick"}],
)  # fmt: skip
def test_json_that_is_no_map(values: Any) -> None:
    with pytest.raises(MidigrooveError, match="drum map custom"):
        DrumMap.from_json("custom", values)
