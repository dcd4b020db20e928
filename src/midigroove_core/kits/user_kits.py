"""Kits that users bring: a folder of one-shots, or a SoundFont cut into one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from midigroove_core.atomic import dump_json, sha256_of, sha256_of_file
from midigroove_core.audio import audio_info, load_channels, load_mono
from midigroove_core.errors import InputError
from midigroove_core.kits.filenames import ShotName, read_name
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit, Layer, Voice
from midigroove_core.kits.presets import check_preset
from midigroove_core.kits.soundfont import cut_layers, render_notes, trim
from midigroove_core.usercache import user_cache

_LOUDEST_SUM = 1.0


def load_folder(
    folder: Path,
    name: str | None = None,
    *,
    only: Collection[str] | None = None,
    stereo: bool = False,
) -> Kit:
    """A folder of wav or flac files, each with a drum in its name (see `filenames`).

    Files of one drum and velocity with "_rr1", "_rr2" and so on take turns. What has no drum in its
    name, and a second file of one drum, velocity and turn, is in `Kit.unread`. With `only`, files
    of other names are as if they were not there. With `stereo`, files of two channels that differ
    give one-shots [2, S].

    Raises:
        InputError: no one-shot in it, one that cannot be read, or a velocity of 0 or above 127.
    """
    found: dict[tuple[str, int | None], dict[int, dict[int, Audio]]] = {}
    unread, read_as = [], []
    for path in sorted(_files_of(folder)):
        if only is not None and path.name not in only:
            continue
        shot = _name_of(path)
        layers = {} if shot is None else found.setdefault((shot.articulation, shot.pitch), {})
        if shot is None or shot.turn in layers.get(shot.velocity, {}):
            unread.append(f"{path.name}/" if path.is_dir() else path.name)
            continue
        layers.setdefault(shot.velocity, {})[shot.turn] = _read_shot(path, stereo)
        if not shot.exact:
            read_as.append(f"{path.name}: {shot}")
    if not found:
        rest = f" (not read: {', '.join(unread[:5])})" if unread else ""
        raise InputError(
            f"{folder}: no wav or flac one-shots such as snare.wav, kick_100.wav, OpenHat.wav{rest}"
        )
    shots = {
        key: [_layer(velocity, layers[velocity]) for velocity in sorted(layers)]
        for key, layers in found.items()
    }
    kit = _with_headroom(name or folder.name, shots)
    return replace(kit, unread=tuple(unread), read_as=tuple(read_as))


def _layer(velocity: int, by_turn: dict[int, Audio]) -> Layer:
    first, *others = (by_turn[turn] for turn in sorted(by_turn))
    return Layer(velocity, first, tuple(others))


def _files_of(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror or error})") from error


def _name_of(path: Path) -> ShotName | None:
    if path.is_dir() or path.suffix.lower() not in (".wav", ".flac"):
        return None
    try:
        return read_name(path.stem)
    except ValueError:
        raise InputError(
            f"{path}: velocities go from 1 to 127 and pitches from 0 to 127; call it such as "
            "snare.wav, snare_064.wav, tom_high_p50.wav"
        ) from None


def _read_shot(path: Path, stereo: bool) -> Audio:
    audio = load_mono(path, SAMPLE_RATE)
    if stereo and audio_info(path).channels == 2:
        both = load_channels(path, SAMPLE_RATE, 2)
        audio = audio if np.array_equal(*both) else both
    if not np.isfinite(audio).all() or not np.any(audio):
        raise InputError(f"{path}: the one-shot is silent or not finite")
    return audio


def _with_headroom(name: str, found: dict[tuple[str, int | None], list[Layer]]) -> Kit:
    """One gain for the kit: its three loudest drums, struck together at 127, peak below 1."""
    peaks: dict[str, float] = {}
    for (articulation, _), layers in found.items():
        _, gain = Voice(layers).at(127)
        peak = gain * max(
            float(np.abs(x).max()) for x in (layers[-1].audio, *layers[-1].alternates)
        )
        peaks[articulation] = max(peak, peaks.get(articulation, 0.0))
    gain = min(1.0, _LOUDEST_SUM / sum(sorted(peaks.values())[-3:]))
    articulations: dict[str, list[Layer]] = {}
    variants: dict[str, dict[int, list[Layer]]] = {}
    for (articulation, pitch), layers in found.items():
        scaled = [layer.map(lambda x: x * np.float32(gain)) for layer in layers]
        if pitch is None:
            articulations[articulation] = scaled
        else:
            variants.setdefault(articulation, {})[pitch] = scaled
    return Kit(name, articulations, variants)


FONT_VELOCITIES = (24, 48, 64, 80, 96, 112, 127)
"""Velocities at which a SoundFont is sampled; those that only differ in level are not kept."""

FONT_PITCHES = {
    "kick": 36, "snare": 38, "rimshot": 40, "xstick": 37, "tom_high": 48, "tom_high_p50": 50,
    "tom_mid": 45, "tom_mid_p47": 47, "tom_low": 43, "tom_low_p41": 41, "hat_closed": 42,
    "hat_pedal": 44, "hat_open": 46, "crash_1": 49, "crash_2": 57, "splash_china": 55,
    "splash_china_p52": 52, "ride": 51, "ride_p59": 59, "ride_bell": 53, "other": 54,
    "other_p39": 39, "other_p54": 54, "other_p56": 56, "other_p62": 62, "other_p63": 63,
    "other_p64": 64, "other_p69": 69, "other_p70": 70, "other_p75": 75,
}  # fmt: skip
"""One-shots cut from a SoundFont and the General MIDI pitch of each."""

_RING_SEC = {"crash": 3.5, "splash": 2.0, "ride": 2.5, "hat_open": 2.0, "tom": 1.5}


def load_soundfont(font: Path, program: int) -> Kit:
    """Cuts a preset into a folder of one-shots in the user's cache, once, and loads that."""
    if not font.is_file():
        raise InputError(f"{font}: no such SoundFont")
    check_preset(font, program, 128, 0)
    name = f"{font.stem}:{program}" if program else font.stem
    recipe = [sha256_of_file(font), program, FONT_VELOCITIES, FONT_PITCHES, _RING_SEC]
    cache = user_cache() / "kits"
    folder = cache / sha256_of(dump_json(recipe).encode())[:16]
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            new = Path(temporary) / "kit"
            new.mkdir()
            cut_soundfont(font, program, new)
            if not folder.is_dir():
                shutil.move(new, folder)
    return load_folder(folder, name)


def cut_soundfont(font: Path, program: int, folder: Path) -> None:
    """Writes the one-shots of a preset into `folder`, named as `load_folder` reads them."""
    seconds = {
        stem: next((ring for start, ring in _RING_SEC.items() if stem.startswith(start)), 0.8)
        for stem in FONT_PITCHES
    }
    notes = [
        (pitch, velocity, seconds[stem])
        for stem, pitch in FONT_PITCHES.items()
        for velocity in FONT_VELOCITIES
    ]
    shots = iter(render_notes(font, notes, program=program))
    for stem in FONT_PITCHES:
        layers = {velocity: next(shots) for velocity in FONT_VELOCITIES}
        if np.abs(layers[max(layers)]).max() < 1e-4:
            continue  # the font has nothing on this pitch
        for velocity, shot in cut_layers(layers).items():
            audio = trim(shot, longest_sec=seconds[stem])
            soundfile.write(folder / f"{stem}_{velocity:03d}.wav", audio, SAMPLE_RATE, "FLOAT")
