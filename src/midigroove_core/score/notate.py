"""`notate`: a performance as a drum part in MusicXML, for notation programs and `load_score`."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midigroove_core.atomic import write_text
from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance
from midigroove_core.score import levels
from midigroove_core.score.kit_map import place_of
from midigroove_core.score.quantise import TICKS, Rounding, WrittenBar, WrittenHit, quantise

_PLAIN = {
    36: ("quarter", 1), 24: ("quarter", 0), 18: ("eighth", 1), 12: ("eighth", 0),
    9: ("16th", 1), 6: ("16th", 0), 3: ("32nd", 0),
}  # fmt: skip
"""Ticks -> note value and dots."""
_TRIPLET = {16: ("quarter", 0), 8: ("eighth", 0), 4: ("16th", 0)}
_BEAMS = {"eighth": 1, "16th": 2, "32nd": 3}

ACCENT_FROM = 112
"""Velocity from which a note bears an accent."""
GHOST_BELOW = 48
"""Velocity below which a snare note stands in parentheses."""
_GHOSTS = (37, 38, 40)

_HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)


@dataclass(frozen=True)
class _Value:
    """A note or a rest of one voice: where it starts in its bar, and how it is written."""

    at: int
    ticks: int
    kind: str
    dots: int
    is_rest: bool
    triplet: str = ""  # "start", "stop", "inside" or none
    beams: tuple[str, ...] = ()


def notate(
    performance: DrumPerformance,
    out: str | Path,
    *,
    grid: str = "auto",
    title: str | None = None,
    overwrite: bool = False,
) -> Rounding:
    """Writes a quantised drum part, whole or not at all: hands in the upper voice, feet below.

    Every note carries its sound (`<midi-unpitched>`) and its velocity (`dynamics`), so `load_score`
    gives the same hits again where they lay on the grid.

    Args:
        performance: what is to be written.
        out: a .musicxml file.
        grid: "auto", or the one division of all beats: "8", "16", "32", "8t", "16t" (triplets).
        title: over the part; None for the name of the file.
        overwrite: replace a file that is there, which may be a score that somebody has written.

    Raises:
        InputError: an unknown grid, no hits, another suffix, or a file that is there.
        MidigrooveError: the file cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() not in (".musicxml", ".xml"):
        raise InputError(f"out: {out.name} is no .musicxml file")
    if os.path.lexists(out) and not overwrite:
        raise InputError(f"{out} is there already; `overwrite` replaces, `out` names another")
    bars, rounding = quantise(performance, grid=grid)
    root = _document(bars, out.stem if title is None else title)
    ET.indent(root, " ")
    write_text(out, _HEADER + ET.tostring(root, encoding="unicode") + "\n")
    return rounding


def _document(bars: Sequence[WrittenBar], title: str) -> ET.Element:
    root = ET.Element("score-partwise", version="3.1")
    _text(ET.SubElement(root, "work"), "work-title", title)
    encoding = ET.SubElement(ET.SubElement(root, "identification"), "encoding")
    _text(encoding, "software", "midigroove")
    about = ET.SubElement(ET.SubElement(root, "part-list"), "score-part", id="P1")
    _text(about, "part-name", "Drum Set")
    pitches = sorted({hit.pitch for bar in bars for hits in bar.hits.values() for hit in hits})
    for pitch in pitches:
        instrument = ET.SubElement(about, "score-instrument", id=_instrument(pitch))
        _text(instrument, "instrument-name", place_of(pitch).name)
    for pitch in pitches:
        sound = ET.SubElement(about, "midi-instrument", id=_instrument(pitch))
        _text(sound, "midi-channel", 10)
        _text(sound, "midi-program", 1)
        _text(sound, "midi-unpitched", pitch + 1)
    part = ET.SubElement(root, "part", id="P1")
    before = None
    for number, bar in enumerate(bars, start=1):
        part.append(_measure(bar, number, is_first=before is None, meter_before=before))
        before = bar.meter
    return root


def _measure(
    bar: WrittenBar, number: int, *, is_first: bool, meter_before: tuple[int, int] | None
) -> ET.Element:
    measure = ET.Element("measure", number=str(number))
    if bar.length != TICKS * 4 * bar.meter[0] // bar.meter[1]:
        measure.set("implicit", "yes")
    if bar.meter != meter_before:
        measure.append(_attributes(bar.meter, is_first))
    for tick, bpm in bar.tempi.items():
        _move(measure, "forward", tick)
        measure.append(_tempo(bpm))
        _move(measure, "backup", tick)
    _voice(measure, bar, "1", _played_with(bar, feet=False))
    if feet := _played_with(bar, feet=True):
        _move(measure, "backup", bar.length)
        _voice(measure, bar, "2", feet)
    return measure


def _played_with(bar: WrittenBar, *, feet: bool) -> dict[int, list[WrittenHit]]:
    found = {
        tick: [hit for hit in hits if place_of(hit.pitch).feet == feet]
        for tick, hits in bar.hits.items()
    }
    return {tick: hits for tick, hits in found.items() if hits}


def _attributes(meter: tuple[int, int], is_first: bool) -> ET.Element:
    attributes = ET.Element("attributes")
    if is_first:
        _text(attributes, "divisions", TICKS)
        _text(ET.SubElement(attributes, "key"), "fifths", 0)
    time = ET.SubElement(attributes, "time")
    _text(time, "beats", meter[0])
    _text(time, "beat-type", meter[1])
    if is_first:
        clef = ET.SubElement(attributes, "clef")
        _text(clef, "sign", "percussion")
        _text(clef, "line", 2)
    return attributes


def _tempo(bpm: float) -> ET.Element:
    direction = ET.Element("direction", placement="above")
    metronome = ET.SubElement(ET.SubElement(direction, "direction-type"), "metronome")
    _text(metronome, "beat-unit", "quarter")
    _text(metronome, "per-minute", f"{bpm:.6g}")
    ET.SubElement(direction, "sound", tempo=repr(float(bpm)))
    return direction


def _voice(
    measure: ET.Element, bar: WrittenBar, voice: str, hits: dict[int, list[WrittenHit]]
) -> None:
    if not hits:
        rest = ET.SubElement(measure, "note")
        ET.SubElement(rest, "rest", measure="yes")
        _text(rest, "duration", bar.length)
        _text(rest, "voice", voice)
        return
    place = 0
    for beat in bar.beats:
        inside = [tick - place for tick in sorted(hits) if place <= tick < place + beat]
        for value in with_beams(beat_values(beat, inside)):
            _write(measure, value, voice, [] if value.is_rest else hits[place + value.at])
        place += beat


def beat_values(length: int, onsets: Sequence[int]) -> list[_Value]:
    """Notes and rests that fill a beat of `length` ticks with notes at `onsets` (from its start).

    A note lasts until the next one or the end of the beat, as far as one note value says so.
    """
    is_triplet = any(onset % 3 for onset in onsets)
    kinds = _TRIPLET if is_triplet else _PLAIN
    values: list[_Value] = []
    starts = [*onsets, length]
    if starts[0] > 0:
        values += _rests(0, starts[0], kinds)
    for onset, end in zip(starts[:-1], starts[1:], strict=True):
        ticks = max(value for value in kinds if value <= end - onset)
        values.append(_Value(onset, ticks, *kinds[ticks], is_rest=False))
        values += _rests(onset + ticks, end, kinds)
    if not is_triplet:
        return values
    roles = ["start", *["inside"] * (len(values) - 2), "stop"]
    return [
        _Value(v.at, v.ticks, v.kind, v.dots, v.is_rest, role)
        for v, role in zip(values, roles, strict=True)
    ]


def _rests(start: int, end: int, kinds: dict[int, tuple[str, int]]) -> list[_Value]:
    values = []
    while start < end:
        fits = [v for v in kinds if v <= end - start and (kinds[v][1] == 0 or v == 36)]
        values.append(_Value(start, max(fits), *kinds[max(fits)], is_rest=True))
        start += max(fits)
    return values


def with_beams(values: Sequence[_Value]) -> list[_Value]:
    """The values of a beat with the beams of neighbouring short notes."""
    result = list(values)
    at = 0
    while at < len(values):
        end = at
        while end < len(values) and not values[end].is_rest and values[end].kind in _BEAMS:
            end += 1
        if end - at > 1:
            depths = [_BEAMS[value.kind] for value in values[at:end]]
            for index in range(len(depths)):
                v = values[at + index]
                beams = tuple(_beam(depths, index, level) for level in range(1, depths[index] + 1))
                result[at + index] = _Value(
                    v.at, v.ticks, v.kind, v.dots, v.is_rest, v.triplet, beams
                )
        at = max(end, at + 1)
    return result


def _beam(depths: Sequence[int], index: int, level: int) -> str:
    before = index > 0 and depths[index - 1] >= level
    after = index + 1 < len(depths) and depths[index + 1] >= level
    if before and after:
        return "continue"
    if before or after:
        return "end" if before else "begin"
    return "forward hook" if index == 0 else "backward hook"


def _write(measure: ET.Element, value: _Value, voice: str, hits: Sequence[WrittenHit]) -> None:
    if value.is_rest:
        note = ET.SubElement(measure, "note")
        ET.SubElement(note, "rest")
        _text(note, "duration", value.ticks)
        _ending(note, value, voice, None)
        return
    deepest = max(len(hit.graces) for hit in hits)
    for step in range(deepest, 0, -1):
        chord = [hit for hit in hits if len(hit.graces) >= step]
        for index, hit in enumerate(chord):
            _write_hit(measure, hit.pitch, hit.graces[-step], voice, index > 0, None)
    for index, hit in enumerate(hits):
        _write_hit(measure, hit.pitch, hit.velocity, voice, index > 0, value)


def _write_hit(
    measure: ET.Element, pitch: int, velocity: int, voice: str, in_chord: bool, value: _Value | None
) -> None:
    """A notehead; without a value it is a grace note."""
    place = place_of(pitch)
    note = ET.SubElement(measure, "note", dynamics=f"{velocity * 100 / levels.FORTE:.2f}")
    if value is None:
        ET.SubElement(note, "grace", slash="yes")
    if in_chord:
        ET.SubElement(note, "chord")
    unpitched = ET.SubElement(note, "unpitched")
    _text(unpitched, "display-step", place.step)
    _text(unpitched, "display-octave", place.octave)
    if value is not None:
        _text(note, "duration", value.ticks)
    ET.SubElement(note, "instrument", id=_instrument(pitch))
    if value is None:
        value = _Value(0, 0, "16th", 0, is_rest=False)
        _ending(note, value, voice, place.notehead or None)
        return
    ghost = velocity < GHOST_BELOW and pitch in _GHOSTS
    if in_chord:
        role = value.triplet and "inside"
        value = _Value(value.at, value.ticks, value.kind, value.dots, False, role)
    notations = _ending(note, value, voice, place.notehead or None, ghost=ghost)
    if place.is_open:
        ET.SubElement(ET.SubElement(notations, "technical"), "open")
    if velocity >= ACCENT_FROM:
        ET.SubElement(ET.SubElement(notations, "articulations"), "accent")
    if len(notations):
        note.append(notations)


def _ending(
    note: ET.Element, value: _Value, voice: str, notehead: str | None, *, ghost: bool = False
) -> ET.Element:
    """What follows a note's length, in MusicXML's order; returns its notations, not yet in it."""
    _text(note, "voice", voice)
    _text(note, "type", value.kind)
    for _ in range(value.dots):
        ET.SubElement(note, "dot")
    if value.triplet:
        modification = ET.SubElement(note, "time-modification")
        _text(modification, "actual-notes", 3)
        _text(modification, "normal-notes", 2)
    if not value.is_rest:
        _text(note, "stem", "up" if voice == "1" else "down")
    if notehead or ghost:
        head = _text(note, "notehead", notehead or "normal")
        if ghost:
            head.set("parentheses", "yes")
    for number, beam in enumerate(value.beams, start=1):
        _text(note, "beam", beam).set("number", str(number))
    notations = ET.Element("notations")
    if value.triplet in ("start", "stop"):
        ET.SubElement(notations, "tuplet", type=value.triplet)
        if value.is_rest:
            note.append(notations)
    return notations


def _move(measure: ET.Element, kind: str, ticks: int) -> None:
    if ticks > 0:
        _text(ET.SubElement(measure, kind), "duration", ticks)


def _text(parent: ET.Element, tag: str, text: str | int) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = str(text)
    return element


def _instrument(pitch: int) -> str:
    return f"P1-I{pitch + 1}"
