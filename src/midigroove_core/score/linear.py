"""A score's parts as they are played, bar after bar, for a reader that knows no repeats.

What a bar takes over from the bars before it on paper (divisions, meter, tempo, dynamics) is
stated anew where the order of play jumps, as notation programs play it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from midigroove_core.errors import InputError
from midigroove_core.score.play_order import play_order, read_bars


@dataclass
class _State:
    """What holds at the start of a bar."""

    divisions: int = 1
    meter: tuple[int, int] = (4, 4)
    sounds: dict[str, str] = field(default_factory=dict)  # tempo, dynamics
    dynamics: str = ""


_REMAINING = ("n", "pppppp", "ppppp", "pppp", "ppp", "pp", "p", "mp", "mf",
              "f", "ff", "fff", "ffff", "fffff", "ffffff")  # fmt: skip

_MUSIC = ("note", "backup", "forward")


def linear_parts(parts: Sequence[Any]) -> list[Any]:
    """New <part> elements whose bars stand in the order of play, all equally long in time.

    Raises:
        InputError: a length or a division that is not a number, or endless repeats.
    """
    from lxml import etree

    order = play_order(read_bars(parts))
    measures = [part.findall("measure") for part in parts]
    for bars in measures:
        _write_out_bar_repeats(bars)
    states = [_states(bars) for bars in measures]
    lengths = _lengths(measures, states)
    result = []
    for part, bars, before in zip(parts, measures, states, strict=True):
        linear = etree.Element("part", part.attrib)
        for place, index in enumerate(order):
            if index >= len(bars):
                continue
            bar = deepcopy(bars[index])
            if place == 0 or order[place - 1] != index - 1:
                _restate(bar, before[index])
            _fill_up(bar, before[index].divisions, lengths[index])
            for line in bar.findall("barline"):
                bar.remove(line)
            linear.append(bar)
        result.append(linear)
    return result


def meter_of(time: Any) -> tuple[int, int] | None:
    """Beats and beat type of a <time> element; (5, 8) for "3+2" over 8; None without a meter."""
    beats, kinds = time.findall("beats"), time.findall("beat-type")
    if not beats or len(beats) != len(kinds):
        return None
    total, bottom = Fraction(0), 1
    for top, kind in zip(beats, kinds, strict=True):
        numbers = [int(number) for number in re.findall(r"\d{1,3}", top.text or "")]
        unit = (kind.text or "").strip()
        if not numbers or unit not in ("1", "2", "4", "8", "16", "32", "64"):
            return None
        total += Fraction(sum(numbers), int(unit))
        bottom = max(bottom, int(unit))
    return (int(total * bottom), bottom) if total > 0 else None


def duration_of(element: Any) -> int:
    """Divisions that a <note>, <backup> or <forward> lasts.

    Raises:
        InputError: not a whole number.
    """
    text = (element.findtext("duration") or "0").strip()
    if not re.fullmatch(r"\d{1,9}(\.0*)?", text):
        raise InputError(f"a duration of {text!r}, not a whole number of divisions")
    return int(text.split(".")[0])


def _write_out_bar_repeats(bars: list[Any]) -> None:
    """Puts the notes of the bars before into bars that only say "as before" (a percent sign)."""
    span = 0
    for index, bar in enumerate(bars):
        for sign in bar.iter("measure-repeat"):
            text = (sign.text or "").strip()
            starts = sign.get("type") == "start" and re.fullmatch(r"[1-9]\d{0,2}", text)
            span = int(text) if starts else 0
        if not span or span > index or any(note.find("rest") is None for note in bar.iter("note")):
            continue
        for element in list(bar):
            if element.tag in _MUSIC:
                bar.remove(element)
        bar.extend(deepcopy(element) for element in bars[index - span] if element.tag in _MUSIC)


def _states(bars: Sequence[Any]) -> list[_State]:
    """What holds at the start of each bar on paper."""
    state, states = _State(), []
    for bar in bars:
        states.append(deepcopy(state))
        for element in bar.iter("divisions", "time", "sound", "dynamics"):
            if element.tag == "divisions":
                text = (element.text or "").strip()
                if not re.fullmatch(r"\d{1,6}", text) or int(text) == 0:
                    raise InputError(f"divisions of {text!r} a quarter note")
                state.divisions = int(text)
            elif element.tag == "time":
                state.meter = meter_of(element) or state.meter
            elif element.tag == "sound":
                given = {name: element.get(name) for name in ("tempo", "dynamics")}
                state.sounds.update({k: v for k, v in given.items() if v is not None})
                if "dynamics" in element.attrib:
                    state.dynamics = ""
            elif (marks := [mark.tag for mark in element if mark.tag in _REMAINING]) != []:
                state.dynamics = marks[-1]
                if element.getparent().getparent().find("sound[@dynamics]") is None:
                    state.sounds.pop("dynamics", None)
    return states


def _restate(bar: Any, state: _State) -> None:
    from lxml import etree

    attributes = etree.Element("attributes")
    etree.SubElement(attributes, "divisions").text = str(state.divisions)
    time = etree.SubElement(attributes, "time")
    etree.SubElement(time, "beats").text = str(state.meter[0])
    etree.SubElement(time, "beat-type").text = str(state.meter[1])
    first = [attributes]
    own = bar.find("attributes")
    if own is not None:
        for name in ("divisions", "time"):
            if own.find(name) is not None:
                attributes.remove(attributes.find(name))
    for name, value in state.sounds.items():
        if not _states_at_start(bar, name):
            first.append(etree.Element("sound", {name: value}))
    if state.dynamics and not _states_at_start(bar, "dynamics"):
        direction = etree.Element("direction")
        kind = etree.SubElement(etree.SubElement(direction, "direction-type"), "dynamics")
        etree.SubElement(kind, state.dynamics)
        first.append(direction)
    for place, element in enumerate(first):
        bar.insert(place, element)


def _states_at_start(bar: Any, name: str) -> bool:
    """Whether a bar gives a tempo or dynamics of its own before its first note."""
    for element in bar:
        if element.tag in _MUSIC:
            return False
        for sound in element.iter("sound"):
            if name in sound.attrib:
                return True
        if name == "dynamics" and next(element.iter("dynamics"), None) is not None:
            return True
    return False


def _walk(bar: Any, divisions: int) -> tuple[Fraction, Fraction]:
    """(place at which a bar's last element ends, longest reach) in quarter notes."""
    place = reach = Fraction(0)
    for element in bar:
        if element.tag == "attributes" and element.find("divisions") is not None:
            divisions = int(element.findtext("divisions"))
        elif element.tag == "backup":
            place = max(place - Fraction(duration_of(element), divisions), Fraction(0))
        elif element.tag == "forward" or (
            element.tag == "note" and element.find("chord") is None and not _is_grace(element)
        ):
            place += Fraction(duration_of(element), divisions)
            reach = max(reach, place)
    return place, reach


def _is_grace(note: Any) -> bool:
    return note.find("grace") is not None


def _lengths(measures: Sequence[Sequence[Any]], states: Sequence[Sequence[_State]]) -> list[Any]:
    """How long each bar is, in quarter notes: as its longest part, or by its meter when empty."""
    lengths: list[Fraction] = []
    meters: list[Fraction] = []
    for bars, before in zip(measures, states, strict=True):
        for index, (bar, state) in enumerate(zip(bars, before, strict=True)):
            own = [meter_of(time) for time in bar.iter("time")]
            top, bottom = next((meter for meter in own if meter), state.meter)
            if index == len(lengths):
                lengths.append(Fraction(0))
                meters.append(Fraction(4 * top, bottom))
            lengths[index] = max(lengths[index], _walk(bar, state.divisions)[1])
    return [length or meter for length, meter in zip(lengths, meters, strict=True)]


def _fill_up(bar: Any, divisions: int, length: Fraction) -> None:
    """Lets a bar that ends early last as long as it does in the other parts."""
    from lxml import etree

    place, reach = _walk(bar, divisions)
    if reach >= length:
        return
    for element in bar.iter("divisions"):
        divisions = int(element.text)
    missing = (length - place) * divisions
    finer = missing.denominator
    if finer > 1:
        attributes = etree.SubElement(bar, "attributes")
        etree.SubElement(attributes, "divisions").text = str(divisions * finer)
    rest = etree.SubElement(etree.SubElement(bar, "forward"), "duration")
    rest.text = str(int(missing * finer))
    if finer > 1:
        attributes = etree.SubElement(bar, "attributes")
        etree.SubElement(attributes, "divisions").text = str(divisions)
