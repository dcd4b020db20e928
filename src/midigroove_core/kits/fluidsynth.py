"""Whole performances through a SoundFont, with the `fluidsynth` program (https://www.fluidsynth.org).

Three things make the result a drummer's. Notes are held until their pitch is struck again, since a
drum module ignores note-offs and the constant 0.1 s gates of the Groove MIDI Dataset would cut an
808 kick in half. Pitches that only Roland modules use are moved to General MIDI ones. And the audio
is taken as float at a gain of 1, so nothing clips before the caller has chosen a level.

FluidSynth's player reads its clock in whole milliseconds and starts notes a block of 64 samples
after the one in which they fall due: 66 to 174 samples late, measured over three fonts. The mean of
that is taken off, which leaves hits within 1.2 ms of the MIDI.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import load_audio
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits.oneshots import SAMPLE_RATE
from midigroove_core.midi import DrumPerformance
from midigroove_core.processes import run_program

DRUM_BANK = 128
DRUM_CHANNEL = 10

ROLAND_TO_GM: Mapping[int, int] = {22: 42, 26: 46, 52: 57, 55: 49, 58: 43}
"""Hat edges, crash edges and the floor tom's rim: silent or another instrument in General MIDI."""

_LIMIT_SEC = 300.0
"""FluidSynth renders a hundred times faster than sound; loading a large font takes seconds."""

_LATENCY_SAMPLES = 64 + (64 + 44) // 2
"""A block, and on average half of the next and half a millisecond."""

FONT_FOLDERS = (
    "/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts",
    "/usr/local/share/soundfonts", "/opt/homebrew/share/soundfonts", "~/.local/share/soundfonts",
)  # fmt: skip

_PACKAGES = {
    "FluidR3_GM.sf2": "fluid-soundfont-gm",
    "Black_Pearl_4_LV2.sf2": "avldrums.lv2-soundfont",
    "Red_Zeppelin_4_LV2.sf2": "avldrums.lv2-soundfont",
}


@dataclass(frozen=True)
class SoundFontPreset:
    """A drum kit inside a SoundFont.

    Attributes:
        font: the .sf2 file.
        bank, program: of the preset; General MIDI drum kits are in bank 128.
        channel: MIDI channel 1..16. FluidSynth plays bank 128 on channel 10 and no other bank
            there, so a kit in bank 0 needs another channel.
        remap: pitch in the performance -> pitch in the font.
    """

    font: Path
    bank: int = DRUM_BANK
    program: int = 0
    channel: int = DRUM_CHANNEL
    remap: Mapping[int, int] = field(default_factory=lambda: dict(ROLAND_TO_GM))


def find_font(name: str, folder: Path) -> Path:
    """A SoundFont by path, beside a kits file, or in the usual folders.

    Raises:
        InputError: nowhere; says which package has it, where that is known.
    """
    places = [Path(name).expanduser(), folder / name]
    places += [Path(place).expanduser() / name for place in FONT_FOLDERS]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        package = _PACKAGES.get(Path(name).name)
        get = f"on Debian or Ubuntu: apt install {package}" if package else "give its full path"
        raise InputError(f"no SoundFont {name}; {get}")
    return found


def fluidsynth_version() -> str:
    """The program's version.

    Raises:
        MidigrooveError: it is not installed; says how to get it.
    """
    if shutil.which("fluidsynth") is None:
        raise MidigrooveError(
            "the program fluidsynth is missing; apt install fluidsynth, brew install fluid-synth, "
            "or use the built-in kits, which need no program"
        )
    done = run_program(["fluidsynth", "--version"], timeout_sec=_LIMIT_SEC)
    words = done.stdout.split()
    return next((word for word in words if word[0].isdigit()), "unknown")


def play(
    performance: DrumPerformance, preset: SoundFontPreset, num_samples: int
) -> NDArray[np.float32]:
    """Renders a performance at gain 1, without reverb and chorus.

    Returns:
        [num_samples] float32, the mean of FluidSynth's two channels at 44.1 kHz; may exceed 1.

    Raises:
        InputError: the program did not end within a limit.
        MidigrooveError: the program is missing, fails, or could not write all of the audio.
    """
    midi = _render_file(performance, preset, num_samples + _LATENCY_SAMPLES)
    audio = run_fluidsynth(preset.font, midi, num_samples + _LATENCY_SAMPLES, gain=1.0)
    return audio[_LATENCY_SAMPLES : _LATENCY_SAMPLES + num_samples]


def run_fluidsynth(
    font: Path, midi: mido.MidiFile, num_samples: int, *, gain: float
) -> NDArray[np.float32]:
    """Plays a MIDI file: at least `num_samples` of mono at 44.1 kHz, no reverb, no chorus.

    What was written is counted: a temporary folder that fills up leaves a shorter file, and
    FluidSynth ends with code 0.

    Raises:
        InputError: the program did not end within a limit.
        MidigrooveError: the program is missing, fails, or could not write all of the audio.
    """
    with tempfile.TemporaryDirectory(prefix="midigroove-") as folder:
        path, wav = Path(folder) / "in.mid", Path(folder) / "out.wav"
        try:
            midi.save(path)
        except OSError as error:
            raise MidigrooveError(f"cannot write {path}: {error.strerror or error}") from error
        command = [
            "fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", f"{gain:g}",
            "-r", str(SAMPLE_RATE), "-O", "float", "-T", "wav",
            "-o", "synth.dynamic-sample-loading=1", "-F", str(wav), "--", str(font), str(path),
        ]  # fmt: skip
        limit_sec = _LIMIT_SEC + num_samples / SAMPLE_RATE
        try:
            done = run_program(command, timeout_sec=limit_sec)
        except FileNotFoundError:
            fluidsynth_version()
            raise
        except subprocess.TimeoutExpired as error:
            raise InputError(f"{font}: fluidsynth did not end within {limit_sec:.0f} s") from error
        if done.returncode != 0 or not wav.is_file():
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            reason = lines[-1] if lines else f"exit code {done.returncode}"
            raise MidigrooveError(f"fluidsynth failed on {font}: {reason}")
        return _read_whole(wav, font, num_samples)


def _read_whole(wav: Path, font: Path, num_samples: int) -> NDArray[np.float32]:
    try:
        audio = load_audio(wav)[0].mean(axis=0, dtype=np.float32)
        found = f"{len(audio):,}"
    except InputError as error:
        audio, found = np.zeros(0, dtype=np.float32), f"none ({error})"
    if len(audio) < num_samples:
        raise MidigrooveError(
            f"fluidsynth wrote {found} of {num_samples:,} samples on {font}: is the folder for "
            f"temporary files full ({tempfile.gettempdir()})?"
        )
    return audio


def _render_file(
    performance: DrumPerformance, preset: SoundFontPreset, num_samples: int
) -> mido.MidiFile:
    """The performance at one tick a sample, on the preset's channel."""
    channel = preset.channel - 1
    bank = preset.bank if preset.bank != DRUM_BANK else 0
    events: list[tuple[int, int, mido.Message]] = [
        (0, 0, mido.MetaMessage("set_tempo", tempo=500_000)),
        (0, 1, mido.Message("control_change", channel=channel, control=0, value=bank)),
        (0, 2, mido.Message("program_change", channel=channel, program=preset.program)),
    ]
    onsets = np.rint(performance.onset_sec * SAMPLE_RATE).astype(np.int64).tolist()
    sounding: set[int] = set()
    hits = zip(onsets, performance.pitch.tolist(), performance.velocity.tolist(), strict=True)
    for onset, pitch, velocity in hits:
        note = preset.remap.get(pitch, pitch)
        if note in sounding:
            events.append((onset, 3, mido.Message("note_off", channel=channel, note=note)))
        sounding.add(note)
        on = mido.Message("note_on", channel=channel, note=note, velocity=velocity)
        events.append((onset, 3, on))
    events.append((num_samples, 4, mido.MetaMessage("end_of_track")))
    events.sort(key=lambda event: event[:2])
    track, before = mido.MidiTrack(), 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - before))
        before = tick
    return mido.MidiFile(type=0, ticks_per_beat=SAMPLE_RATE // 2, tracks=[track])
