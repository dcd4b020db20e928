"""Does `load_midi` agree with the ticks of every file, and how fast is it?

    python benchmarks/midi.py GROOVE_DIR

The reference is its own reading: every note-on with a velocity, at the sum of its delta ticks under
an exact tempo map in whole numbers (microseconds times ticks). Compared with it, on every MIDI file
of the folder: hits lost or added by `load_midi`, and the largest difference in onset time. Exits
with 1 if a hit is lost or a time is off by a microsecond.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import mido
import numpy as np

from midigroove_core.midi import load_midi

Hits = list[tuple[float, int, int]]


def exact_hits(path: Path) -> tuple[Hits, int]:
    """(seconds, pitch, loudest velocity) without doubles, and the number of note-ons."""
    midi = mido.MidiFile(path)
    elapsed, microseconds, count = 0, 500_000, 0
    loudest: dict[tuple[float, int], int] = {}
    for message in mido.merge_tracks(midi.tracks):
        elapsed += message.time * microseconds
        if message.type == "set_tempo":
            microseconds = message.tempo
        if message.type == "note_on" and message.velocity > 0:
            count += 1
            key = (elapsed / (midi.ticks_per_beat * 1_000_000), message.note)
            loudest[key] = max(message.velocity, loudest.get(key, 0))
    return sorted((*key, velocity) for key, velocity in loudest.items()), count


def main(folder: Path) -> int:
    """Prints the comparison; the exit code."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix in (".mid", ".midi"))
    wrong, worst_sec, totals = [], 0.0, Counter[str]()
    seconds: list[float] = []
    for path in paths:
        expected, count = exact_hits(path)
        start = time.perf_counter()
        performance = load_midi(path)
        seconds.append(time.perf_counter() - start)
        totals.update(note_ons=count, doubled=count - len(expected), read=performance.num_hits)
        pitches = [(pitch, velocity) for _, pitch, velocity in expected]
        found = zip(performance.pitch.tolist(), performance.velocity.tolist(), strict=True)
        if list(found) != pitches:
            wrong.append(path)
            continue
        off = np.abs(performance.onset_sec - [second for second, _, _ in expected])
        worst_sec = max(worst_sec, float(off.max(initial=0.0)))
    print(
        f"{len(paths)} files, {totals['note_ons']:,} note-ons, of them {totals['doubled']} doubled"
    )
    print(f"load_midi: {totals['read']:,} hits; files that differ: {len(wrong)}")
    print(f"largest difference in onset time: {worst_sec:.1e} s")
    print(f"time per file: median {1e3 * np.median(seconds):.1f} ms, all {sum(seconds):.1f} s")
    return 1 if wrong or worst_sec > 1e-6 else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
