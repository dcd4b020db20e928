"""What is in a MIDI file or a score, before it is rendered: tracks, tempo, drums, what is odd."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midigroove_core.drum_maps import DEFAULT_MAP, map_names
from midigroove_core.drum_parts import Part, choose_parts, list_parts
from midigroove_core.drum_reading import count_pitches, read_with
from midigroove_core.drums import ARTICULATIONS, CC4_CLOSED, DrumMap, load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.kits.remap import remap
from midigroove_core.midi import performance_of
from midigroove_core.midi_file import STANDARD_INPUT, read_midi_file
from midigroove_core.performance import DrumPerformance
from midigroove_core.readers import is_midi, load_performance


@dataclass(frozen=True)
class PartRow:
    """The notes of one channel in one track.

    Attributes:
        track, name, port, channel: where they are; ports and tracks as the file has them.
        program: first program chosen on the channel (1 to 128), or None.
        hits, lowest, highest: number and pitches.
        taken: whether they are taken as drums.
    """

    track: int
    name: str
    port: int
    channel: int
    program: int | None
    hits: int
    lowest: int
    highest: int
    taken: bool


@dataclass(frozen=True)
class DrumRow:
    """One articulation.

    Attributes:
        drum: its id.
        pitches: pitch -> hits.
        hits: all of them.
        softest, middle, loudest: velocities.
        kit: what the kit plays for it, "" where it has no sound.
        model: what a model that reads `DEFAULT_MAP` plays for it, "" where it has nothing.
    """

    drum: str
    pitches: dict[int, int]
    hits: int
    softest: int
    middle: int
    loudest: int
    kit: str
    model: str


@dataclass(frozen=True)
class MidiSummary:
    """What a file holds, as a drum map reads it.

    Attributes:
        path, format: of the file; "MIDI format 1, 480 ticks a beat", or "score".
        parts: of a MIDI file.
        duration_sec, bars, hits: of what is taken as drums.
        bpm, meters: every tempo and meter in turn, as (second or bar, value); bars from 1.
        drum_map, kit: what pitches and sounds were looked up in.
        drums: what is played.
        unlisted: pitch -> hits that are no drum of the map.
        pedal_moves, chokes: events of the hi-hat pedal, and cymbals grabbed.
        maps: other maps that ship -> hits that each lists.
        lines: what was odd, and what may help.
    """

    path: str
    format: str
    parts: list[PartRow]
    duration_sec: float
    bars: int
    hits: int
    bpm: list[tuple[float, float]]
    meters: list[tuple[int, str]]
    drum_map: str
    kit: str
    drums: list[DrumRow]
    unlisted: dict[int, int]
    pedal_moves: int
    chokes: int
    maps: dict[str, int]
    lines: list[str]

    def to_json(self) -> dict[str, Any]:
        """For `--json`; pitches are strings."""
        values = asdict(self)
        values["unlisted"] = {str(pitch): n for pitch, n in self.unlisted.items()}
        for row in values["drums"]:
            row["pitches"] = {str(pitch): n for pitch, n in row["pitches"].items()}
        return {"kind": "midi", **values}


def summarise(
    path: str | Path,
    *,
    drum_map: str = DEFAULT_MAP,
    kit: str | None = None,
    channel: int | None = None,
    track: int | str | None = None,
) -> MidiSummary:
    """Says what is in a MIDI file (or "-", standard input) or a score.

    Args:
        path: the file.
        drum_map: name of a map or a TOML file.
        kit: what the sampler would play on; the first that ships if not given.
        channel, track: as `load_midi` takes them.

    Raises:
        InputError: as the reader raises it; names the file.
    """
    found = load_drum_map(drum_map)
    opened = load_kit(kit if kit is not None else list_kits()[0].id)
    parts: list[PartRow] = []
    if str(path) == STANDARD_INPUT or is_midi(path):
        try:
            midi = read_midi_file(path)
            performance = performance_of(midi, channel=channel, track=track)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        all_parts = list_parts(midi)
        taken = choose_parts(all_parts, channel, track).parts if all_parts else []
        parts = [_part_row(part, part in taken) for part in all_parts]
        ticks = f"{midi.ticks_per_beat} ticks a beat" if midi.ticks_per_beat else "SMPTE time"
        form = f"MIDI format {midi.format}, {ticks}"
    else:
        performance, form = load_performance(path), "score"
    return _summary(str(path), form, parts, performance, found, opened)


def _summary(
    path: str,
    form: str,
    parts: list[PartRow],
    performance: DrumPerformance,
    drum_map: DrumMap,
    kit: Kit,
) -> MidiSummary:
    reading = read_with(performance, drum_map)
    played = reading.performance
    maps = {name: int(np.isin(performance.pitch, _notes(name)).sum()) for name in map_names()}
    lines = [*performance.oddities, *reading.lines, *_hints(played, drum_map, maps)]
    bars = int(performance.bar_position(performance.onset_sec)[0].max(initial=-1)) + 1
    meter_bars = performance.bar_position(
        performance.beats_to_seconds(np.maximum(performance.meter_beats, 0.0))
    )[0]
    meters = zip(
        (meter_bars + 1).tolist(),
        performance.meter_numerator.tolist(),
        performance.meter_denominator.tolist(),
        strict=True,
    )
    tempi = zip(performance.tempo_sec.tolist(), performance.tempo_bpm.tolist(), strict=True)
    return MidiSummary(
        path=path,
        format=form,
        parts=parts,
        duration_sec=performance.end_sec,
        bars=bars,
        hits=performance.num_hits,
        bpm=[(sec, round(bpm, 3)) for sec, bpm in tempi],
        meters=[(bar, f"{top}/{bottom}") for bar, top, bottom in meters],
        drum_map=drum_map.name,
        kit=kit.name,
        drums=_drum_rows(played, drum_map, kit),
        unlisted=reading.unlisted,
        pedal_moves=len(performance.cc4_sec),
        chokes=len(played.choke_sec),
        maps=maps,
        lines=lines,
    )


def _part_row(part: Part, taken: bool) -> PartRow:
    program = None if part.program is None else part.program + 1
    return PartRow(
        part.track, part.name, part.port, part.channel, program, part.hits,
        min(part.pitches), max(part.pitches), taken,
    )  # fmt: skip


def _notes(name: str) -> list[int]:
    drum_map = load_drum_map(name)
    return [*drum_map.pitches, *drum_map.chokes]


def _drum_rows(performance: DrumPerformance, drum_map: DrumMap, kit: Kit) -> list[DrumRow]:
    target = load_drum_map()
    names = np.array([drum_map.articulation(pitch) for pitch in performance.pitch], dtype=object)
    rows = []
    for name in ARTICULATIONS:
        velocity, pitch = performance.velocity[names == name], performance.pitch[names == name]
        if not len(pitch):
            continue
        pitches = count_pitches(pitch)
        sounds = sorted({kit.played_as(name, p) or "" for p in pitches})
        first = performance.slice(0.0, 0.0)
        first = _one_hit(first, next(iter(pitches)))
        moved, _ = remap(first, drum_map.plain, target)
        model = target.articulation(int(moved.pitch[0])) if moved.num_hits else None
        rows.append(
            DrumRow(name, pitches, len(pitch), int(velocity.min()), int(np.median(velocity)),
                    int(velocity.max()), ", ".join(filter(None, sounds)), model or "")
        )  # fmt: skip
    return rows


def _one_hit(empty: DrumPerformance, pitch: int) -> DrumPerformance:
    return DrumPerformance(
        np.zeros(1), np.zeros(1), np.array([pitch]), np.array([64]), end_sec=empty.end_sec
    )


def _hints(performance: DrumPerformance, drum_map: DrumMap, maps: dict[str, int]) -> list[str]:
    """What may help: a map that lists more, hats on one note."""
    lines = []
    mine = maps.get(drum_map.name, performance.num_hits)
    best = max(maps.values(), default=0)
    if best > mine:
        names = ", ".join(name for name, count in maps.items() if count == best)
        lines.append(f"{names} would list {best:,} hits, {drum_map.name} lists {mine:,}")
    hats = [p for p, name in drum_map.pitches.items() if name in ("hat_closed", "hat_open")]
    struck = set(performance.pitch[np.isin(performance.pitch, hats)].tolist())
    held = performance.cc4_value >= CC4_CLOSED
    if len(struck) == 1 and drum_map.hat_pedal == "notes" and held.any() and not held.all():
        lines.append(
            f"all hats are on pitch {struck.pop()} while the pedal opens and closes: a map with "
            'hat_pedal = "cc4" would follow it'
        )
    return lines
