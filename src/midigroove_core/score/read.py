"""`load_score`: a drum part in notation as a performance, with the timing that is written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.performance import DrumPerformance
from midigroove_core.score.kit_map import pitch_at
from midigroove_core.score.linear import linear_parts, meter_of
from midigroove_core.score.marks import (
    Mark,
    instrument_pitches,
    is_drum_part,
    read_marks,
)
from midigroove_core.score.partitura_lazy import partitura, without_warnings
from midigroove_core.score.timeline import Played, to_performance
from midigroove_core.score.xml_file import read_musicxml

MUSICXML_SUFFIXES = (".musicxml", ".mxl", ".xml")
OTHER_SUFFIXES = (".mei", ".krn", ".match")
SUFFIXES = (*MUSICXML_SUFFIXES, *OTHER_SUFFIXES)


def load_score(path: str | Path) -> DrumPerformance:
    """Reads the drums of a score: MusicXML, or MEI, Humdrum or a match file through partitura.

    Repeats, endings and jumps are played out. All parts for percussion sound together. What a note
    of MusicXML means is told by its instrument's `<midi-unpitched>`, else by its place on the staff
    and its notehead (docs/scores.md). A match file gives the performance that it was matched with.

    Raises:
        InputError: the file is missing or no score, or has no drums, or a note on a place where no
            drum stands; names the file and the bar.
        MidigrooveError: partitura cannot be imported.
    """
    path = Path(path)
    with _naming(path):
        if not path.is_file():
            raise InputError("no such file")
        if path.suffix.lower() in MUSICXML_SUFFIXES:
            return to_performance(_musicxml_parts(path))
        if path.suffix.lower() == ".match":
            return _matched(path)
        return to_performance(_other_parts(path))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Whatever a bad file makes partitura raise becomes an InputError that names it."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(f"{path}") else f"{path}: {text}") from error
    except MidigrooveError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # lxml, partitura: many kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if isinstance(error, AttributeError | LookupError | TypeError):  # speaks of its own code
            reason = f"partitura finds no {path.suffix.lower().lstrip('.')} in it"
        raise InputError(f"{path}: cannot be read as a score ({reason})") from error


def _musicxml_parts(path: Path) -> list[Played]:
    """partitura's drum parts of a MusicXML file, played out, with their marks."""
    from lxml import etree

    root = read_musicxml(path)
    _complete_sounds(root)
    about = {part.get("id"): part for part in root.iter("score-part")}
    parts = root.findall("part")
    drums = [part for part in parts if is_drum_part(part, about.get(part.get("id")))]
    if not drums:
        raise InputError(
            "no part for drums: none has unpitched notes, a percussion clef or MIDI channel 10"
        )
    marks: list[dict[str, Mark]] = []
    linear = []
    for part, played in zip(parts, linear_parts(parts), strict=True):
        if part in drums:
            pitches = instrument_pitches(part, about.get(part.get("id")))
            marks.append(read_marks(played, pitches, first_id=sum(map(len, marks))))
        elif next(played.iter("sound"), None) is None:
            continue
        else:  # kept for its tempo alone: the drums' part need not repeat it
            marks.append({})
        linear.append(played)
    document = etree.Element("score-partwise")
    names = etree.SubElement(document, "part-list")
    for number, part in enumerate(linear):
        part.set("id", f"P{number}")
        score_part = etree.SubElement(names, "score-part", id=f"P{number}")
        etree.SubElement(score_part, "part-name").text = f"P{number}"
        document.append(part)
    with without_warnings():
        found = partitura().load_musicxml(io.BytesIO(etree.tostring(document)))
    return [Played(part, part_marks) for part, part_marks in zip(found.parts, marks, strict=True)]


_UNITS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}


def _complete_sounds(root: Any) -> None:
    """Says in the tree what partitura would leave out: metronome marks, meters, note dynamics."""
    from lxml import etree

    for direction in root.iter("direction"):
        tempo = _metronome(direction)
        if tempo is not None and direction.find("sound[@tempo]") is None:
            etree.SubElement(direction, "sound", tempo=repr(tempo))
    for sound in list(root.iter("sound")):
        if "tempo" in sound.attrib and "dynamics" in sound.attrib:
            twin = etree.Element("sound", dynamics=sound.attrib.pop("dynamics"))
            sound.addnext(twin)
    for time in root.iter("time"):
        meter = meter_of(time)
        for element in time.findall("beats") + time.findall("beat-type"):
            time.remove(element)
        if meter is not None:
            etree.SubElement(time, "beats").text = str(meter[0])
            etree.SubElement(time, "beat-type").text = str(meter[1])
    for note in list(root.iter("note")):
        for dynamics in note.findall("notations/dynamics"):
            direction = etree.Element("direction")
            etree.SubElement(direction, "direction-type").append(dynamics)
            note.addprevious(direction)


def _metronome(direction: Any) -> float | None:
    """Quarter notes a minute of a metronome mark such as "eighth = 120"."""
    metronome = direction.find("direction-type/metronome")
    if metronome is None or metronome.find("per-minute") is None:
        return None
    try:
        number = float((metronome.findtext("per-minute") or "").strip())
    except ValueError:
        return None
    unit = _UNITS.get((metronome.findtext("beat-unit") or "").strip(), 0.0)
    unit *= 2 - 0.5 ** len(metronome.findall("beat-unit-dot"))
    return number * unit if number > 0 and unit > 0 else None


def _other_parts(path: Path) -> list[Played]:
    """Parts of a score that is no MusicXML: partitura's order of repeats, pitches by the clef."""
    module = partitura()
    with without_warnings():
        score = module.load_score(str(path))
        parts = [module.score.unfold_part_maximal(part, update_ids=True) for part in score.parts]
    percussion = [part for part in parts if _has_percussion_clef(part)]
    result = []
    for part in percussion or parts:
        marks = {}
        kinds = module.score.GenericNote
        for number, note in enumerate(part.iter_all(kinds, include_subclasses=True)):
            if isinstance(note, module.score.Rest) or getattr(note, "tie_prev", None) is not None:
                continue
            note.id = f"n{number}"
            marks[note.id] = Mark(_pitch_of(note, bool(percussion)), factor=_accent(note))
        result.append(Played(part, marks))
    return result


def _has_percussion_clef(part: Any) -> bool:
    clefs = part.iter_all(partitura().score.Clef)
    return any(clef.sign in ("percussion", "perc", "X") for clef in clefs)


def _pitch_of(note: Any, by_place: bool) -> int:
    """By the place on a percussion staff; else the pitch itself, as in files made from MIDI."""
    if by_place or isinstance(note, partitura().score.UnpitchedNote):
        return pitch_at(f"{note.step}{note.octave}", getattr(note, "notehead", None))
    return int(note.midi_pitch)


def _accent(note: Any) -> float:
    from midigroove_core.score.levels import ARTICULATIONS

    for name in note.articulations or ():
        if name in ARTICULATIONS:
            return ARTICULATIONS[name]
    return 1.0


def _matched(path: Path) -> DrumPerformance:
    """The performance of a match file: its notes in seconds, as they were played."""
    import numpy as np

    with without_warnings():
        performance, _ = partitura().load_match(str(path))
    rows = [
        (note["note_on"], note["note_off"], note["midi_pitch"], note["velocity"])
        for part in performance.performedparts
        for note in part.notes
    ]
    if not rows:
        raise InputError("the match file has no performed notes")
    table = np.array(rows, dtype=np.float64)
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    return DrumPerformance(
        onset_sec=table[:, 0],
        duration_sec=np.maximum(table[:, 1] - table[:, 0], 0.0),
        pitch=table[:, 2].astype(np.int64),
        velocity=table[:, 3].astype(np.int64),
        end_sec=float(table[:, 1].max()),
    )
