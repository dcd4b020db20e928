"""The work of one `data synth` process: a performance on every kit, and a kit's level."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import write_bytes
from midigroove_core.audio import SILENCE, audio_info, save_audio
from midigroove_core.drum_reading import keep_hits
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits import library as kits
from midigroove_core.kits import sampler
from midigroove_core.kits.fluidsynth import SoundFontPreset, play
from midigroove_core.kits.kitsfile import KitSpec
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit
from midigroove_core.kits.sampler import STEMS
from midigroove_core.midi import DrumPerformance, load_midi, performance_of
from midigroove_core.midi_file import parse_midi_file, read_midi_file
from midigroove_core.midi_write import midi_bytes
from midigroove_core.takes.egmd import stem_path
from midigroove_core.takes.performances import Performance

_LOUD_PITCHES = (36, 38, 46, 49, 57, 43)
_PEAK = 0.9

SMPTE_TICKS_PER_BEAT = 9600
"""Resolution of a part that is written from a file without beats."""


@dataclass(frozen=True)
class TakeResult:
    """One take: its files, or the reason that there are none; `stems` names those that it has."""

    kit: str
    midi_path: str
    audio_path: str
    duration_sec: float = 0.0
    kept: bool = False
    reason: str = ""
    stems: tuple[str, ...] = ()


KITS_AT_ONCE = 8
"""Kits of one-shots that a process keeps loaded: a task has no more."""


@dataclass(frozen=True)
class Task:
    """A performance on some kits.

    Attributes:
        folder, out: of the MIDI files and of the dataset.
        performance: which one.
        kits: (number in the dataset, kit, its gain).
        tail_sec: audio after the last note's end.
        stems: whether to write those, too.
        channel, track: of the MIDI file to play, see `load_midi`; None takes its drums.
    """

    folder: Path
    out: Path
    performance: Performance
    kits: tuple[tuple[int, KitSpec, float], ...]
    tail_sec: float
    stems: bool = False
    channel: int | None = None
    track: str | None = None


def render_takes(task: Task) -> list[TakeResult]:
    """Renders a performance on every kit for which there is no finished file yet."""
    folder, out, performance = task.folder, task.out, task.performance
    stem = PurePosixPath(performance.midi_path).with_suffix("")
    results: list[TakeResult] = []
    loaded: tuple[DrumPerformance, bytes] | None = None
    for number, spec, gain in task.kits:
        midi, wav = f"{stem}_{number}.midi", f"{stem}_{number}.wav"
        try:
            if task.channel is None and task.track is None:
                content = _read(folder / performance.midi_path)
            else:
                loaded = loaded or _chosen_part(task)
                content = loaded[1]
            done = _is_done(out / wav, out / midi, content)
            if not done:
                loaded = loaded or (load_midi(folder / performance.midi_path), content)
                stems, audio = _play_checked(loaded[0], spec, gain, task)
                (out / wav).unlink(missing_ok=True)  # first: a wav beside its MIDI is finished
                write_bytes(out / midi, content)
                _write_stems(out, wav, stems)
                save_audio(out / wav, audio, SAMPLE_RATE)
            duration_sec = audio_info(out / wav).duration_sec
            stem_names = _stems_of(out, wav) if task.stems else ()
            results.append(TakeResult(spec.name, midi, wav, duration_sec, done, stems=stem_names))
        except InputError as error:
            results.append(TakeResult(spec.name, midi, wav, reason=str(error)))
    return results


def _chosen_part(task: Task) -> tuple[DrumPerformance, bytes]:
    """One channel or track as a performance and as a MIDI file of its own, of equal times."""
    path = task.folder / task.performance.midi_path
    ticks_per_beat = read_midi_file(path).ticks_per_beat or SMPTE_TICKS_PER_BEAT
    part = load_midi(path, channel=task.channel, track=task.track)
    content = midi_bytes(part, ticks_per_beat=ticks_per_beat)
    return performance_of(parse_midi_file(content)), content


def _read(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError as error:
        raise InputError(f"{source.name}: {error.strerror or error}") from error


def _is_done(wav: Path, midi: Path, content: bytes) -> bool:
    """Whether the take is there and was made from this very MIDI file.

    Raises:
        InputError: a name that the file system does not take.
    """
    try:
        return wav.is_file() and midi.is_file() and midi.read_bytes() == content
    except OSError as error:
        raise InputError(f"{midi.name}: {error.strerror or error}") from error


def kit_gain(spec: KitSpec, headroom_db: float = 0.0) -> float:
    """The factor that brings kick, snare, open hat, two crashes and a tom at 127 to a peak of 0.9,
    or so many dB below it.

    Raises:
        InputError: the kit makes no sound.
    """
    n = len(_LOUD_PITCHES)
    chord = DrumPerformance(
        onset_sec=np.full(n, 0.1),
        duration_sec=np.full(n, 0.1),
        pitch=np.array(_LOUD_PITCHES),
        velocity=np.full(n, 127),
        end_sec=0.2,
    )
    peak = float(np.abs(_play(chord, spec, SAMPLE_RATE)).max())
    if peak < SILENCE:
        raise InputError(_silent(spec, "a chord of its drums"))
    return math.floor(_PEAK / peak * 10 ** (-headroom_db / 20) * 1000) / 1000


def _write_stems(out: Path, wav: str, stems: dict[str, Audio]) -> None:
    """Instead of any that were there: an earlier file of that name played other drums."""
    shutil.rmtree((out / stem_path(wav, "any")).parent, ignore_errors=True)
    for name, audio in stems.items():
        save_audio(out / stem_path(wav, name), audio, SAMPLE_RATE)


def _stems_of(out: Path, wav: str) -> tuple[str, ...]:
    return tuple(name for name in STEMS if (out / stem_path(wav, name)).is_file())


def _play_checked(
    performance: DrumPerformance, spec: KitSpec, gain: float, task: Task
) -> tuple[dict[str, Audio], Audio]:
    """The stems that sound, if they are wanted, and the audio at the kit's gain.

    Raises:
        InputError: what nobody should train on.
    """
    name = task.performance.midi_path
    if performance.num_hits == 0:
        raise InputError(f"{name}: there is no hit in it")
    # Not performance.end_sec: a hi-hat pedal may go on moving for minutes after the last hit.
    last_sec = float((performance.onset_sec + performance.duration_sec).max())
    num_samples = round((last_sec + task.tail_sec) * SAMPLE_RATE)
    stems: dict[str, Audio] = {}
    if task.stems:
        stems = _play_stems(performance, spec, gain, num_samples)
        audio = np.zeros(num_samples, dtype=np.float32)
        for part in stems.values():
            audio += part
    else:
        audio = _play(performance, spec, num_samples) * np.float32(gain)
    peak = float(np.abs(audio).max())
    if peak < SILENCE:
        raise InputError(_silent(spec, name))
    if peak > 1.0:
        over_db = 20 * math.log10(peak)
        raise InputError(
            f"{name}: clips on kit {spec.name!r} by {over_db:.1f} dB; turn all kits down with "
            f"`headroom_db`, or set gain = {math.floor(gain / peak * 950) / 1000} for this one in "
            "the kits file, and name another `out`"
        )
    return stems, audio


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
