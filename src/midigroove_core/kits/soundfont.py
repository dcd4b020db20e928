"""One-shots cut from a SoundFont with the `fluidsynth` program (https://www.fluidsynth.org).

FluidSynth applies the font's own envelopes, filters and velocity curves, so a one-shot sounds as
the font does. Its player starts notes on blocks of 64 samples; each one-shot is therefore trimmed
to its own attack, and the sampler places it to the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from midigroove_core.errors import InputError
from midigroove_core.kits.fluidsynth import run_fluidsynth
from midigroove_core.kits.oneshots import SAMPLE_RATE

Audio = NDArray[np.float32]

_BLOCK = 64
_LEAD_SAMPLES = 8_192
_LEAD_IN_SAMPLES = 12
_ATTACK_LEVEL = 0.02
_ALL_SOUND_OFF = 120


Note = tuple[int, int, float]
"""Pitch, velocity, seconds to keep."""


def render_notes(
    font: str | Path, notes: Sequence[Note], *, program: int = 0, gain: float = 0.5
) -> list[Audio]:
    """Plays notes one at a time on a drum preset.

    Args:
        font: a .sf2 or .sf3 file.
        notes: each is held for its seconds.
        program: preset number, in the drum bank (128) or, where that is silent, in bank 0.
        gain: FluidSynth's output gain; 0.5 leaves headroom for single hits.

    Returns:
        One mono array per note at 44.1 kHz, starting a few samples before the note.

    Raises:
        MidigrooveError: the program `fluidsynth` is missing, fails, or writes too little.
        InputError: the font is not there, or no note makes a sound.
    """
    if not Path(font).is_file():
        raise InputError(f"{font}: no such SoundFont")
    for channel in (9, 0):
        audio = _play(font, notes, channel, program, gain)
        if np.abs(audio).max(initial=0.0) > 1e-5:
            break
    else:
        raise InputError(f"{font}: program {program} makes no sound for drum notes")
    shots = []
    for start, (_, _, seconds) in zip(_starts(notes), notes, strict=True):
        shots.append(audio[start : start + round(seconds * SAMPLE_RATE)])
    return shots


def _starts(notes: Sequence[Note]) -> list[int]:
    starts = [_LEAD_SAMPLES]
    for *_, seconds in notes[:-1]:
        blocks = round(seconds * SAMPLE_RATE) // _BLOCK
        starts.append(starts[-1] + blocks * _BLOCK + _LEAD_SAMPLES)
    return starts


def _play(
    font: str | Path,
    notes: Sequence[Note],
    channel: int,
    program: int,
    gain: float,
) -> Audio:
    """The whole sequence as mono; one MIDI tick is one sample."""
    events: list[tuple[int, mido.Message]] = []
    for start, (pitch, velocity, seconds) in zip(_starts(notes), notes, strict=True):
        end = start + round(seconds * SAMPLE_RATE)
        on = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
        events.append((start, on))
        events.append((end, mido.Message("note_off", channel=channel, note=pitch)))
        silence = mido.Message("control_change", channel=channel, control=_ALL_SOUND_OFF)
        events.append((end + _LEAD_SAMPLES // 2, silence))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track.append(mido.Message("program_change", channel=channel, program=program))
    last = 0
    for tick, message in events:
        track.append(message.copy(time=tick - last))
        last = tick
    midi = mido.MidiFile(type=0, ticks_per_beat=SAMPLE_RATE // 2, tracks=[track])
    length = _starts(notes)[-1] + round(notes[-1][2] * SAMPLE_RATE)
    return run_fluidsynth(Path(font), midi, length, gain=gain)


def cut_layers(shots: dict[int, Audio], *, tolerance_db: float = -45.0) -> dict[int, Audio]:
    """Leaves out the velocities that are a scaled copy of the next louder one.

    `shots` maps velocity -> one-shot, all rendered by `render_notes`. A velocity is kept where the
    font changes the sound (another sample, another filter) or where its level departs by more than
    1 dB from the curve that the sampler follows by itself, amplitude ~ velocity^2.
    """
    kept: dict[int, Audio] = {}
    louder = max(shots)
    kept[louder] = shots[louder]
    for velocity in sorted(shots, reverse=True)[1:]:
        shot, above = shots[velocity].astype(np.float64), shots[louder].astype(np.float64)
        scale = float(above @ shot) / max(float(above @ above), 1e-20)
        rest = shot - scale * above
        residual_db = 10 * np.log10((rest @ rest + 1e-20) / (shot @ shot + 1e-20))
        expected = (velocity / louder) ** 2
        if residual_db > tolerance_db or abs(20 * np.log10(max(scale, 1e-9) / expected)) > 1.0:
            kept[velocity] = shots[velocity]
            louder = velocity
    return dict(sorted(kept.items()))


def trim(shot: Audio, *, floor_db: float = -60.0, longest_sec: float | None = None) -> Audio:
    """Starts a one-shot at its attack and ends it in silence.

    The attack is where the signal passes 2 % of its peak; 12 samples before it fade in. The end is
    where the rest stays `floor_db` below the loudest 5 ms, or `longest_sec`; a shot that is cut
    while it rings fades over its last third, others over 10 ms.
    """
    peak = float(np.abs(shot).max(initial=0.0))
    if peak <= 0.0:
        return np.zeros(0, dtype=np.float32)
    attack = int(np.argmax(np.abs(shot) > _ATTACK_LEVEL * peak))
    start = max(0, attack - _LEAD_IN_SAMPLES)
    shot = shot[start:].astype(np.float32, copy=True)
    shot[: attack - start] *= np.linspace(0, 1, attack - start, endpoint=False, dtype=np.float32)
    window = SAMPLE_RATE // 200
    frames = np.pad(shot, (0, -len(shot) % window)).reshape(-1, window)
    level = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    end = (int(np.flatnonzero(level > level.max() * 10 ** (floor_db / 20))[-1]) + 1) * window
    fade = SAMPLE_RATE // 100
    if longest_sec is not None and end > longest_sec * SAMPLE_RATE:
        end = round(longest_sec * SAMPLE_RATE)
        fade = end // 3
    shot = shot[:end]
    fade = min(fade, len(shot))
    shot[len(shot) - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return shot
