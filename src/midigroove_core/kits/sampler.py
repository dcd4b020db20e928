"""Plays performances on kits: one-shots added at their sample, in plain numpy.

Levels depend on the kit and the velocities only, never on the file as a whole, so performances keep
their dynamics against each other and a part of a performance sounds as it does in the whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import DrumMap, load_drum_map
from midigroove_core.kits.oneshots import Kit
from midigroove_core.performance import DrumPerformance

CHOKE_FADE_SEC = 0.008
"""A choked hi-hat fades over this time, from the moment it is closed."""

CC4_CLOSED = 90
"""Pedal value of a closed hi-hat: Roland modules have a plateau there (high = closed)."""

CYMBALS = ("crash_1", "crash_2", "splash_china", "ride", "ride_bell")
"""What a grab (key pressure) cuts."""

_END_FADE_SEC = 0.010


def render(
    performance: DrumPerformance,
    kit: Kit,
    *,
    sample_rate: int = 44_100,
    drum_map: DrumMap | None = None,
    num_samples: int | None = None,
    tail_sec: float = 2.0,
) -> NDArray[np.float32]:
    """Audio of a performance on a kit.

    A hit at time t starts at sample round(t * sample_rate). Drums and cymbals ring on when struck
    again. An open hi-hat is cut by the next closed or pedal hit and when CC4 reaches `CC4_CLOSED`
    from below, or with the first CC4 of all; a cymbal when its pitch is grabbed.

    Args:
        performance: hits in seconds.
        kit: from `kits.load_kit`; resampled once if its rate differs.
        sample_rate: of the result.
        drum_map: what the pitches mean; Roland TD if not given, as in GMD and E-GMD.
        num_samples: length; without it, the performance's end and `tail_sec`, faded at the end.
        tail_sec: seconds after the performance's end for what still rings.

    Returns:
        [num_samples] float32 mono. Built-in kits leave headroom, but nothing limits the sum.
    """
    drum_map = drum_map or load_drum_map("roland_td")
    voices = kit.at_rate(sample_rate)
    onsets = np.round(performance.onset_sec * sample_rate).astype(np.int64)
    articulations = [drum_map.articulation(pitch) for pitch in performance.pitch]
    faded = num_samples is None
    if num_samples is None:
        num_samples = round((performance.end_sec + tail_sec) * sample_rate)
    stops = _choke_samples(performance, onsets, articulations, sample_rate)
    fade = _fade(round(CHOKE_FADE_SEC * sample_rate))
    out = np.zeros(num_samples, dtype=np.float32)
    for onset, stop, articulation, pitch, velocity in zip(
        onsets, stops, articulations, performance.pitch, performance.velocity, strict=True
    ):
        voice = voices.voice(articulation, int(pitch))
        if voice is None or onset >= num_samples:
            continue
        audio, gain = voice.at(int(velocity))
        held = audio[: num_samples - onset] * np.float32(gain)
        if stop >= 0 and stop - onset < len(held):
            held = held[: stop - onset + len(fade)]
            held[stop - onset :] *= fade[: len(held) - (stop - onset)]
        out[onset : onset + len(held)] += held
    if faded:
        last = _fade(min(num_samples, round(_END_FADE_SEC * sample_rate)))
        out[num_samples - len(last) :] *= last
    return out


def _fade(length: int) -> NDArray[np.float32]:
    return (np.cos(np.linspace(0, np.pi / 2, length)) ** 2).astype(np.float32)


def _choke_samples(
    performance: DrumPerformance,
    onsets: NDArray[np.int64],
    articulations: list[str],
    sample_rate: int,
) -> NDArray[np.int64]:
    """For each hit the sample at which it is choked, or -1: open hats and grabbed cymbals."""
    names = np.array(articulations, dtype=object)
    closing_hits = onsets[(names == "hat_closed") | (names == "hat_pedal")]
    down = performance.cc4_value >= CC4_CLOSED
    pressed = np.flatnonzero(down & ~np.append(False, down[:-1]))  # the first event, too
    closings = np.round(performance.cc4_sec[pressed] * sample_rate).astype(np.int64)
    chokes = np.sort(np.concatenate([closing_hits, closings]))
    stops = np.full(len(onsets), -1, dtype=np.int64)
    opened = np.flatnonzero(names == "hat_open")
    following = np.searchsorted(chokes, onsets[opened], side="right")
    choked = following < len(chokes)
    stops[opened[choked]] = chokes[following[choked]]
    grabs = np.round(performance.choke_sec * sample_rate).astype(np.int64)
    for pitch in np.unique(performance.choke_pitch):
        at = grabs[performance.choke_pitch == pitch]
        cymbals = np.isin(names, CYMBALS) & (performance.pitch == pitch)
        ringing = np.flatnonzero(cymbals & (onsets < at.max()))
        stops[ringing] = at[np.searchsorted(at, onsets[ringing], side="right")]
    return stops
