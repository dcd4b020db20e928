"""Plays performances on kits: one-shots added at their sample, in plain numpy.

Levels depend on the kit and the velocities only, never on the file as a whole, so performances keep
their dynamics against each other and a part of a performance sounds as it does in the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drum_reading import read_with
from midigroove_core.drums import CC4_CLOSED, DrumMap, load_drum_map
from midigroove_core.kits.oneshots import Kit
from midigroove_core.kits.round_robin import choose_turns
from midigroove_core.performance import DrumPerformance

CHOKE_FADE_SEC = 0.008
"""A choked hi-hat fades over this time, from the moment it is closed."""

CYMBALS = ("crash_1", "crash_2", "splash_china", "ride", "ride_bell")
"""What a grab (key pressure) cuts."""

STEMS: Mapping[str, tuple[str, ...]] = {
    "kick": ("kick",), "snare": ("snare", "rimshot", "xstick"),
    "toms": ("tom_high", "tom_mid", "tom_low"), "hats": ("hat_closed", "hat_open", "hat_pedal"),
    "cymbals": CYMBALS, "percussion": ("other",),
}  # fmt: skip
"""Stem -> the articulations in it; each articulation is in one."""

_STEM_OF = {name: row for row, names in enumerate(STEMS.values()) for name in names}

BLOCK_SAMPLES = 1 << 18
"""Six seconds at 44.1 kHz."""

_END_FADE_SEC = 0.010


def render(
    performance: DrumPerformance,
    kit: Kit,
    *,
    sample_rate: int = 44_100,
    drum_map: DrumMap | None = None,
    num_samples: int | None = None,
    tail_sec: float = 2.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Audio of a performance on a kit.

    A hit at time t starts at sample round(t * sample_rate). Drums and cymbals ring on when struck
    again. An open hi-hat is cut by the next closed or pedal hit and when CC4 reaches `CC4_CLOSED`
    from below, or with the first CC4 of all; a cymbal when its pitch is grabbed. Pitches that the
    map does not list are silent.

    Args:
        performance: hits in seconds.
        kit: from `kits.load_kit`; resampled once if its rate differs.
        sample_rate: of the result.
        drum_map: what the pitches mean; Roland TD if not given, as in GMD and E-GMD.
        num_samples: length; without it, the performance's end and `tail_sec`, faded at the end.
        tail_sec: seconds after the performance's end for what still rings.
        seed: of the turns that hits take, on kits with alternates (`round_robin`).

    Returns:
        [num_samples] float32 mono. Built-in kits leave headroom, but nothing limits the sum.
    """
    faded = num_samples is None
    if num_samples is None:
        num_samples = round((performance.end_sec + tail_sec) * sample_rate)
    out = np.zeros(num_samples, dtype=np.float32)
    start = 0
    for block in render_blocks(
        performance, kit, num_samples, sample_rate=sample_rate, drum_map=drum_map, seed=seed
    ):
        out[start : start + block.shape[1]] = block[0]
        start += block.shape[1]
    if faded:
        last = _fade(min(num_samples, round(_END_FADE_SEC * sample_rate)))
        out[num_samples - len(last) :] *= last
    return out


def render_blocks(
    performance: DrumPerformance,
    kit: Kit,
    num_samples: int,
    *,
    sample_rate: int = 44_100,
    drum_map: DrumMap | None = None,
    stems: bool = False,
    pan: Mapping[str, tuple[float, float]] | None = None,
    block_samples: int = BLOCK_SAMPLES,
    seed: int = 0,
    rounds: int = 1,
) -> Iterator[NDArray[np.float32]]:
    """The audio of `render` in blocks, so that hours need no more memory than minutes.

    Args:
        performance, kit, num_samples, sample_rate, drum_map: as `render` has them.
        stems: give `STEMS` apart, which add up to the whole; chokes work across them.
        pan: articulation -> gains of left and right, for stereo (`positions.pan_gains`); one-shots
            [2, S] stay as they are. Without it one-shots are [S].
        block_samples: length of the blocks; the last may be shorter.
        seed, rounds: as `choose_turns` has them.

    Yields:
        [R, n] float32; R is 1 or, with `stems`, len(STEMS), and with `pan` twice that, left and
        right of each.
    """
    drum_map = drum_map or load_drum_map()
    performance = read_with(performance, drum_map).performance
    voices = kit.at_rate(sample_rate)
    onsets = np.round(performance.onset_sec * sample_rate).astype(np.int64)
    names = [str(drum_map.articulation(pitch)) for pitch in performance.pitch]
    stops = _choke_samples(performance, onsets, names, sample_rate).tolist()
    rows = [_STEM_OF[name] if stems else 0 for name in names]
    channels = 1 if pan is None else 2
    turns = choose_turns(performance, names, voices, seed=seed, rounds=rounds)
    pitches, velocities = performance.pitch.tolist(), performance.velocity.tolist()
    fade = _fade(round(CHOKE_FADE_SEC * sample_rate))
    ring = np.zeros(((len(STEMS) if stems else 1) * channels, block_samples), dtype=np.float32)
    hit = 0
    for start in range(0, num_samples, block_samples):
        last = int(np.searchsorted(onsets, min(start + block_samples, num_samples)))
        while hit < last:
            voice = voices.voice(names[hit], pitches[hit])
            onset, stop = int(onsets[hit]), stops[hit]
            if voice is not None:
                audio, gain = voice.at(velocities[hit], turns[hit])
                held = _held(audio[..., : num_samples - onset], gain, stop - onset, fade)
                end = onset - start + held.shape[-1]
                if end > ring.shape[1]:
                    ring = np.pad(ring, ((0, 0), (0, end - ring.shape[1])))
                row = rows[hit] * channels
                into = ring[row : row + channels, onset - start : end]
                into += held if pan is None or held.ndim > 1 else np.outer(pan[names[hit]], held)
            hit += 1
        yield ring[:, : min(block_samples, num_samples - start)].copy()
        ring[:, :-block_samples] = ring[:, block_samples:]
        ring[:, -block_samples:] = 0.0


def _held(
    audio: NDArray[np.float32], gain: float, stop: int, fade: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A one-shot at its level, choked after `stop` samples; below 0 it rings out."""
    held = audio * np.float32(gain)
    if 0 <= stop < held.shape[-1]:
        held = held[..., : stop + len(fade)]
        held[..., stop:] *= fade[: held.shape[-1] - stop]
    return held


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
