"""In which order the bars of a score are played: repeats, endings, and jumps.

partitura unfolds scores too, but only the first 52 sections, always twice, and by recursion; a
drum chart of 40 repeated two-bar patterns, or one that says "four times", is nothing rare.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from midigroove_core.errors import InputError

MAX_BARS = 20_000
"""Bars that a score may have when its repeats are played."""

_WORDS = (
    (re.compile(r"^\s*D\.?\s*C\.?(\s|$)", re.I), "dacapo"),
    (re.compile(r"^\s*D\.?\s*S\.?(\s|$)", re.I), "dalsegno"),
    (re.compile(r"^\s*(al|to)\s+coda\s*$", re.I), "tocoda"),
    (re.compile(r"^\s*fine\s*$", re.I), "fine"),
)
_SIGNS = ("segno", "coda", "tocoda", "fine", "dacapo", "dalsegno")


@dataclass
class Bar:
    """What one bar says about the order: of all parts together."""

    forward: bool = False
    backward: bool = False
    times: int = 2
    endings: frozenset[int] = frozenset()
    last_ending: int = 0
    segno: bool = False
    coda: bool = False
    tocoda: bool = False
    fine: bool = False
    dacapo: bool = False
    dalsegno: bool = False


def read_bars(parts: Sequence[Any]) -> list[Bar]:
    """The signs of each bar of a score's <part> elements."""
    bars: list[Bar] = []
    for part in parts:
        open_ending: frozenset[int] = frozenset()
        for index, measure in enumerate(part.findall("measure")):
            if index == len(bars):
                bars.append(Bar())
            open_ending = _read_barlines(measure, bars[index], open_ending)
            _read_signs(measure, bars[index])
    _group_endings(bars)
    return bars


def play_order(bars: Sequence[Bar]) -> list[int]:
    """The index of each bar that is played, in order.

    After a jump (D.C., D.S.) repeats are not taken again and the last endings are, as musicians
    read it.

    Raises:
        InputError: more than `MAX_BARS` would be played.
    """
    order: list[int] = []
    at, start, turn = 0, 0, 1
    jumped = at_coda = False
    while at < len(bars):
        bar = bars[at]
        if bar.forward and at != start:
            start, turn = at, 1
        if bar.endings and (bar.last_ending if jumped else turn) not in bar.endings:
            at += 1
            continue
        order.append(at)
        if len(order) > MAX_BARS:
            raise InputError(f"its repeats make more than {MAX_BARS} bars")
        if jumped and bar.fine:
            break
        if jumped and not at_coda and bar.tocoda and (coda := _coda(bars)) is not None:
            at, at_coda = coda, True
            continue
        if bar.backward and not jumped and turn < (bar.last_ending or bar.times):
            at, turn = start, turn + 1
            continue
        if (bar.dacapo or bar.dalsegno) and not jumped:
            jumped = True
            at = _segno(bars) if bar.dalsegno else 0
            continue
        if bar.backward or (bar.endings and bar.last_ending in bar.endings):
            after_ending = at + 1 < len(bars) and bars[at + 1].endings == bar.endings != frozenset()
            if not after_ending:
                start, turn = at + 1, 1
        at += 1
    return order


def _segno(bars: Sequence[Bar]) -> int:
    return next((index for index, bar in enumerate(bars) if bar.segno), 0)


def _coda(bars: Sequence[Bar]) -> int | None:
    return next((index for index, bar in enumerate(bars) if bar.coda), None)


def _read_barlines(measure: Any, bar: Bar, open_ending: frozenset[int]) -> frozenset[int]:
    """Reads repeats and endings; returns the ending that goes on in the next bar."""
    closes = False
    for line in measure.findall("barline"):
        ending = line.find("ending")
        if ending is not None and ending.get("type") == "start":
            numbers = re.findall(r"\d{1,4}", ending.get("number") or "")
            open_ending = frozenset(int(number) for number in numbers) or frozenset({1})
        elif ending is not None:
            closes = True
        repeat = line.find("repeat")
        if repeat is not None and repeat.get("direction") == "forward":
            bar.forward = True
        elif repeat is not None:
            bar.backward = True
            times = repeat.get("times") or "2"
            bar.times = max(int(times), 1) if re.fullmatch(r"\d{1,5}", times) else 2
    bar.endings = bar.endings or open_ending
    return frozenset() if closes else open_ending


def _read_signs(measure: Any, bar: Bar) -> None:
    for sound in measure.iter("sound"):
        for sign in _SIGNS:
            if sound.get(sign) not in (None, "no"):
                setattr(bar, sign, True)
    for direction in measure.findall("direction"):
        if direction.find("direction-type/segno") is not None:
            bar.segno = True
        if direction.find("sound") is not None:
            continue
        for words in direction.findall("direction-type/words"):
            for pattern, sign in _WORDS:
                if pattern.match(words.text or ""):
                    setattr(bar, sign, True)


def _group_endings(bars: Sequence[Bar]) -> None:
    """Tells each bar of an ending the highest number of the endings that it stands among."""
    at = 0
    while at < len(bars):
        end = at
        while end < len(bars) and bars[end].endings:
            if end > at and min(bars[end].endings) < min(bars[end - 1].endings):
                break
            end += 1
        for bar in bars[at:end]:
            bar.last_ending = max(max(b.endings) for b in bars[at:end])
        at = max(end, at + 1)
