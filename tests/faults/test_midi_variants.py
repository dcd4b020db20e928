"""Other files of the kinds in `test_midi_rows`: two faults at once, formats and wrappers mixed."""

from __future__ import annotations

import itertools
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from support import midi_bytes as m
from support.midi_bytes import END, beat, chunk, header, meta, note, number, song, track

from midigroove_core.cli import run
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi

QUARTERS = [0.25 * n for n in range(8)]
TEMPO = meta(0x51, b"\x07\xa1\x20")

HEADERS = {
    "plain": header(),
    "long": b"MThd\0\0\0\x0a" + header()[8:] + b"more",
    "wrong count": header(1, 77),
}
FRONTS = {
    "": b"",
    "vendor chunk": chunk(b"XFKM", b"\0\1" * 9),
    "MTrk in a chunk": chunk(b"note", b"see MTrk below"),
}
EVENTS = {
    "": b"",
    "odd key": meta(0x59, b"\x7f"),
    "clock": b"\0\xf8\0\xfe",
    "long exclusive": m.exclusive(b"\x7e" * 200 + b"\xf7"),
    "continued exclusive": b"\0\xf0\2\x43\x10" + b"\0\xf7\2\x4c\xf7",
    "aftertouch of another channel": b"\0\xa0\x31\x7f",
}
LENGTHS = {"right": 0, "short": -9, "long": 6, "zero": -(1 << 30), "huge": 1 << 28}
CASES = list(itertools.product(HEADERS, FRONTS, EVENTS, LENGTHS))


def wrapped(data: bytes, before: bytes, after: bytes) -> bytes:
    body = b"RMID" + before + b"data" + len(data).to_bytes(4, "little") + data
    body += b"\0" * (len(data) % 2) + after
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def read(data: bytes, tmp_path: Path, **choice: object):
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    return load_midi(path, **choice)  # type: ignore[arg-type]


def test_faults_together_lose_no_hit(tmp_path: Path) -> None:
    for head, front, event, length in CASES:
        body = TEMPO + EVENTS[event] + beat() + END
        claimed = max(0, len(body) + LENGTHS[length])
        data = HEADERS[head] + FRONTS[front] + track(body, claimed)
        performance = read(data, tmp_path)
        where = (head, front, event, length)
        assert performance.onset_sec.tolist() == QUARTERS, where
        assert any("wrong length" in line for line in performance.oddities) == (
            length != "right"
        ), where


@pytest.mark.parametrize("size", [3, 4, 5])
def test_rmid_with_chunks_of_any_size_around(size: int, tmp_path: Path) -> None:
    info = b"LIST" + size.to_bytes(4, "little") + b"x" * size + b"\0" * (size % 2)
    for before, after in ((info, b""), (b"", info), (info, info)):
        data = wrapped(song(TEMPO + beat()), before, after)
        assert read(data, tmp_path).onset_sec.tolist() == QUARTERS


@pytest.mark.parametrize(
    ("message", "drums"),
    [
        ("41104212401b15010ef7", True),  # block B of GS is channel 12
        ("41104212401b150010f7", False),
        ("43104c080b0702f7", True),  # part 11 of XG is channel 12
        ("43104c080b0700f7", False),
    ],
)
def test_declared_drum_parts_count(message: str, drums: bool, tmp_path: Path) -> None:
    data = song(m.exclusive(bytes.fromhex(message)), beat(), beat((49, 51), channel=12))
    performance = read(data, tmp_path)
    assert performance.num_hits == (12 if drums else 8)
    assert bool(performance.oddities) != drums


def test_banks_ports_and_names_choose_drums(tmp_path: Path) -> None:
    bank = m.control(0, 120, channel=3)  # General MIDI 2
    assert read(song(bank + beat(channel=3), beat((60, 64), channel=1)), tmp_path).num_hits == 8
    port = meta(0x21, b"\1")
    both = read(song(beat(), port + beat((49, 51))), tmp_path)  # channel 10 of two ports
    assert both.num_hits == 12 and both.oddities == ()
    named = song(
        m.name("Piano") + beat((60, 64)[:1], channel=1), m.name("Batería") + beat(channel=2)
    )
    assert read(named, tmp_path).num_hits == 8


def test_a_hit_on_the_last_tick_that_is_read_and_one_later(tmp_path: Path) -> None:
    twelve_hours = 12 * 3600 * 960
    far = beat(bars=1) + note(36, twelve_hours - 3 * 240 - 60)
    assert read(song(far), tmp_path).onset_sec[-1] == 12 * 3600
    with pytest.raises(InputError, match="12.0 hours"):
        read(song(beat(bars=1) + note(36, twelve_hours)), tmp_path)


def test_smpte_files_keep_their_seconds_whatever_the_tempo(tmp_path: Path) -> None:
    division = (256 - 25) << 8 | 40  # milliseconds
    hits = b"".join(note(p, 190 if n else 0, gate=60) for n, p in enumerate((36, 42, 38, 42)))
    for tempo in (b"", TEMPO, meta(0x51, b"\x03\0\0")):
        performance = read(song(tempo + hits, division=division), tmp_path)
        assert performance.onset_sec.tolist() == [0.0, 0.25, 0.5, 0.75]


def test_a_batch_leaves_the_long_file_out_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "far.mid").write_bytes(song(beat() + note(36, 0x0FFFFFFF)))
    (folder / "ok.MID").write_bytes(song(beat()))
    (folder / "torn.mid").write_bytes(song(beat())[:-20])
    arguments = ["data", "synth", "--midi", str(folder), "--out", str(tmp_path / "out")]
    code = run([*arguments, "--kits", "tr808", "--workers", "1"])
    skipped = (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()
    assert code == 1
    assert [json.loads(line)["performance"] for line in skipped] == ["far.mid", "torn.mid"]
    assert (tmp_path / "out" / "ok_1.wav").is_file()
    assert "Traceback" not in "".join(capsys.readouterr())


def test_24_a_pipe_is_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe.mid"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(song(TEMPO + beat()),))
    writer.start()
    out = tmp_path / "out.wav"
    assert run(["render", str(pipe), "--engine", "sampler", "-o", str(out)]) == 0
    writer.join()
    assert out.is_file()
    assert "out.wav: 3.81 s" in "".join(capsys.readouterr().err.split("\n"))


def test_gmd_like_files_keep_times_to_a_microsecond(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    ticks = np.sort(rng.integers(0, 400_000, 500))
    tempi = rng.integers(300_000, 900_000, 40).tolist()
    spots = np.sort(rng.integers(0, 400_000, 40)).tolist()
    track_of_tempo, before = b"", 0
    for tick, tempo in zip(spots, tempi, strict=True):
        track_of_tempo += meta(0x51, int(tempo).to_bytes(3, "big"), tick - before)
        before = tick
    hits, before = b"", 0
    for tick in ticks.tolist():
        hits += number(tick - before) + b"\x99\x26\x40"
        before = tick
    performance = read(song(track_of_tempo, hits), tmp_path)
    exact, elapsed, here, microseconds = [], 0, 0, 500_000
    changes = [*zip(spots, tempi, strict=True), (1 << 30, 0)]
    for tick in np.unique(ticks).tolist():
        while changes[0][0] <= tick:
            spot, tempo = changes.pop(0)
            elapsed += (spot - here) * microseconds
            here, microseconds = spot, tempo
        exact.append((elapsed + (tick - here) * microseconds) / 480e6)
    assert np.abs(performance.onset_sec - np.array(exact)).max() < 1e-9


def test_a_batch_plays_the_channel_it_is_told_to(tmp_path: Path) -> None:
    data = song(m.name("Drums") + beat(channel=1), m.name("Perc") + beat((49, 51), channel=10))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mid").write_bytes(data)
    arguments = ["data", "synth", "--midi", str(tmp_path / "in"), "--kits", "tr808"]
    for choice, pitches in ((["--channel", "1"], {36, 38, 42}), (["--track", "perc"], {49, 51})):
        out = tmp_path / choice[1]
        assert run([*arguments, "--workers", "1", "--out", str(out), *choice]) == 0
        written = load_midi(out / "a_1.midi")
        assert set(written.pitch.tolist()) == pitches
        assert np.array_equal(written.onset_sec, np.arange(written.num_hits) * 0.25)
        before = (out / "a_1.wav").stat().st_mtime_ns
        assert run([*arguments, "--workers", "1", "--out", str(out), *choice]) == 0
        assert (out / "a_1.wav").stat().st_mtime_ns == before
