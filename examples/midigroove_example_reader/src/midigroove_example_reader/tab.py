"""Drum tabs: a line per drum, a character per sixteenth, `|` where one likes to see a bar line.

bpm: 96
HH |x-x-x-x-x-x-x-xo|
SD |----O--g-g--O---|
BD |x-----x---x-----|

`x` and `o` are played, `X` and `O` accented, `g` ghosted; on the hi-hat `o` and `O` are open.
"""

import numpy as np

from midigroove_core import DrumPerformance, PerformanceReader
from midigroove_core.errors import InputError

PITCHES = {"BD": 36, "SD": 38, "HH": 42, "CC": 49, "RD": 51, "HT": 48, "MT": 45, "FT": 43}
VELOCITIES = {"x": 80, "o": 80, "X": 120, "O": 120, "g": 30}
OPEN_HAT = 46


class DrumTabReader(PerformanceReader):
    """Reads drum tabs in 4/4."""

    reader_id = "drum_tab"
    suffixes = (".drumtab",)

    def read(self, path):
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from error
        bpm, hits, steps = 120.0, [], 0
        for number, line in enumerate(lines, start=1):
            name, _, rest = line.strip().partition(":" if line.startswith("bpm") else " ")
            if name == "bpm":
                bpm = tempo(rest, f"{path}: line {number}")
            elif name in PITCHES:
                played = [c for c in rest if c not in "| "]
                steps = max(steps, len(played))
                hits += [(step, pitch(name, c), VELOCITIES[c]) for step, c in enumerate(played)
                         if c in VELOCITIES]  # fmt: skip
            elif name:
                raise InputError(f"{path}: line {number}: no drum {name[:20]!r} in drum tabs")
        if not hits:
            raise InputError(f"{path}: there is no hit in it")
        step, pitches, velocities = np.array(sorted(hits)).T
        return DrumPerformance(
            onset_sec=step * 15.0 / bpm,
            duration_sec=np.full(len(step), 7.5 / bpm),
            pitch=pitches,
            velocity=velocities,
            tempo_bpm=np.array([bpm]),
            end_sec=steps * 15.0 / bpm,
        )


def pitch(name, character):
    return OPEN_HAT if name == "HH" and character in "oO" else PITCHES[name]


def tempo(text, where):
    try:
        bpm = float(text)
    except ValueError:
        bpm = 0.0
    if not 10 <= bpm <= 1000:
        raise InputError(f"{where}: bpm is {text.strip()!r}, not a number from 10 to 1000")
    return bpm
