"""Kits that users bring: a folder of one-shots, or a SoundFont cut into one."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from midigroove_core.atomic import dump_json, sha256_of, sha256_of_file
from midigroove_core.drums import ARTICULATIONS
from midigroove_core.errors import InputError
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit, Layer, Voice
from midigroove_core.kits.soundfont import cut_layers, render_notes, trim
from midigroove_core.usercache import user_cache

_FILE_NAME = re.compile(rf"({'|'.join(ARTICULATIONS)})(?:_p(\d+))?(?:_(\d+))?", re.IGNORECASE)
_LOUDEST_SUM = 1.0


def load_folder(folder: Path, name: str | None = None) -> Kit:
    """A folder of ARTICULATION[_pPITCH][_VELOCITY].wav or .flac; the rest is in `Kit.unread`."""
    found: dict[tuple[str, int | None], list[Layer]] = {}
    unread = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() or path.suffix.lower() not in (".wav", ".flac"):
            unread.append(f"{path.name}/" if path.is_dir() else path.name)
            continue
        match = _FILE_NAME.fullmatch(path.stem)
        pitch, velocity = (int(x) if x else None for x in match.groups()[1:]) if match else (0, 0)
        velocity = 127 if velocity is None else velocity
        if not match or not 1 <= velocity <= 127 or not 0 <= (pitch or 0) <= 127:
            raise InputError(
                f"{path}: not a one-shot's name; use ARTICULATION[_pPITCH][_VELOCITY].wav, such as "
                f"snare.wav or snare_064.wav, with one of {', '.join(ARTICULATIONS)}"
            )
        layer = Layer(velocity, _read_shot(path))
        found.setdefault((match[1].lower(), pitch), []).append(layer)
    if not found:
        rest = f" (not read: {', '.join(unread[:5])})" if unread else ""
        raise InputError(
            f"{folder}: no wav or flac one-shots such as snare.wav, kick_100.wav{rest}"
        )
    return replace(_with_headroom(name or folder.name, found), unread=tuple(unread))


def _read_shot(path: Path) -> Audio:
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"{path}: cannot read the audio ({error})") from error
    mono = audio.mean(axis=1)
    if not np.isfinite(mono).all() or not np.any(mono):
        raise InputError(f"{path}: the one-shot is silent or not finite")
    return mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)


def _with_headroom(name: str, found: dict[tuple[str, int | None], list[Layer]]) -> Kit:
    """One gain for the kit: its three loudest drums, struck together at 127, peak below 1."""
    peaks: dict[str, float] = {}
    for (articulation, _), layers in found.items():
        layers.sort(key=lambda layer: layer.max_velocity)
        audio, gain = Voice(layers).at(127)
        peak = gain * float(np.abs(audio).max())
        peaks[articulation] = max(peak, peaks.get(articulation, 0.0))
    gain = min(1.0, _LOUDEST_SUM / sum(sorted(peaks.values())[-3:]))
    articulations: dict[str, list[Layer]] = {}
    variants: dict[str, dict[int, list[Layer]]] = {}
    for (articulation, pitch), layers in found.items():
        scaled = [Layer(a.max_velocity, a.audio * np.float32(gain)) for a in layers]
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
