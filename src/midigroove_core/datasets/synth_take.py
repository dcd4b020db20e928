"""How a take of `data synth` sounds, and how loud a kit is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import SILENCE
from midigroove_core.datasets.alteration import (
    DRIVEN_PEAK,
    Alteration,
    alter,
    at_speed,
    num_samples_before,
)
from midigroove_core.drum_reading import keep_hits
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits import library as kits
from midigroove_core.kits import sampler
from midigroove_core.kits.fluidsynth import SoundFontPreset, play
from midigroove_core.kits.kitsfile import KitSpec
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit
from midigroove_core.kits.sampler import STEMS
from midigroove_core.midi import DrumPerformance

_LOUD_PITCHES = (36, 38, 46, 49, 57, 43)

TAIL_SEC = 1.0
"""Audio after the last note's end, for what still rings."""

KITS_AT_ONCE = 8
"""Kits of one-shots that a process keeps loaded: a task has no more."""


@dataclass(frozen=True)
class PlayedKit:
    """A kit, or an altered version of it, as takes are played on it.

    Attributes:
        name: as the dataset calls it.
        tag: what its takes' file names end with: the kit's number, and "a2" for its version 2.
        spec: the kit.
        gain: factor on what it plays.
        alteration: what is done to that, if it is a version.
        level: factor after the alteration.
    """

    name: str
    tag: str
    spec: KitSpec
    gain: float
    alteration: Alteration | None = None
    level: float = 1.0

    @property
    def speed(self) -> float:
        """How many times as fast as the kit itself its takes are."""
        return 1.0 if self.alteration is None else self.alteration.speed


def kit_gain(spec: KitSpec, headroom_db: float = 0.0) -> float:
    """The factor that brings kick, snare, open hat, two crashes and a tom at 127 to a peak of 0.9,
    or so many dB below it.

    Raises:
        InputError: the kit makes no sound.
    """
    return _factor(_loud_drums(spec), spec, headroom_db)


def level_of(spec: KitSpec, gain: float, alteration: Alteration, headroom_db: float) -> float:
    """The factor that brings those drums, altered, to where their version is to have them."""
    altered = alter(_loud_drums(spec) * np.float32(gain), alteration)
    return _factor(altered, spec, headroom_db - alteration.level_db)


def _loud_drums(spec: KitSpec) -> Audio:
    n = len(_LOUD_PITCHES)
    chord = DrumPerformance(
        onset_sec=np.full(n, 0.1),
        duration_sec=np.full(n, 0.1),
        pitch=np.array(_LOUD_PITCHES),
        velocity=np.full(n, 127),
        end_sec=0.2,
    )
    return _play(chord, spec, SAMPLE_RATE)


def _factor(drums: Audio, spec: KitSpec, below_db: float) -> float:
    peak = float(np.abs(drums).max())
    if peak < SILENCE:
        raise InputError(_silent(spec, "a chord of its drums"))
    return math.floor(DRIVEN_PEAK / peak * 10 ** (-below_db / 20) * 1000) / 1000


def play_checked(
    performance: DrumPerformance, kit: PlayedKit, name: str, apart: bool
) -> tuple[dict[str, Audio], Audio]:
    """The stems that sound, if they are wanted, and the audio at the kit's gain.

    Args:
        performance: what is played.
        kit: on what; an altered version has no stems.
        name: of the performance.
        apart: whether stems are wanted.

    Raises:
        InputError: what nobody should train on.
    """
    if performance.num_hits == 0:
        raise InputError(f"{name}: there is no hit in it")
    # Not performance.end_sec: a hi-hat pedal may go on moving for minutes after the last hit.
    last_sec = float((performance.onset_sec + performance.duration_sec).max())
    num_samples = round((last_sec + TAIL_SEC) * SAMPLE_RATE)
    stems: dict[str, Audio] = {}
    if kit.alteration is not None:
        audio = _play_altered(performance, kit, kit.alteration, num_samples, name)
    elif apart:
        stems = _play_stems(performance, kit.spec, kit.gain, num_samples)
        audio = np.zeros(num_samples, dtype=np.float32)
        for part in stems.values():
            audio += part
    else:
        audio = _play(performance, kit.spec, num_samples) * np.float32(kit.gain)
    peak = float(np.abs(audio).max())
    if peak < SILENCE:
        raise InputError(_silent(kit.spec, name))
    if peak > 1.0:
        raise InputError(_clips(kit, name, peak))
    return stems, audio


def _clips(kit: PlayedKit, name: str, peak: float) -> str:
    over_db = 20 * math.log10(peak)
    clips = f"{name}: clips on kit {kit.name!r} by {over_db:.1f} dB; turn all kits down with "
    if kit.alteration is not None:
        return f"{clips}`headroom_db`, and name another `out`"
    return (
        f"{clips}`headroom_db`, or set gain = {math.floor(kit.gain / peak * 950) / 1000} for this "
        "one in the kits file, and name another `out`"
    )


def _play_altered(
    performance: DrumPerformance, kit: PlayedKit, done: Alteration, num_samples: int, name: str
) -> Audio:
    """[num_samples]; the kit plays at its own speed, and the audio is made as fast as the MIDI."""
    slower = at_speed(performance, 1 / done.speed)
    audio = _play(slower, kit.spec, num_samples_before(num_samples, done)) * np.float32(kit.gain)
    if float(np.abs(audio).max()) < SILENCE:
        return audio
    altered = alter(audio, done, noise_of=f"{name} {kit.name}")
    return altered[:num_samples] * np.float32(kit.level)


def _play_stems(
    performance: DrumPerformance, spec: KitSpec, gain: float, num_samples: int
) -> dict[str, Audio]:
    """Each of `STEMS` that sounds, [num_samples], in whole steps of 16 bits: so do their sums."""
    if spec.preset is None:
        blocks = sampler.render_blocks(
            performance, loaded_kit(spec.oneshots), num_samples, sample_rate=SAMPLE_RATE, stems=True
        )
        rows = list(np.concatenate(list(blocks), axis=1))
    else:
        rows = [_play_font(part, spec.preset, num_samples) for part in _parts(performance)]
    stems = {
        name: (np.rint(row * np.float32(gain) * 32768.0) / 32768.0).astype(np.float32)
        for name, row in zip(STEMS, rows, strict=True)
    }
    return {name: audio for name, audio in stems.items() if np.any(audio)}


def _parts(performance: DrumPerformance) -> list[DrumPerformance]:
    """The hits of each of `STEMS`; what is no drum of a Roland module goes with percussion."""
    drum_map = load_drum_map()
    names = [drum_map.articulation(pitch) or "other" for pitch in performance.pitch.tolist()]
    return [keep_hits(performance, np.isin(names, members)) for members in STEMS.values()]


def _play_font(performance: DrumPerformance, preset: SoundFontPreset, num_samples: int) -> Audio:
    if performance.num_hits == 0:
        return np.zeros(num_samples, dtype=np.float32)
    return play(performance, preset, num_samples)


def _silent(spec: KitSpec, what: str) -> str:
    hint = "check its bank, program and channel" if spec.preset else "it has none of these drums"
    return f"{what}: kit {spec.name!r} makes no sound; {hint}"


def _play(performance: DrumPerformance, spec: KitSpec, num_samples: int) -> NDArray[np.float32]:
    if spec.preset is not None:
        return play(performance, spec.preset, num_samples)
    kit = loaded_kit(spec.oneshots)
    return sampler.render(performance, kit, sample_rate=SAMPLE_RATE, num_samples=num_samples)


@lru_cache(maxsize=KITS_AT_ONCE)
def loaded_kit(name: str) -> Kit:
    """A kit of one-shots, as `kits.load_kit` finds it; the last few are kept."""
    return kits.load_kit(name)
