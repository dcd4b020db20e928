"""Hours of MIDI and a million notes: time in proportion to notes and hours, memory that stays.

    python benchmarks/long_midi.py [--quick]

Each line is a process of its own: a MIDI file of so many notes over so many hours is read, and
rendered to a 16-bit WAV by the sampler. CPU seconds are of this process alone; memory is the most
that it held, of which the libraries and a kit are some 100 MB. The WAV is removed again.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = [
    (125_000, 1.0), (250_000, 1.0), (500_000, 1.0), (1_000_000, 1.0),
    (100_000, 2.5), (100_000, 5.0), (100_000, 10.0), (1_000_000, 10.0),
]  # fmt: skip
QUICK = [(10_000, 0.1), (20_000, 0.1), (10_000, 0.2)]
PITCHES = (36, 38, 42, 42, 42, 46, 51, 45, 49)
TICKS_PER_SEC = 960
LONGEST_DELTA = 4


def midi_file(notes: int, hours: float) -> bytes:
    """A file of one track at 120 beats a minute, with hits at random times."""
    draw = random.Random(0)
    ticks = sorted(draw.randrange(int(hours * 3600 * TICKS_PER_SEC)) for _ in range(notes))
    events, before = bytearray(), 0
    for tick in ticks:
        delta, before = tick - before, tick
        numbers = [delta & 0x7F]
        while delta := delta >> 7:
            numbers.append(0x80 | delta & 0x7F)
        events += bytes(reversed(numbers))
        events += bytes((0x99, draw.choice(PITCHES), draw.randrange(20, 127)))
    events += b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(
        ">I", len(events)
    ) + bytes(events)  # fmt: skip


def measure(midi: Path) -> dict[str, float]:
    """CPU seconds of reading and rendering in this process, and the memory that each took."""
    from midigroove_core.midi import load_midi
    from midigroove_core.rendering.config import RenderConfig
    from midigroove_core.rendering.files import from_files_to_files

    start = time.process_time()
    hits = load_midi(midi).num_hits
    loaded, memory = time.process_time(), held_mb()
    config = RenderConfig(engine="sampler", kit="standard")
    (result,) = from_files_to_files([(midi, midi.with_suffix(".wav"))], config)
    assert result.error is None, result.error
    done = time.process_time()
    return {
        "hits": hits, "load_sec": loaded - start, "load_mb": memory,
        "render_sec": done - loaded, "render_mb": held_mb(),
        "wav_mb": midi.with_suffix(".wav").stat().st_size / 1e6,
    }  # fmt: skip


def held_mb() -> float:
    """The most memory that this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="minutes in place of hours")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one)))
        return
    print("notes      hours   load            render            WAV")
    for notes, hours in QUICK if args.quick else CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.mid"
            path.write_bytes(midi_file(notes, hours))
            command = [sys.executable, __file__, "--one", str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(done.stdout)
        print(
            f"{notes:>9,}  {hours:>5g}  {found['load_sec']:5.1f} s {found['load_mb']:5.0f} MB"
            f"  {found['render_sec']:6.1f} s {found['render_mb']:5.0f} MB"
            f"  {found['wav_mb']:6.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
