"""What `inspect` says of a MIDI file: parts, drums, tempo, what is odd, and what may help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import midi_bytes as m
from support.midi_bytes import beat, note, song

from midigroove_core.cli import run
from midigroove_core.errors import InputError
from midigroove_core.midi_summary import MidiSummary, summarise


def summary(data: bytes, tmp_path: Path, **choice: object) -> MidiSummary:
    (tmp_path / "a.mid").write_bytes(data)
    return summarise(tmp_path / "a.mid", **choice)  # type: ignore[arg-type]


def test_tracks_channels_and_what_is_taken(tmp_path: Path) -> None:
    bass = b"\0\xc1\x21" + beat((40, 43), channel=2)
    data = song(m.name("Drums") + beat(channel=1), m.name("Bass") + bass)
    found = summary(data, tmp_path)
    assert [(p.name, p.channel, p.program, p.hits, p.taken) for p in found.parts] == [
        ("Drums", 1, None, 8, True), ("Bass", 2, 34, 4, False),
    ]  # fmt: skip
    assert "left out: channel 2" in found.lines[0] and found.hits == 8
    assert [p.taken for p in summary(data, tmp_path, channel=2).parts] == [False, True]


def test_drums_tempo_and_meter(tmp_path: Path) -> None:
    faster = m.meta(0x51, (250_000).to_bytes(3, "big"), 1920)
    data = song(faster, m.meta(0x58, b"\3\2\x18\x08") + beat() + note(55, velocity=7))
    found = summary(data, tmp_path, drum_map="gm")
    assert found.bpm == [(0.0, 120.0), (2.0, 240.0)] and found.meters == [(1, "3/4")]
    assert found.bars == 2 and found.format == "MIDI format 1, 480 ticks a beat"
    rows = {row.drum: row for row in found.drums}
    assert rows["hat_closed"].pitches == {42: 4} and rows["hat_closed"].model == "hat_closed"
    splash = rows["splash_china"]
    assert (splash.softest, splash.hits, splash.model) == (7, 1, "crash_1")


def test_pitches_that_are_no_drum_and_a_map_that_lists_them(tmp_path: Path) -> None:
    found = summary(song(beat((36, 38, 71, 60, 77, 79))), tmp_path)
    assert found.unlisted == {71: 2, 79: 2} and found.maps["addictive_drums_2"] == 12
    assert any(line.startswith("addictive_drums_2 would list 12 hits") for line in found.lines)
    assert not summary(song(beat()), tmp_path).lines


def test_hats_on_one_note_are_noticed(tmp_path: Path) -> None:
    moves = note(42) + m.control(4, 0) + note(42, 100) + m.control(4, 127) + note(42, 100)
    lines = summary(song(moves), tmp_path).lines
    assert len(lines) == 1 and 'hat_pedal = "cc4" would follow it' in lines[0]
    assert not summary(song(moves), tmp_path, drum_map="alesis_one_hat").lines


def test_the_command_prints_tables_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(song(beat() + note(3)))
    assert run(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    for text in ("Tracks", "hat_closed", "120 bpm", "1 hit is no drum of the map roland_td"):
        assert text in shown
    assert run(["inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "midi" and found["unlisted"] == {"3": 1}
    assert run(["inspect", str(tmp_path / "none.mid")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_scores_and_files_without_hits(tmp_path: Path) -> None:
    found = summary(song(m.meta(1, b"x", 960)), tmp_path)
    assert (found.hits, found.bars, found.drums) == (0, 0, [])
    with pytest.raises(InputError, match="a.mid: there is no track in it"):
        summary(m.header(1, 0), tmp_path)
