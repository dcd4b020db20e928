"""MIDI files that went wrong, rendered: every hit sounds at its time, or one line says why not.

The beat is kick, hat, snare, hat at 0.25 s each, twice. What is right stands beside each file.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import midi_bytes as m
from support.midi_bytes import END, beat, chunk, header, meta, note, number, song, track

from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.progress import Silent
from midigroove_core.rendering import render
from midigroove_core.rendering.config import Engine, RenderConfig

TEMPO = meta(0x51, b"\x07\xa1\x20")
GS_DRUMS_ON_11 = bytes.fromhex("41104212401a15020ff7")
CLOSED_LATE = number(432) + b"\xa9\x31\x7f" + number(48) + b"\xa9\x31\0"


def one(events: bytes) -> bytes:
    """A file of one track at 120 beats a minute."""
    return header() + track(TEMPO + events + END)


def claims(events: bytes, more: int) -> bytes:
    """The same with a track length that is wrong."""
    whole = TEMPO + events + END
    return header() + track(whole, max(0, len(whole) + more))


RIGHT = song(TEMPO + beat())
PLAYED: dict[str, tuple[bytes, int, str]] = {
    # name: (file, hits, what the one line says, or "" for none)
    "05 key of 18 flats": (one(meta(0x59, b"\xee\1") + beat()), 8, ""),
    "05 key mode 255": (one(meta(0x59, b"\xfe\xff") + beat()), 8, ""),
    "05 key without bytes": (one(meta(0x59) + beat()), 8, ""),
    "05 meter of 2 bytes": (one(meta(0x58, b"\7\3") + beat()), 8, ""),
    "05 meter of 0 beats": (one(meta(0x58, bytes(4)) + beat()), 8, "time signature of 0/2^0"),
    "05 meter over 2^64": (one(meta(0x58, b"\4\x40\x18\x08") + beat()), 8, "4/2^64 was left out"),
    "05 SMPTE offset of 4 bytes": (one(meta(0x54, bytes(4)) + beat()), 8, ""),
    "05 channel prefix without bytes": (one(meta(0x20) + beat()), 8, ""),
    "05 tempo of 4 bytes": (
        header() + track(meta(0x51, b"\0\x07\xa1\x20") + beat() + END),
        8,
        "",
    ),
    "06 controller value 255": (one(b"\0\xb9\x07\xff" + beat()), 8, "1 data byte above 127"),
    "06 exclusive with 255": (
        one(b"\0\xf0\x08\x50\x53\0\0\xff\x04\x01\xf7" + beat()),
        8,
        "",
    ),
    "07 too long": (claims(beat(), 5), 8, "track 1 claims a wrong length; read to its end"),
    "07 zero": (claims(beat(), -(1 << 20)), 8, "track 1 claims a wrong length; read to its end"),
    "07 too long, first of two": (
        header(1, 2) + track(TEMPO + END, len(TEMPO + END) + 3) + track(beat() + END),
        8,
        "track 1 claims a wrong length; read to its end",
    ),
    "08 vendor chunk before": (header() + chunk(b"XFIH", b"abcdefgh") + RIGHT[14:], 8, ""),
    "08 vendor chunk between": (
        header(1, 2) + track(TEMPO + END) + chunk(b"CASM", b"abcdefg") + track(beat() + END),
        8,
        "",
    ),
    "09 header says 1 of 2": (
        header(1, 1) + track(TEMPO + END) + track(beat() + END),
        8,
        "the header says 1 tracks, the file has 2",
    ),
    "09 header says 0": (header(1, 0) + RIGHT[14:], 8, "says 0 tracks, the file has 1"),
    "09 header says 5": (header(1, 5) + RIGHT[14:], 8, "says 5 tracks, the file has 1"),
    "10 RMID": (
        b"RIFF"
        + (12 + len(RIGHT)).to_bytes(4, "little")
        + b"RMIDdata"
        + len(RIGHT).to_bytes(4, "little")
        + RIGHT,
        8,
        "",
    ),
    "11 stray note on 10": (
        song(TEMPO, m.name("Drums") + beat(channel=1), m.name("Click") + note(37)),
        9,
        'taken as drums: channel 1 in track 2 "Drums" (8 hits), channel 10 in track 3 "Click"',
    ),
    "11 drums on 1, bass on 2": (
        song(
            TEMPO, m.name("Drums") + beat(channel=1), m.name("Bass") + beat((40, 43), channel=2)
        ),
        8,
        'left out: channel 2 in track 3 "Bass" (4 hits)',
    ),
    "11 second drum part of GS": (
        song(TEMPO + m.exclusive(GS_DRUMS_ON_11), beat(), beat((49, 51), channel=11)),
        12,
        "",
    ),
    "15 end of track far away": (
        header() + track(TEMPO + beat() + number(960 * 4890) + b"\xff\x2f\0"),
        8,
        "the file goes on for 82 min without a hit; the performance ends with its last note",
    ),
}  # fmt: skip


class Lines(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@lru_cache
def engine(kit: str) -> tuple[RenderConfig, Engine]:
    config = RenderConfig(engine="sampler", tail_sec=0.5, sample_rate=8000, kit=kit)
    return config, render.open_engine(config)


def rendered(path: Path, kit: str = "standard") -> tuple[np.ndarray, list[str]]:
    lines = Lines()
    config, opened = engine(kit)
    return render.from_file(path, config, engine=opened, progress=lines).audio[0], lines.lines


@pytest.mark.parametrize(("data", "hits", "said"), PLAYED.values(), ids=PLAYED)
def test_every_hit_is_played_at_its_time(data: bytes, hits: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    performance = load_midi(path)
    assert performance.num_hits == hits
    assert set(np.arange(8) * 0.25) >= set(performance.onset_sec.tolist())
    audio, lines = rendered(path)
    assert len(audio) < 8000 * 3.0
    assert len(lines) == (1 if said else 0)
    assert said in "".join(lines)
    if hits == 8:
        (tmp_path / "right.mid").write_bytes(RIGHT)
        assert np.array_equal(audio, rendered(tmp_path / "right.mid")[0])


def test_06_a_velocity_of_200_is_127(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(one(beat(bars=1) + number(180) + b"\x99\x31\xc8" + number(60) + b"\x89\x31\0"))
    performance = load_midi(path)
    assert performance.num_hits == 5 and performance.velocity[-1] == 127
    assert performance.oddities == ("1 data byte above 127 taken as 127",)


FAR = number(0x0FFFFFFF) + b"\x99\x24\x64" + number(10) + b"\x89\x24\0"
REFUSED: dict[str, tuple[bytes, str]] = {
    "03 a hit after 77 hours": (one(beat() + FAR), "the performance lasts 77.7 hours"),
    "03 a hit after 286 years": (
        header(division=1) + track(meta(0x51, b"\xff\xff\xff") + FAR + END),
        "more than the 12 hours that are read",
    ),
    "09 no hits": (one(meta(1, b"x", 1920)), "there is no hit in it"),
    "09 only a header": (header(1, 0), "there is no track in it"),
    "14 a chart of another game": (
        song(TEMPO, m.name("PART DRUMS") + beat((96, 97, 98, 97), channel=1)),
        "8 hits are no drum of the map roland_td: pitches 96 (2), 97 (4), 98 (2)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_played_is_one_line(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    with pytest.raises(InputError, match="a.mid: ") as caught:
        rendered(path)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_12_a_grabbed_crash_stops_and_another_rings(tmp_path: Path) -> None:
    for name, grab in (("ring", b""), ("choke", CLOSED_LATE)):
        events = note(49, gate=48, velocity=127) + grab + meta(6, b"end", 1920 - 480 * bool(grab))
        (tmp_path / f"{name}.mid").write_bytes(one(events))
    ring, choke = (rendered(tmp_path / f"{name}.mid")[0] for name in ("ring", "choke"))
    at = 8000 // 2
    assert np.array_equal(ring[:at], choke[:at])
    assert np.abs(ring[at + 100 :]).max() > 1e-2 and not np.any(choke[at + 80 :])


def test_14_pitches_without_a_sound_are_named_beside_those_that_play(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    odd = (0, 16, 27, 31, 33, 34, 65, 71, 73, 78, 80, 81, 82, 84, 85, 87, 97, 103)
    path.write_bytes(song(TEMPO + beat(), b"".join(note(pitch) for pitch in odd)))
    (tmp_path / "right.mid").write_bytes(RIGHT)
    audio, lines = rendered(path)
    listed = ", ".join(f"{pitch} (1)" for pitch in odd)
    assert lines == [f"18 hits are no drum of the map roland_td: pitches {listed}; left out"]
    assert np.array_equal(audio, rendered(tmp_path / "right.mid")[0])


def test_25_what_a_kit_lacks_and_did_not_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "kit" / "snare").mkdir(parents=True)
    shot = 0.5 * np.hanning(800) * np.sin(np.arange(800) / 3)
    soundfile.write(tmp_path / "kit" / "hat_closed.wav", shot, 44_100)
    soundfile.write(tmp_path / "kit" / "snare" / "snare.wav", shot, 44_100)
    (tmp_path / "kit" / "kick.mp3").write_bytes(b"mp3")
    (tmp_path / "a.mid").write_bytes(RIGHT)
    lines = Lines()
    config = RenderConfig(engine="sampler", kit=str(tmp_path / "kit"))
    render.from_file(tmp_path / "a.mid", config, progress=lines)
    assert "not read" in lines.lines[0] and lines.lines[0].endswith(": kick.mp3, snare/")
    assert lines.lines[1:] == ["kit kit: no sound for 2 kick, 2 snare"]
