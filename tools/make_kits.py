"""Cut the kits that ship with midigroove from the FluidR3 GM SoundFont (Frank Wen, MIT).

    python tools/make_kits.py --font /usr/share/sounds/sf2/FluidR3_GM.sf2

Needs the `fluidsynth` program and Debian's `fluid-soundfont-gm` (version 3.1-5.3; the SHA-256 of
the font is checked). Writes `assets/kits/samples/*.flac` and `assets/kits/kits.json`; the same font
and programs give the same bytes. FluidR3's drum presets differ in kick, snare and toms and share
hats and cymbals, so kits are told apart further by tuning, filters, decay and room: `SPECS` says
what is done to which voice.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from scipy import signal

from midigroove_core.atomic import read_json, sha256_of_file, write_bytes, write_json
from midigroove_core.kits.level import LEVEL_DB, level_db
from midigroove_core.kits.library import load_kit
from midigroove_core.kits.oneshots import SAMPLE_RATE
from midigroove_core.kits.soundfont import Audio, cut_layers, render_notes, trim

FONT_SHA256 = "74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0"
ASSETS = Path(__file__).parents[1] / "src/midigroove_core/assets/kits"
VELOCITIES = (40, 80, 88, 96, 104, 112, 120, 127)
"""The tops of FluidR3's velocity layers, and one inside its lowest."""

# articulation -> (pitch of the font, seconds at most, {pitch that sounds otherwise: font's pitch})
VOICES: dict[str, tuple[int, float, dict[int, int]]] = {
    "kick": (36, 0.8, {}),
    "snare": (38, 0.8, {40: 40}),
    "rimshot": (40, 0.8, {}),
    "xstick": (37, 0.5, {}),
    "tom_high": (48, 1.2, {50: 50}),
    "tom_mid": (45, 1.4, {47: 47}),
    "tom_low": (43, 1.5, {41: 41}),
    "hat_closed": (42, 0.5, {}),
    "hat_pedal": (44, 0.5, {}),
    "hat_open": (46, 2.0, {}),
    "crash_1": (49, 3.0, {}),
    "crash_2": (57, 2.5, {}),
    "splash_china": (55, 1.6, {52: 52}),
    "ride": (51, 2.0, {59: 59}),
    "ride_bell": (53, 2.0, {}),
}
# Percussion outside the kit; "other" by itself is the tambourine.
PERCUSSION = (39, 54, 56, 60, 61, 62, 63, 64, 69, 70, 75, 76, 77)
PERCUSSION_SEC = 0.5


@dataclass(frozen=True)
class Treatment:
    """What is done to a voice, in this order; the defaults do nothing.

    Attributes:
        pitch: take this pitch of the font instead.
        tune: semitones, by resampling.
        high_pass, low_pass: corner frequencies in Hz (Butterworth, second order).
        half_life: seconds in which an added exponential decay halves the amplitude.
        attack: seconds of a raised-cosine fade-in, for mallets and brushes.
        room: level of an added room relative to the dry sound.
        gain_db: level.
    """

    pitch: int | None = None
    tune: float = 0.0
    high_pass: float = 0.0
    low_pass: float = 0.0
    half_life: float = 0.0
    attack: float = 0.0
    room: float = 0.0
    gain_db: float = 0.0


@dataclass(frozen=True)
class Spec:
    """One kit: a drum preset of the font, and the treatment of its voices."""

    name: str
    description: str
    program: int
    voices: dict[str, Treatment] = field(default_factory=dict)
    default: Treatment = Treatment()


def same(treatment: Treatment, *articulations: str) -> dict[str, Treatment]:
    """One treatment for several voices."""
    return dict.fromkeys(articulations, treatment)


TOMS = ("tom_high", "tom_mid", "tom_low")
CRASHES = ("crash_1", "crash_2", "splash_china")
RIDES = ("ride", "ride_bell")
HATS = ("hat_closed", "hat_pedal", "hat_open")

SPECS = (
    Spec("standard", "acoustic studio kit, as the font has it", 0),
    Spec(
        "room", "deep acoustic kit in a live room", 11, default=Treatment(room=0.5),
        voices=same(Treatment(tune=-2, room=0.5), *TOMS)
        | same(Treatment(tune=-1, room=0.35), *CRASHES, *RIDES)
        | same(Treatment(tune=-1, room=0.35), *HATS),
    ),
    Spec(
        "power", "loud rock kit: long snare, big toms, low trashy cymbals", 16,
        voices=same(Treatment(tune=-3, gain_db=3), *CRASHES, *RIDES)
        | same(Treatment(tune=-4, gain_db=4), *HATS),
    ),
    Spec(
        "jazz", "small open kit: high toms and kick, dark dry ride", 33,
        voices=same(Treatment(tune=5), *TOMS)
        | same(Treatment(tune=3, low_pass=9000, gain_db=1), "hat_closed", "hat_pedal", "hat_open")
        | {
            "kick": Treatment(tune=4),
            "snare": Treatment(tune=2), "rimshot": Treatment(tune=2),
            "ride": Treatment(pitch=59, tune=-2, low_pass=9000, gain_db=3),
            "ride_bell": Treatment(tune=-2, low_pass=9000, gain_db=2),
            "crash_1": Treatment(pitch=57, tune=-2, low_pass=8000),
            "crash_2": Treatment(pitch=49, tune=2, low_pass=8000),
            "splash_china": Treatment(tune=2, low_pass=9000),
        },
    ),
    Spec(
        "brush", "brushes: soft attacks, swished snare, quiet cymbals", 40,
        voices=same(Treatment(tune=2, low_pass=2500, attack=0.004), *TOMS)
        | same(Treatment(low_pass=6000, attack=0.012, gain_db=-4), *CRASHES)
        | same(Treatment(tune=1, low_pass=6500, attack=0.006, gain_db=-2), *RIDES)
        | same(Treatment(tune=-2, low_pass=7500, attack=0.005), *HATS),
    ),
    Spec(
        "electronic", "drum computer of the eighties: synth toms, clipped bright cymbals", 24,
        voices=same(Treatment(tune=5, high_pass=2000, half_life=0.25), *CRASHES)
        | same(Treatment(tune=4, high_pass=2500, half_life=0.12), *RIDES)
        | {
            "hat_closed": Treatment(tune=6, high_pass=5000, half_life=0.02, gain_db=4),
            "hat_pedal": Treatment(tune=4, high_pass=5000, half_life=0.015, gain_db=4),
            "hat_open": Treatment(tune=6, high_pass=5000, half_life=0.12, gain_db=3),
            "xstick": Treatment(tune=7, half_life=0.02),
        },
    ),
    Spec(
        "tr808", "analog drum machine: long kick, ticking hats, synthetic cymbal", 25,
        voices={
            "crash_1": Treatment(pitch=46, tune=-4, half_life=0.45),
            "crash_2": Treatment(pitch=46, tune=-2, half_life=0.3),
            "splash_china": Treatment(pitch=46, tune=3, half_life=0.12),
            "ride": Treatment(gain_db=-6),
            "ride_bell": Treatment(pitch=56, tune=7, half_life=0.08, gain_db=-6),
            "hat_closed": Treatment(gain_db=-6),
            "hat_pedal": Treatment(pitch=42, tune=-3, half_life=0.03, gain_db=-6),
            "hat_open": Treatment(half_life=0.15, gain_db=-6),
            "xstick": Treatment(pitch=75, tune=-2),
        },
    ),
)  # fmt: skip


def room_response() -> np.ndarray:
    """A small room by a fixed seed: noise that decays 60 dB in 0.35 s, after a 4 ms gap."""
    rng = np.random.default_rng(8)
    time = np.arange(round(0.35 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng.standard_normal(len(time)) * 10 ** (-3 * time / 0.35) * (time > 0.004)
    noise = signal.sosfilt(signal.butter(1, 5000, fs=SAMPLE_RATE, output="sos"), noise)
    noise = signal.sosfilt(signal.butter(1, 150, "highpass", fs=SAMPLE_RATE, output="sos"), noise)
    return noise / np.sqrt(noise @ noise)


def treat(shot: Audio, treatment: Treatment) -> Audio:
    """Applies a treatment to a rendered shot, its few leading samples included."""
    audio = shot.astype(np.float64)
    if treatment.tune:
        audio = soxr.resample(audio, 1.0, 2 ** (-treatment.tune / 12), quality="VHQ")
    for kind, corner in (("highpass", treatment.high_pass), ("lowpass", treatment.low_pass)):
        if corner:
            sections = signal.butter(2, corner, kind, fs=SAMPLE_RATE, output="sos")
            audio = signal.sosfilt(sections, audio)
    attack = int(np.argmax(np.abs(audio) > 0.02 * np.abs(audio).max()))
    time = np.maximum(np.arange(len(audio)) - attack, 0) / SAMPLE_RATE
    if treatment.half_life:
        audio = audio * 0.5 ** (time / treatment.half_life)
    if treatment.attack:
        rise = np.minimum(time / treatment.attack, 1.0)
        audio = audio * (0.1 + 0.9 * (1 - np.cos(np.pi * rise)) / 2)
    if treatment.room:
        wet = signal.fftconvolve(audio, room_response())
        audio = np.pad(audio, (0, len(wet) - len(audio))) + treatment.room * wet
    return (audio * 10 ** (treatment.gain_db / 20)).astype(np.float32)


class Store:
    """Writes each distinct one-shot once, as 16-bit FLAC; a name belongs to its first user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, str] = {}

    def add(self, name: str, audio: Audio) -> str:
        """File name of the one-shot, which may be another kit's."""
        peak = float(np.abs(audio).max(initial=0.0))
        if not 0.0 < peak < 1.0:
            raise SystemExit(f"{name}: peak {peak:.3f}; change the gain")
        pcm = np.round(audio * 32767).astype(np.int16)
        key = hashlib.sha256(pcm.tobytes()).hexdigest()
        if key not in self.names:
            buffer = io.BytesIO()
            soundfile.write(
                buffer, pcm, SAMPLE_RATE, "PCM_16", format="FLAC", compression_level=1.0
            )
            write_bytes(self.folder / f"{name}.flac", buffer.getvalue())
            self.names[key] = f"{name}.flac"
        return self.names[key]


def cut_kit(spec: Spec, font: Path, store: Store, gain: float) -> dict[str, Any]:
    """Renders, treats, trims and stores the voices of one kit; returns its manifest entry."""
    wanted: list[tuple[str, int | None, int, float]] = []
    for articulation, (pitch, seconds, others) in VOICES.items():
        source = spec.voices.get(articulation, spec.default).pitch or pitch
        wanted.append((articulation, None, source, seconds))
        wanted += [(articulation, midi, other, seconds) for midi, other in others.items()]
    wanted += [("other", pitch, pitch, PERCUSSION_SEC) for pitch in PERCUSSION]
    notes = [
        (source, velocity, max(1.0, seconds * 1.5))
        for _, _, source, seconds in wanted
        for velocity in VELOCITIES
    ]
    shots = iter(render_notes(font, notes, program=spec.program, gain=gain))
    voices: dict[str, dict[str, Any]] = {}
    main: dict[str, list[Any]] = {}
    for articulation, midi, _, seconds in wanted:
        layers = cut_layers({velocity: next(shots) for velocity in VELOCITIES})
        stem = f"{spec.name}_{articulation}" + (f"_{midi}" if midi is not None else "")
        entry = []
        for velocity, shot in layers.items():
            treatment = spec.voices.get(articulation, spec.default)
            audio = trim(treat(shot, treatment), longest_sec=seconds)
            name = store.add(f"{stem}_{velocity:03d}", audio)
            entry.append({"max_velocity": velocity, "file": name})
        if midi is None:
            main[articulation] = entry
            voices[articulation] = {"layers": entry, "pitches": {}}
        elif articulation == "other":
            voices.setdefault("other", {"layers": [], "pitches": {}})["pitches"][str(midi)] = entry
        elif entry != main[articulation]:
            voices[articulation]["pitches"][str(midi)] = entry
    voices["other"]["layers"] = voices["other"]["pitches"]["54"]
    return {
        "id": spec.name, "description": spec.description, "license": "MIT",
        "source": f"FluidR3 GM (Frank Wen), bank 128 program {spec.program}",
        "gain_db": 0.0, "voices": voices,
    }  # fmt: skip


def level_kits(manifest: Path) -> None:
    """Sets each kit's gain so that all are equally loud; rewrites the manifest."""
    content = read_json(manifest)
    for entry in content["kits"]:
        now_db = level_db(load_kit(entry["id"]))
        entry["gain_db"] = round(entry["gain_db"] + LEVEL_DB - now_db, 1)
    write_json(manifest, content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--font", type=Path, required=True, help="FluidR3_GM.sf2")
    parser.add_argument("--gain", type=float, default=0.8, help="FluidSynth gain")
    args = parser.parse_args()
    if sha256_of_file(args.font) != FONT_SHA256:
        raise SystemExit(f"{args.font} is not the FluidR3_GM.sf2 that the kits were cut from")
    for old in (ASSETS / "samples").glob("*.flac"):
        old.unlink()
    store = Store(ASSETS / "samples")
    kits = []
    for spec in SPECS:
        kits.append(cut_kit(spec, args.font, store, args.gain))
        print(spec.name, len(store.names), "samples so far")
    write_json(ASSETS / "kits.json", {"schema": 1, "sample_rate": SAMPLE_RATE, "kits": kits})
    level_kits(ASSETS / "kits.json")


if __name__ == "__main__":
    main()
