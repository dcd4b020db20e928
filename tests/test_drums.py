"""Pitches map to articulations, and the maps agree with the datasets."""

from __future__ import annotations

import pytest

from midigroove_core.drums import (
    ARTICULATIONS,
    CLASS_OF_ARTICULATION,
    DRUM_CLASSES,
    PAPER_CLASS_OF_ARTICULATION,
    PAPER_CLASSES,
    DrumMap,
    classes_of_pitches,
    load_drum_map,
)
from midigroove_core.errors import InputError, MidigrooveError

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
    with pytest.raises(InputError, match="use gm, roland_td or a .toml file"):
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
