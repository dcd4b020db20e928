"""Odd MIDI files through the sampler engine: a hit is played, or a line says what became of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import midi_bytes as m
from support.midi_bytes import beat, note, song

from midigroove_core.errors import InputError
from midigroove_core.progress import Silent
from midigroove_core.rendering import render
from midigroove_core.rendering.config import RenderConfig, Rendered


class Lines(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def played(data: bytes, tmp_path: Path, **config: object) -> tuple[Rendered, list[str]]:
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    lines = Lines()
    chosen = RenderConfig(engine="sampler", kit="standard", **config)  # type: ignore[arg-type]
    return render.from_file(path, chosen, progress=lines), lines.lines


def test_a_file_without_hits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a.mid: there is no hit in it"):
        played(song(m.meta(1, b"x", 1920)), tmp_path)


def test_pitches_without_a_drum_are_silent_and_said(tmp_path: Path) -> None:
    plain, none = played(song(beat()), tmp_path)
    odd, lines = played(song(beat(), note(0, 96) + note(97) + note(97)), tmp_path)
    assert none == [] and np.array_equal(plain.audio, odd.audio)
    assert lines == [
        "3 hits are no drum of the map roland_td: pitches 0 (1), 97 (2); left out",
    ]
    with pytest.raises(InputError, match="a.mid: 3 hits are no drum of the map roland_td"):
        played(song(beat(), note(0, 96) + note(97) + note(97)), tmp_path, strict=True)
    with pytest.raises(InputError, match="a.mid: 8 hits are no drum"):
        played(song(beat((96, 97, 98, 97))), tmp_path)


def test_a_kit_that_lacks_what_is_played_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    shot = np.hanning(800) * np.sin(np.arange(800) / 3)
    soundfile.write(tmp_path / "kit" / "hat_closed.wav", 0.5 * shot, 44_100)
    (tmp_path / "a.mid").write_bytes(song(beat()))
    lines = Lines()
    config = RenderConfig(engine="sampler", kit=str(tmp_path / "kit"))
    render.from_file(tmp_path / "a.mid", config, progress=lines)
    assert lines.lines == ["kit kit: no sound for 2 kick, 2 snare"]
    (tmp_path / "kit" / "kick.mp3").write_bytes(b"mp3")
    (tmp_path / "kit" / "snare").mkdir()
    lines = Lines()
    render.from_file(tmp_path / "a.mid", config, progress=lines)
    assert "not read" in lines.lines[0] and lines.lines[0].endswith(": kick.mp3, snare/")


def test_what_a_kit_plays_instead_is_said(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    shot = np.hanning(800) * np.sin(np.arange(800) / 3)
    soundfile.write(tmp_path / "kit" / "snare.wav", 0.5 * shot, 44_100)
    (tmp_path / "a.mid").write_bytes(song(beat((37, 38, 37, 38))))
    lines = Lines()
    config = RenderConfig(engine="sampler", kit=str(tmp_path / "kit"))
    render.from_file(tmp_path / "a.mid", config, progress=lines)
    assert lines.lines == ["kit kit: 4 xstick played as snare"]


def pedal_map(tmp_path: Path, more: str = "") -> str:
    path = tmp_path / "one_note.toml"
    path.write_text(f'base = "gm"\nhat_pedal = "cc4"\n{more}')
    return str(path)


@pytest.mark.parametrize(("more", "down"), [("", 127), ('pedal_down = "low"\n', 0)])
def test_hats_on_one_note_follow_the_pedal(tmp_path: Path, more: str, down: int) -> None:
    name = pedal_map(tmp_path, more)
    up = 127 - down

    def hat(pitch: int, *pedal: int) -> np.ndarray:
        moves = b"".join(m.control(4, value) for value in pedal)
        data = song(moves + note(pitch, velocity=127) + m.meta(6, b"e", 960))
        return played(data, tmp_path, drum_map=name)[0].audio

    is_open, closed = hat(46), hat(42)  # before any pedal, the note says it
    assert np.array_equal(hat(42, up), is_open) and np.array_equal(hat(46, down), closed)
    assert np.array_equal(hat(42, down), closed) and np.array_equal(hat(46, up), is_open)
    at, below = (90, 89) if down else (37, 38)
    assert np.array_equal(hat(42, at), closed) and np.array_equal(hat(42, below), is_open)


def test_hats_by_pedal_are_counted_in_a_line(tmp_path: Path) -> None:
    data = song(m.control(4, 0) + beat())
    assert played(data, tmp_path, drum_map=pedal_map(tmp_path))[1] == [
        "4 hits on the hi-hat are open or closed by the pedal, not the note"
    ]
    assert played(data, tmp_path, drum_map="gm")[1] == []


def test_what_was_odd_is_said_and_a_channel_can_be_chosen(tmp_path: Path) -> None:
    data = song(m.name("Drums") + beat(channel=1), m.name("Bass") + beat((40, 43), channel=2))
    _, lines = played(data, tmp_path)
    assert len(lines) == 1 and "left out: channel 2" in lines[0] and "a.mid: " in lines[0]
    for choice in ({"channel": 1}, {"track": "1"}, {"track": "drums"}):
        assert played(data, tmp_path, **choice)[1] == []
    with pytest.raises(InputError, match="no hits on channel 5; there is channel 1 in track 1"):
        played(data, tmp_path, channel=5)


def test_a_grabbed_cymbal_stops(tmp_path: Path) -> None:
    grab = b"\x83\x30\xa9\x31\x7f" + b"\x30\xa9\x31\0"  # 432 ticks on, and let go
    ring = song(note(49, gate=48, velocity=127) + m.meta(6, b"end", 1920))
    choked = song(note(49, gate=48, velocity=127) + grab + m.meta(6, b"end", 1440))
    (whole,), (cut,) = (played(song, tmp_path)[0].audio for song in (ring, choked))
    assert np.array_equal(whole[:22_000], cut[:22_000]) and np.abs(whole[22_600:]).max() > 1e-3
    assert not np.any(cut[22_050 + 400 :])


def test_a_pedal_that_closes_first_thing_cuts_the_open_hat(tmp_path: Path) -> None:
    open_hat = note(46, gate=48)
    closes = open_hat + m.control(4, 127, 432) + m.meta(6, b"e", 1440)
    (cut,) = played(song(closes), tmp_path)[0].audio
    assert np.any(cut[:22_000]) and not np.any(cut[22_050 + 400 :])
