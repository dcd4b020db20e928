"""What stands at each note of a MusicXML part that partitura does not read.

Which drum it is (`<midi-unpitched>` or the place on the staff), signs over it, grace notes, ghost
notes, ties. The notes get ids under which partitura's timeline finds these marks again; grace notes
are taken out of the part, and ties and silent notes become rests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from midigroove_core.errors import InputError
from midigroove_core.score import levels
from midigroove_core.score.kit_map import closed, opened, pitch_at


@dataclass(frozen=True)
class Mark:
    """One note's drum and accents.

    Attributes:
        pitch: MIDI pitch.
        velocity: what the note itself says (1..127), or None.
        factor: what its signs multiply the score's level with.
        graces: chords of grace notes before it, the first one first.
        strokes: equal strokes that the note is split into (a measured tremolo), as notes of so
            many to the quarter note; 0 for one stroke.
    """

    pitch: int
    velocity: int | None = None
    factor: float = 1.0
    graces: tuple[tuple[Mark, ...], ...] = ()
    strokes: int = 0


@dataclass
class _Reading:
    """What reading one part's notes keeps from note to note."""

    pitches: dict[str, int]
    marks: dict[str, Mark] = field(default_factory=dict)
    waiting: dict[str, list[list[Mark]]] = field(default_factory=dict)  # graces by voice


def read_marks(part: Any, pitches: dict[str, int], first_id: int) -> dict[str, Mark]:
    """Marks of a part's notes by the ids that it gives them; changes the part (see above).

    Args:
        part: a linear <part> element.
        pitches: instrument id -> MIDI pitch, of `instrument_pitches`.
        first_id: number of the first id.

    Raises:
        InputError: a note on a place where no drum stands; names the bar.
    """
    reading = _Reading(pitches)
    for measure in part:
        for note in measure.findall("note"):
            try:
                _read_note(note, reading, f"n{first_id + len(reading.marks)}")
            except InputError as error:
                raise InputError(f"bar {measure.get('number')}: {error}") from error
    return reading.marks


def is_drum_part(part: Any, score_part: Any | None) -> bool:
    """Whether a part is for percussion: unpitched notes, a percussion clef, or MIDI channel 10."""
    if next(part.iter("unpitched"), None) is not None:
        return True
    if any(sign.text == "percussion" for sign in part.iter("sign")):
        return True
    channels = [] if score_part is None else list(score_part.iter("midi-channel"))
    return any((channel.text or "").strip() == "10" for channel in channels)


def instrument_pitches(part: Any, score_part: Any | None) -> dict[str, int]:
    """MIDI pitch of each instrument id of a part that tells one (MusicXML counts from 1).

    A part whose notes stand on several places but whose sounds are all one is a kit without a map,
    whatever its one number says: it is read by the places.
    """
    found: dict[str, int] = {}
    for instrument in [] if score_part is None else score_part.iter("midi-instrument"):
        text = (instrument.findtext("midi-unpitched") or "").strip()
        if re.fullmatch(r"\d{1,3}", text) and 1 <= int(text) <= 128:
            found[instrument.get("id", "")] = int(text) - 1
    places = {
        (unpitched.findtext("display-step"), unpitched.findtext("display-octave"))
        for unpitched in part.iter("unpitched")
    }
    return {} if len(set(found.values())) == 1 and len(places) > 1 else found


def _read_note(note: Any, reading: _Reading, name: str) -> None:
    voice = note.findtext("voice") or "1"
    is_tied = any(tie.get("type") == "stop" for tie in note.findall("tie"))
    if note.find("rest") is not None:
        return
    if note.find("cue") is not None or is_tied or note.findtext("notehead") == "none":
        _silence(note)
        return
    mark = _mark(note, reading.pitches)
    waiting = reading.waiting.setdefault(voice, [])
    if note.find("grace") is not None:
        if note.find("chord") is not None and waiting:
            waiting[-1].append(mark)
        else:
            waiting.append([mark])
        note.getparent().remove(note)
        return
    if waiting:
        graces = tuple(tuple(chord) for chord in waiting)
        mark = Mark(mark.pitch, mark.velocity, mark.factor, graces, mark.strokes)
        waiting.clear()
    note.set("id", name)
    reading.marks[name] = mark


def _silence(note: Any) -> None:
    """A grace note that is silent goes; any other note leaves its time as a rest."""
    from lxml import etree

    if note.find("grace") is not None or note.find("chord") is not None:
        note.getparent().remove(note)
        return
    for name in ("unpitched", "pitch", "notations", "tie", "notehead", "cue"):
        for element in note.findall(name):
            note.remove(element)
    note.insert(0, etree.Element("rest"))


def _mark(note: Any, pitches: dict[str, int]) -> Mark:
    notations = {element.tag for part in note.findall("notations") for element in part.iter()}
    pitch = _pitch(note, pitches)
    if notations & {"open", "open-string", "harmonic", "half-muted"}:
        pitch = opened(pitch)
    elif "stopped" in notations:
        pitch = closed(pitch)
    factor = 1.0
    for name, value in levels.ARTICULATIONS.items():
        if name in notations:
            factor = value
            break
    notehead = note.find("notehead")
    if notehead is not None and notehead.get("parentheses") == "yes":
        factor *= levels.GHOST
    return Mark(pitch, _own_velocity(note), factor, strokes=_strokes(note))


def _own_velocity(note: Any) -> int | None:
    try:
        percent = float(note.get("dynamics", ""))
    except ValueError:
        return None
    return levels.clipped(percent * levels.FORTE / 100) if percent >= 0 else None


def _pitch(note: Any, pitches: dict[str, int]) -> int:
    instrument = note.find("instrument")
    if instrument is not None and instrument.get("id") in pitches:
        return pitches[instrument.get("id")]
    if instrument is None and len(pitches) == 1:
        return next(iter(pitches.values()))
    place = note.find("unpitched")
    if place is not None:
        step, octave = place.findtext("display-step"), place.findtext("display-octave")
        if step is None or octave is None:  # in the middle of its staff: a part for one drum
            raise InputError("a note without a place and without a sound of its own")
        return pitch_at(f"{step.strip()}{octave.strip()}", note.findtext("notehead"))
    return _sounding(note.find("pitch"))


def _sounding(pitch: Any) -> int:
    """MIDI pitch of a pitched note in a part for percussion: files made from MIDI have these."""
    step, octave = (pitch.findtext("step") or "").strip(), (pitch.findtext("octave") or "").strip()
    alter = (pitch.findtext("alter") or "0").strip()
    valid = step in ("C", "D", "E", "F", "G", "A", "B") and octave.isdigit() and len(octave) == 1
    if not valid or not re.fullmatch(r"-?[0-2]", alter):
        raise InputError(f"a pitch of {step}{octave}")
    height = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[step]
    found = 12 * (int(octave) + 1) + height + int(alter)
    if not 0 <= found <= 127:
        raise InputError(f"a pitch of {step}{octave}, outside of MIDI")
    return found


_BEAMS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}


def _strokes(note: Any) -> int:
    """Strokes to the quarter note of a tremolo: each of its bars halves, as beams do."""
    tremolo = next(iter(note.iter("tremolo")), None)
    if tremolo is None or tremolo.get("type", "single") not in ("single", "unmeasured"):
        return 0
    text = (tremolo.text or "").strip()
    bars = int(text) if re.fullmatch(r"[1-8]", text) else 3  # a buzz roll: as 32nd notes
    return int(2 ** min(bars + _BEAMS.get(note.findtext("type") or "", 0), 3))
