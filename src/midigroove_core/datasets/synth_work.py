"""The work of one `data synth` process: a performance on some kits, as files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from midigroove_core.atomic import write_bytes
from midigroove_core.audio import audio_info, save_audio
from midigroove_core.datasets.alteration import at_speed
from midigroove_core.datasets.synth_take import PlayedKit, play_checked
from midigroove_core.errors import InputError
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio
from midigroove_core.kits.sampler import STEMS
from midigroove_core.midi import DrumPerformance, load_midi, performance_of
from midigroove_core.midi_file import parse_midi_file, read_midi_file
from midigroove_core.midi_write import midi_bytes
from midigroove_core.takes.egmd import stem_path
from midigroove_core.takes.performances import Performance

SMPTE_TICKS_PER_BEAT = 9600
"""Resolution of a part that is written from a file without beats."""


@dataclass(frozen=True)
class TakeResult:
    """One take: its files, or the reason that there are none; `stems` names those that it has."""

    kit: PlayedKit
    midi_path: str
    audio_path: str
    duration_sec: float = 0.0
    kept: bool = False
    reason: str = ""
    stems: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakeSettings:
    """How takes are made, all alike.

    Attributes:
        stems: whether to write those, too.
        channel, track: of the MIDI file to play, see `load_midi`; None takes its drums.
    """

    stems: bool = False
    channel: int | None = None
    track: str | None = None


@dataclass(frozen=True)
class Task:
    """A performance on some kits.

    Attributes:
        folder, out: of the MIDI files and of the dataset.
        performance: which one.
        kits: what it is played on.
        settings: of all takes.
    """

    folder: Path
    out: Path
    performance: Performance
    kits: tuple[PlayedKit, ...]
    settings: TakeSettings


def render_takes(task: Task) -> list[TakeResult]:
    """Renders a performance on every kit for which there is no finished file yet."""
    out, source, name = task.out, _Source(task), task.performance.midi_path
    stem = PurePosixPath(name).with_suffix("")
    results: list[TakeResult] = []
    for kit in task.kits:
        midi, wav = f"{stem}_{kit.tag}.midi", f"{stem}_{kit.tag}.wav"
        try:
            content = source.content(kit.speed)
            done = _is_done(out / wav, out / midi, content)
            if not done:
                played = source.performance(kit.speed)
                stems, audio = play_checked(played, kit, name, task.settings.stems)
                (out / wav).unlink(missing_ok=True)  # first: a wav beside its MIDI is finished
                write_bytes(out / midi, content)
                _write_stems(out, wav, stems)
                save_audio(out / wav, audio, SAMPLE_RATE)
            duration_sec = audio_info(out / wav).duration_sec
            stem_names = _stems_of(out, wav) if task.settings.stems else ()
            results.append(TakeResult(kit, midi, wav, duration_sec, done, stems=stem_names))
        except InputError as error:
            results.append(TakeResult(kit, midi, wav, reason=str(error)))
    return results


class _Source:
    """What a task plays: the file as it is, a part of it as a file of its own, or at a speed."""

    def __init__(self, task: Task) -> None:
        self._path = task.folder / task.performance.midi_path
        self._settings = task.settings
        self._whole = self._settings.channel is None and self._settings.track is None
        self._content: dict[float, bytes] = {}
        self._performance: dict[float, DrumPerformance] = {}

    def content(self, speed: float) -> bytes:
        """The take's MIDI file."""
        if speed not in self._content:
            if speed == 1.0 and self._whole:
                self._content[speed] = _read(self._path)
            else:
                self._write(speed)
        return self._content[speed]

    def performance(self, speed: float) -> DrumPerformance:
        """What that file says."""
        if speed not in self._performance:
            if speed == 1.0 and self._whole:
                self._performance[speed] = load_midi(self._path)
            else:
                self._write(speed)
        return self._performance[speed]

    def _write(self, speed: float) -> None:
        """What is written is read again: its times are rounded to ticks."""
        ticks_per_beat = read_midi_file(self._path).ticks_per_beat or SMPTE_TICKS_PER_BEAT
        settings = self._settings
        part = load_midi(self._path, channel=settings.channel, track=settings.track)
        content = midi_bytes(at_speed(part, speed), ticks_per_beat=ticks_per_beat)
        self._content[speed] = content
        self._performance[speed] = performance_of(parse_midi_file(content))


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


def _write_stems(out: Path, wav: str, stems: dict[str, Audio]) -> None:
    """Instead of any that were there: an earlier file of that name played other drums."""
    shutil.rmtree((out / stem_path(wav, "any")).parent, ignore_errors=True)
    for name, audio in stems.items():
        save_audio(out / stem_path(wav, name), audio, SAMPLE_RATE)


def _stems_of(out: Path, wav: str) -> tuple[str, ...]:
    return tuple(name for name in STEMS if (out / stem_path(wav, name)).is_file())
