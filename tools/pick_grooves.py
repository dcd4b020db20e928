"""Choose the grooves that ship with midigroove from the Groove MIDI Dataset (CC BY 4.0).

    python tools/pick_grooves.py --gmd DIR

DIR holds the dataset's info.csv. Picks performances that differ most from those already picked in
style, drummer, meter, tempo and density; cuts them at bar lines to at most a minute; writes
`assets/grooves/*.mid` and `grooves.json`, and eight bars of a test groove to examples/groove.mid.
No randomness: the same data gives the same bytes. Drummers are split, so nobody is heard in two
splits.
"""

from __future__ import annotations

import argparse
import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido

from midigroove_core.atomic import atomic_path, write_json

ASSETS = Path(__file__).parents[1] / "src/midigroove_core/assets/grooves"
EXAMPLE = Path(__file__).parents[1] / "examples/groove.mid"
SPLITS = {"train": "1,2,3,5,6,7", "validation": "4,9,10", "test": "8"}
COUNTS = {"train": 40, "validation": 10, "test": 12}
LONGEST_SEC = 60.0
SHORTEST_SEC = 8.0
AHEAD_SEC = 0.06  # drummers play ahead of the click: no cut where a hit lies this close before it
EXAMPLE_STYLE, EXAMPLE_BARS_SEC = "neworleans/funk", 22.0  # examples/groove.mid: eight bars
DRUM_CHANNEL = 9
HI_HAT_PEDAL = 4


@dataclass
class Row:
    """A performance of the dataset, its events in ticks, and what it is compared by."""

    info: dict[str, str]
    events: list[tuple[int, mido.Message]]
    ticks_per_beat: int
    tempo: int
    density: float

    @property
    def bar_ticks(self) -> int:
        numerator, denominator = map(int, self.info["time_signature"].split("-"))
        return self.ticks_per_beat * 4 * numerator // denominator

    def seconds(self, ticks: int) -> float:
        return ticks * self.tempo / 1e6 / self.ticks_per_beat

    def distance(self, other: Row) -> float:
        """How unlike two performances are; each term is about 1 when they clearly differ."""
        mine, theirs = self.info, other.info
        tempo = abs(math.log2(float(mine["bpm"]) / float(theirs["bpm"])))
        density = abs(math.log2(self.density / other.density))
        return (
            1.0 * (mine["style"].split("/")[0] != theirs["style"].split("/")[0])
            + 1.0 * (mine["style"] != theirs["style"])
            + 1.5 * (mine["time_signature"] != theirs["time_signature"])
            + 0.8 * (mine["drummer"] != theirs["drummer"])
            + min(1.0, tempo) + min(1.0, density)
        )  # fmt: skip


def read_row(folder: Path, info: dict[str, str]) -> Row:
    """Reads one file of the dataset: type 0, one tempo."""
    midi = mido.MidiFile(folder / info["midi_filename"])
    now, events, tempo = 0, [], 500_000
    for message in mido.merge_tracks(midi.tracks):
        now += message.time
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type in ("note_on", "note_off") or message.is_cc(HI_HAT_PEDAL):
            events.append((now, message))
    hits = sum(is_hit(message) for _, message in events)
    density = max(hits, 1) / float(info["duration"])
    return Row(info, events, midi.ticks_per_beat, tempo, density)


def is_hit(message: mido.Message) -> bool:
    return message.type == "note_on" and message.velocity > 0


def pick(rows: list[Row], count: int) -> list[Row]:
    """Farthest-point selection: each pick is the one least like all the picks before it."""
    picked = [max(rows, key=lambda row: (row.density, row.info["id"]))]
    while len(picked) < min(count, len(rows)):
        rest = [row for row in rows if row not in picked]
        picked.append(
            max(rest, key=lambda row: (min(row.distance(p) for p in picked), row.info["id"]))
        )
    return picked


def choose_bars(row: Row, longest_sec: float) -> tuple[int, int] | None:
    """First and last bar (exclusive) to keep, or None for all of a short performance.

    Starts lie on every fourth bar where no hit anticipates the bar line; the window with the most
    different drums wins, then the one with the most hits, then the earliest.
    """
    hits = [(tick, message.note) for tick, message in row.events if is_hit(message)]
    num_bars = hits[-1][0] // row.bar_ticks + 1
    keep = int(longest_sec / row.seconds(row.bar_ticks))
    if num_bars <= keep:
        silent_end = row.events[-1][0] > num_bars * row.bar_ticks
        return (0, num_bars) if silent_end else None
    ahead = round(AHEAD_SEC / row.seconds(1))
    best: tuple[tuple[int, int, int], int] | None = None
    for bar in range(0, num_bars - keep + 1, 4):
        start, end = bar * row.bar_ticks, (bar + keep) * row.bar_ticks
        if any(start - ahead <= tick < start for tick, _ in hits):
            continue
        inside = [pitch for tick, pitch in hits if start <= tick < end]
        score = (len(set(inside)), len(inside), -bar)
        if best is None or score > best[0]:
            best = (score, bar)
    first = best[1] if best else 0
    return first, first + keep


def cut(row: Row, bars: tuple[int, int] | None) -> mido.MidiFile:
    """The kept bars as a type-0 file; the pedal's position is carried in, open notes are closed."""
    start, end = (bar * row.bar_ticks for bar in bars) if bars else (0, row.events[-1][0] + 1)
    numerator, denominator = map(int, row.info["time_signature"].split("-"))
    track = mido.MidiTrack([
        mido.MetaMessage("set_tempo", tempo=row.tempo),
        mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator),
    ])  # fmt: skip
    before = [m for tick, m in row.events if tick < start and m.is_cc(HI_HAT_PEDAL)]
    kept = [(0, before[-1])] if before else []
    sounding: set[int] = set()
    for tick, message in row.events:
        if not start <= tick < end:
            continue
        if message.type in ("note_on", "note_off"):
            if not is_hit(message) and message.note not in sounding:
                continue  # the end of a note that began before the cut
            (sounding.add if is_hit(message) else sounding.discard)(message.note)
        kept.append((tick - start, message))
    kept += [(end - start, mido.Message("note_off", note=note)) for note in sorted(sounding)]
    last = 0
    for tick, message in kept:
        track.append(message.copy(time=tick - last, channel=DRUM_CHANNEL))
        last = tick
    length = max(last, end - start) if bars else last
    track.append(mido.MetaMessage("end_of_track", time=length - last))
    return mido.MidiFile(type=0, ticks_per_beat=row.ticks_per_beat, tracks=[track])


def save(midi: mido.MidiFile, path: Path) -> None:
    with atomic_path(path) as temporary:
        midi.save(temporary)


def write_groove(row: Row, split: str, folder: Path) -> dict[str, Any]:
    """Writes one groove; returns its manifest entry."""
    bars = choose_bars(row, LONGEST_SEC)
    midi = cut(row, bars)
    info = row.info
    name = info["midi_filename"].removesuffix(".mid").replace("/", "_").replace("session", "s")
    save(midi, folder / f"{name}.mid")
    return {
        "name": name, "path": f"{name}.mid", "split": split, "drummer": info["drummer"],
        "style": info["style"], "bpm": float(info["bpm"]), "beat_type": info["beat_type"],
        "time_signature": info["time_signature"], "duration_sec": round(midi.length, 3),
        "num_hits": sum(is_hit(m) for m in midi.tracks[0]), "source": info["midi_filename"],
        "bars": list(bars) if bars else None,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gmd", type=Path, required=True, help="folder with info.csv")
    args = parser.parse_args()
    with open(args.gmd / "info.csv", newline="") as file:
        infos = sorted(csv.DictReader(file), key=lambda info: info["id"])
    for old in ASSETS.glob("*.mid"):
        old.unlink()
    grooves = []
    for split, numbers in SPLITS.items():
        drummers = {f"drummer{number}" for number in numbers.split(",")}
        rows = [
            read_row(args.gmd, info)
            for info in infos
            if info["drummer"] in drummers and float(info["duration"]) >= SHORTEST_SEC
        ]
        picked = pick(rows, COUNTS[split])
        grooves += [write_groove(row, split, ASSETS) for row in picked]
    example = next(row for row in picked if row.info["style"] == EXAMPLE_STYLE)
    save(cut(example, choose_bars(example, EXAMPLE_BARS_SEC)), EXAMPLE)
    grooves.sort(key=lambda groove: (list(SPLITS).index(groove["split"]), groove["name"]))
    write_json(ASSETS / "grooves.json", {"schema": 1, "grooves": grooves})
    print(f"{len(grooves)} grooves, {sum(g['duration_sec'] for g in grooves) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
