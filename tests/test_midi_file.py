"""Files that players play: read, and what was odd said; others refused in one line."""

from __future__ import annotations

import os
import random
import struct
import sys
import threading
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from support import midi_bytes as m
from support.midi_bytes import END, beat, chunk, header, meta, note, number, song, track

from midigroove_core import midi_file
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi, read_tempo_and_meter
from midigroove_core.performance import DrumPerformance

SAMPLES = sorted((Path(__file__).parent / "data" / "groove").rglob("*.mid"))
QUARTERS = [0.25 * n for n in range(8)]
TEMPO = meta(0x51, b"\x07\xa1\x20")


def read(data: bytes, tmp_path: Path, **choice: object) -> DrumPerformance:
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    return load_midi(path, **choice)  # type: ignore[arg-type]


def refused(data: bytes, tmp_path: Path) -> str:
    with pytest.raises(InputError, match=r"a\.mid: ") as caught:
        read(data, tmp_path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


HARMLESS = {
    "key of 18 flats": meta(0x59, b"\xee\1"),
    "key mode 255": meta(0x59, b"\xfe\xff"),
    "empty key": meta(0x59),
    "SMPTE offset of 4 bytes": meta(0x54, bytes(4)),
    "empty channel prefix": meta(0x20),
    "empty port": meta(0x21),
    "empty tempo": meta(0x51),
    "tempo of 2 bytes": meta(0x51, b"\x07\xa1"),
    "tempo of 4 bytes": meta(0x51, b"\0\x07\xa1\x20"),
    "tempo and padding": meta(0x51, b"\x07\xa1\x20\0\0"),
    "empty meter": meta(0x58),
    "meter of 1 byte": meta(0x58, b"\4"),
    "meter of 0 beats": meta(0x58, bytes(4)),
    "meter over 2^64": meta(0x58, b"\4\x40\x18\x08"),
    "meter of 9 bytes": meta(0x58, b"\4\2\x18\x08aaaaa"),
    "unknown kind": meta(0x7E, b"x" * 300),
    "kind above 127": meta(0xEE, b"x"),
    "sequencer data": meta(0x7F, bytes(70_000)),
    "text of bytes": meta(1, bytes(range(256))),
    "exclusive with bytes above 127": m.exclusive(b"\x50\x53\0\0\xff\x04\x01\xf7"),
    "escape": b"\0\xf7\3\xf2\1\2",
    "clock": b"\0\xf8",
    "active sensing": b"\0\xfe",
    "undefined": b"\0\xf4\0\xf9\0\xfd",
    "song position": b"\0\xf2\1\2",
    "song select": b"\0\xf3\1",
    "tune request": b"\0\xf6",
    "channel pressure": b"\0\xd9\x40",
    "pitch bend": b"\0\xe9\0\x40",
    "padded delta": b"\x80\x80\x80\x80\x00\xf8",
}


@pytest.mark.parametrize("event", HARMLESS.values(), ids=HARMLESS)
def test_events_that_do_not_matter_change_nothing(event: bytes, tmp_path: Path) -> None:
    performance = read(song(event + beat()), tmp_path)
    np.testing.assert_allclose(performance.onset_sec, QUARTERS, atol=1e-12)
    assert performance.tempo_bpm.tolist() == [120.0]
    assert performance.end_sec == 1.8125


@pytest.mark.parametrize("event", HARMLESS.values(), ids=HARMLESS)
def test_running_status_outlives_every_event(event: bytes, tmp_path: Path) -> None:
    struck = b"\0\x99\x24\x64" + event + b"\x78\x26\x64" + event + b"\x78\x2a\x64"
    if event[1] >= 0xF0:  # those of channels set a status of their own
        performance = read(song(struck), tmp_path)
        assert performance.pitch.tolist() == [36, 38, 42]
        np.testing.assert_allclose(performance.onset_sec, [0.0, 0.125, 0.25])


def test_tempo_and_meter_of_odd_lengths_are_read_where_they_are_clear(tmp_path: Path) -> None:
    slow = (1_000_000).to_bytes(3, "big")
    for data in (slow, b"\0" + slow, slow + b"\0"):
        assert read(song(meta(0x51, data) + beat()), tmp_path).tempo_bpm.tolist() == [60.0]
        assert read_tempo_and_meter(tmp_path / "a.mid") == (60.0, "4-4")
    unclear = read(song(meta(0x51, b"\1" + slow + b"\1") + beat()), tmp_path)
    assert unclear.tempo_bpm.tolist() == [120.0]
    assert unclear.oddities == ("a tempo event of 5 bytes was left out",)
    assert read(song(meta(0x58, b"\7\3") + beat()), tmp_path).meter_numerator.tolist() == [7]
    odd = read(song(meta(0x58, b"\0\2") + meta(0x58, b"\3\x09") + beat()), tmp_path)
    assert odd.meter_numerator.tolist() == [4]
    assert len(odd.oddities) == 2 and all("time signature" in line for line in odd.oddities)
    assert "tempo of 0" in refused(song(meta(0x51, bytes(3)) + beat()), tmp_path)


def test_data_above_127_is_taken_as_127_and_said(tmp_path: Path) -> None:
    loud = read(song(beat(bars=1) + note(49, 180, velocity=0xC8)), tmp_path)
    assert loud.num_hits == 5 and loud.velocity[-1] == 127
    assert loud.oddities == ("1 data byte above 127 taken as 127",)
    both = read(song(b"\0\xb9\xff\xfe" + beat() + note(200, 180)), tmp_path)
    assert both.num_hits == 9 and both.pitch[-1] == 127
    assert both.oddities == ("4 data bytes above 127 taken as 127",)


@pytest.mark.parametrize("change", [-10_000, -70, -5, -1, 1, 5, 500, 1 << 31])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_track_ends_at_its_end_whatever_its_length_says(
    which: int, change: int, tmp_path: Path
) -> None:
    parts = [TEMPO, beat((36, 38)), beat((42, 46))]
    data = header(1, 3)
    for n, events in enumerate(parts):
        whole = events + END
        length = max(0, len(whole) + change) if n == which else None
        data += track(whole, length)
    performance = read(data, tmp_path)
    assert performance.num_hits == 8
    assert performance.oddities == (f"track {which + 1} claims a wrong length; read to its end",)


def test_a_length_that_swallows_the_next_track_loses_nothing(tmp_path: Path) -> None:
    second = track(beat() + END)
    data = header(1, 2) + track(TEMPO + END, len(TEMPO + END) + len(second)) + second
    assert read(data, tmp_path).num_hits == 8


def test_tracks_without_an_end_are_read_to_the_next(tmp_path: Path) -> None:
    data = header(1, 2) + track(beat((36, 38))) + track(beat((42, 46)))
    performance = read(data, tmp_path)
    assert performance.num_hits == 8
    assert performance.oddities == ("tracks 1, 2 has no end-of-track event",)
    wrong = header(1, 2) + track(beat((36, 38)), 3) + track(beat((42, 46)), 1)
    assert read(wrong, tmp_path).num_hits == 8


def test_what_follows_the_end_of_a_track_is_said(tmp_path: Path) -> None:
    performance = read(header() + track(beat() + END + note(49)), tmp_path)
    assert performance.num_hits == 8
    assert "goes on after its end-of-track event" in performance.oddities[0]
    padded = read(header() + track(beat() + END) + bytes(7), tmp_path)
    assert padded.num_hits == 8 and padded.oddities == ()
    rest = read(song(beat()) + b"<html>", tmp_path)
    assert rest.num_hits == 8
    assert rest.oddities == ("6 bytes between or after the tracks were skipped",)
    twice = read(song(beat()) + song(beat()), tmp_path)
    assert twice.num_hits == 8 and "second MIDI file" in twice.oddities[0]


@pytest.mark.parametrize("counted", [True, False])
def test_unknown_chunks_are_stepped_over(counted: bool, tmp_path: Path) -> None:
    others = [chunk(b"XFIH", b"abcdefgh"), chunk(b"CASM", b"MThdMTrk1"), chunk(b"OTSc", b"")]
    data = header(1, 5 if counted else 2)
    data += others[0] + track(TEMPO + END) + others[1] + track(beat() + END) + others[2]
    performance = read(data, tmp_path)
    assert performance.num_hits == 8 and performance.oddities == ()


@pytest.mark.parametrize("declared", [0, 1, 3, 5, 65_535])
def test_the_tracks_that_are_there_count(declared: int, tmp_path: Path) -> None:
    performance = read(header(1, declared) + track(TEMPO + END) + track(beat() + END), tmp_path)
    assert performance.num_hits == 8
    assert performance.oddities == (f"the header says {declared} tracks, the file has 2",)


def test_rmid_and_what_stands_before_the_header(tmp_path: Path) -> None:
    data = song(beat())
    plain = b"RMIDdata" + struct.pack("<I", len(data)) + data
    disp = b"RMIDDISP" + struct.pack("<I", 5) + b"\1\0\0\0x\0" + plain[4:] + b"LIST\4\0\0\0INFO"
    for body in (plain, disp, b"RMIDdata" + struct.pack("<I", 9) + data):
        performance = read(b"RIFF" + struct.pack("<I", len(body)) + body, tmp_path)
        assert performance.num_hits == 8 and performance.oddities == ()
    assert read(bytes(128) + data, tmp_path).oddities == (
        "128 bytes before the header were skipped",
    )
    longer = b"MThd" + struct.pack(">IHHH", 10, 0, 1, 480) + b"abcd" + data[14:]
    assert read(longer, tmp_path).num_hits == 8
    shorter = b"MThd" + struct.pack(">IHHH", 0, 0, 1, 480) + data[14:]
    assert read(shorter, tmp_path).num_hits == 8


@pytest.mark.parametrize("frames", [24, 25, 29, 30])
def test_smpte_time_is_seconds(frames: int, tmp_path: Path) -> None:
    division = (256 - frames) << 8 | 40
    rate = 40 * (30_000 / 1001 if frames == 29 else frames)
    tempo = meta(0x51, (250_000).to_bytes(3, "big"), delta=0)
    performance = read(song(TEMPO + beat() + tempo + note(49, 100), division=division), tmp_path)
    ticks = [240 * n for n in range(8)] + [7 * 240 + 60 + 100]
    np.testing.assert_allclose(performance.onset_sec, np.array(ticks) / rate, atol=1e-9)
    assert performance.tempo_bpm.tolist() == [120.0, 240.0]
    assert performance.tempo_beats[1] == pytest.approx(2 * performance.tempo_sec[1])
    beats = performance.seconds_to_beats(performance.onset_sec)
    np.testing.assert_allclose(performance.beats_to_seconds(beats), performance.onset_sec)


def test_impossible_divisions_are_told_apart(tmp_path: Path) -> None:
    assert "0 ticks per beat" in refused(song(beat(), division=0), tmp_path)
    assert "SMPTE frames" in refused(song(beat(), division=0xE700), tmp_path)  # no ticks
    assert "17 SMPTE frames" in refused(song(beat(), division=0xEF28), tmp_path)


def test_files_that_are_no_midi_or_cut_off_are_refused(tmp_path: Path) -> None:
    good = song(TEMPO, beat())
    assert "no MThd" in refused(b"kick snare", tmp_path)
    assert "cut off" in refused(good[:10], tmp_path)
    assert "no track" in refused(good[:14], tmp_path)
    for stop in (-1, -4, -5, -9, -40):
        assert "cut off" in refused(good[:stop], tmp_path)
    assert "belongs to no event" in refused(song(b"\0\x24\x64" + beat()), tmp_path)
    assert "number of more than 16 bytes" in refused(song(b"\x80" * 30 + beat()), tmp_path)


def test_hours_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    far = beat() + note(36, 0x0FFFFFFF, 10)
    assert "lasts 77.7 hours: more than the 12 hours" in refused(song(far), tmp_path)
    slow = meta(0x51, b"\xff\xff\xff") + note(36, 0x0FFFFFFF)
    assert "more than the 12 hours" in refused(song(slow, division=1), tmp_path)
    for bits in (37, 38, 40, 62, 64, 100):
        assert refused(song(note(36) + note(38, 1 << bits)), tmp_path)
        alone = read(song(note(36) + meta(1, b"x", 1 << bits)), tmp_path)  # nothing to play there
        assert alone.num_hits == 1 and alone.end_sec < 1 and "without a hit" in alone.oddities[0]
    day = note(36) + number(24 * 3600 * 960) + b"\x99\x26\x64"
    assert "lasts 24.0 hours" in refused(song(day), tmp_path)


def test_a_performance_ends_near_its_last_hit(tmp_path: Path) -> None:
    near = read(song(beat() + meta(6, b"end", delta=1800)), tmp_path)
    assert near.end_sec == 1.8125 + 1800 / 960 and near.oddities == ()
    late = m.control(4, 90, 960 * 60) + TEMPO + meta(0x58, b"\3\2")
    far = read(song(beat() + late + meta(6, b"end", delta=960 * 4890)), tmp_path)
    assert far.end_sec == 1.8125
    assert far.oddities == (
        "the file goes on for 83 min without a hit; the performance ends with its last note",
    )
    assert len(far.cc4_sec) == 0 and len(far.tempo_bpm) == len(far.meter_beats) == 1
    hanging = read(song(b"\0\x99\x24\x64" + meta(6, b"end", delta=960 * 4890)), tmp_path)
    assert hanging.end_sec == 10.0 and hanging.duration_sec.tolist() == [10.0]


def test_pipes_and_standard_input_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(song(beat())))
    writer.start()
    assert load_midi(pipe).num_hits == 8
    writer.join()
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(song(beat()))))
    assert load_midi("-").num_hits == 8
    with pytest.raises(InputError, match="standard input: the file is empty"):
        load_midi("-")


def test_a_file_larger_than_midi_ever_is_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midi_file, "LONGEST_BYTES", 1 << 20)
    with open(tmp_path / "a.mid", "wb") as handle:
        handle.truncate(1 << 30)
    with pytest.raises(InputError, match="a.mid: too large for MIDI: more than 1 MiB"):
        load_midi(tmp_path / "a.mid")


def mutated(data: bytes, draw: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(out))
        match draw.randrange(6):
            case 0:
                out[place] = draw.randrange(256)
            case 1:
                out[place] ^= 1 << draw.randrange(8)
            case 2:
                del out[place : place + draw.randrange(1, 40)]
            case 3:
                out[place:place] = draw.randbytes(draw.randrange(1, 40))
            case 4:
                out[place : place + 4] = draw.choice((b"\xff" * 4, bytes(4), b"MTrk", b"\x80" * 4))
            case _:
                other = draw.randrange(len(out))
                out[place:place] = out[other : other + draw.randrange(1, 60)]
        if not out:
            break
    return bytes(out)


def test_mutated_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    draw = random.Random(7)
    seeds = [path.read_bytes()[:4000] + END for path in SAMPLES]
    seeds += [song(TEMPO, beat(), beat((49, 51), channel=1)), song(beat(), division=0xE728)]
    seeds += [song(m.exclusive(b"\x41\x10\x42\x12\x40\x1a\x15\x02\x0f\xf7"), beat(channel=11))]
    counts = {"read": 0, "refused": 0}
    for _ in range(400):
        try:
            performance = read(mutated(draw.choice(seeds), draw), tmp_path)
        except InputError as error:
            assert "\n" not in str(error)
            counts["refused"] += 1
        else:
            assert performance.end_sec <= 12 * 3600 + 10
            assert np.isfinite(performance.onset_sec).all()
            assert (performance.onset_sec <= performance.end_sec).all()
            assert (performance.duration_sec >= 0).all()
            assert all("\n" not in line for line in performance.oddities)
            counts["read"] += 1
    assert min(counts.values()) > 50
