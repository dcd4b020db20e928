"""MIDI to audio: `render`, and below it `from_performance`, `from_file` and so on.

Two engines play a performance: the model (grid -> codes -> codec) and the sampler (one-shots of a
kit). Only the model needs torch, so this module imports neither engine before it is asked for.

    rendered = render("groove.mid", kit="jazz")
    rendered.audio, rendered.sample_rate
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import AUDIO_SUFFIXES, check_suffix, downmix, resample
from midigroove_core.drum_reading import read_with
from midigroove_core.drums import DrumMap
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.readers import load_performance
from midigroove_core.rendering.config import (
    Engine,
    RenderConfig,
    Rendered,
    make_config,
    num_output_samples,
)
from midigroove_core.score.feel import Feel

PEAK_LIMIT = 0.999
"""What a render that would clip is scaled down to; just below full scale, for 16-bit rounding."""

END_FADE_SEC = 0.01
"""The last moment fades out, since a cymbal may still ring when the tail ends."""


def render(
    source: DrumPerformance | str | Path,
    *,
    kit: str | None = None,
    like: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Rendered:
    """Plays a performance, or a MIDI file or a score, on a drum kit.

    Args:
        source: what to play.
        kit: name, in any case; the model that ships knows those of `midigroove kits`.
        like: a recording of drums to sound like, instead of a kit.
        progress: told what happens, and which hits are no drum of the map.
        settings: further fields of `RenderConfig`, such as `checkpoint="runs/dac"` or `seed=3`.

    Returns:
        The audio, `.audio` [C, S] at `.sample_rate`; `.save("groove.wav")` writes it.

    Raises:
        InputError: no such setting; a file that cannot be read, or in which nothing is a drum.
        MidigrooveError: what was named does not exist; says what there is.
    """
    config = make_config({"kit": kit, "like": like, **settings})
    if isinstance(source, DrumPerformance):
        return from_performance(source, config, progress=progress)
    return from_file(source, config, progress=progress)


def open_engine(config: RenderConfig, progress: Progress | None = None) -> Engine:
    """Loads a model with its codec, or a kit.

    Raises:
        MidigrooveError: what was named does not exist; says what there is.
    """
    if config.engine == "sampler":
        from midigroove_core.rendering.sampler_engine import SamplerEngine

        return SamplerEngine(config, progress or Silent())
    from midigroove_core.rendering.model_engine import ModelEngine

    return ModelEngine.load(config, progress or Silent())


def from_performance(
    performance: DrumPerformance,
    config: RenderConfig | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Renders a performance.

    Args:
        performance: what to play.
        config: with what and how.
        engine: one that `open_engine` gave for the same config, to render many.
        progress: told what happens, and which hits are no drum of the map.

    Raises:
        InputError: no hit is a drum of the map; with `config.strict`, some hit is none.
    """
    config, progress = config or RenderConfig(), progress or Silent()
    engine = engine or open_engine(config, progress)
    return _play(_with_feel(performance, config), config, engine, progress)


def _with_feel(performance: DrumPerformance, config: RenderConfig) -> DrumPerformance:
    if config.feel is None:
        return performance
    return Feel.of(load_performance(config.feel)).apply(performance)


def _play(
    performance: DrumPerformance, config: RenderConfig, engine: Engine, progress: Progress
) -> Rendered:
    """What an engine plays, at the rate and the length asked for, below full scale."""
    audible = _read(performance, engine.drum_map, config.strict, progress)
    rendered = engine.play(audible, progress)
    rate = config.sample_rate or rendered.sample_rate
    audio = downmix(rendered.audio)[None] if config.mono else rendered.audio
    if rate != rendered.sample_rate:
        audio = resample(audio, rendered.sample_rate, rate)
    audio = fit_length(audio, num_output_samples(performance.end_sec + config.tail_sec, rate))
    audio, gain = guard_peak(fade_end(audio, rate))
    if gain < 1.0:
        progress.message(
            f"peak would clip: turned down by {-20 * math.log10(gain):.1f} dB to stay below 1"
        )
    return replace(rendered, audio=audio, sample_rate=rate, gain=gain)


def from_file(
    midi_path: str | Path,
    config: RenderConfig | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Renders a MIDI file or a score; see `from_performance`.

    Raises:
        InputError: not a file that a reader reads, or one without notes.
    """
    config, progress = config or RenderConfig(), progress or Silent()
    if config.channel is None and config.track is None:
        performance = load_performance(midi_path)
    else:
        performance = load_midi(midi_path, channel=config.channel, track=config.track)
    for line in performance.oddities:
        progress.message(f"{midi_path}: {line}")
    if performance.num_hits == 0:
        raise InputError(f"{midi_path}: there is no hit in it")
    performance = _with_feel(performance, config)
    engine = engine or open_engine(config, progress)
    try:
        return _play(performance, config, engine, progress)
    except InputError as error:
        raise InputError(f"{midi_path}: {error}") from error


def _read(
    performance: DrumPerformance, drum_map: DrumMap, strict: bool, progress: Progress
) -> DrumPerformance:
    """The hits that are drums of the map; a line about the others, which no engine plays."""
    reading = read_with(performance, drum_map)
    for line in reading.lines:
        if strict or reading.performance.num_hits == 0:
            raise InputError(f"{line.removesuffix('; left out')}; choose another drum_map")
        progress.message(line)
    if reading.by_pedal:
        progress.message(
            f"{reading.by_pedal:,} hits on the hi-hat are open or closed by the pedal, not the note"
        )
    return reading.performance


def from_file_to_file(
    midi_path: str | Path,
    audio_path: str | Path,
    config: RenderConfig | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Renders a MIDI file to a WAV (16 bit), FLAC or OGG (Vorbis) file, whole or not at all.

    Raises:
        InputError: another suffix, or not a MIDI file.
    """
    check_suffix(audio_path)
    rendered = from_file(midi_path, config, engine=engine, progress=progress)
    rendered.save(audio_path)
    return rendered


@dataclass(frozen=True)
class FileResult:
    """What became of one file of many.

    Attributes:
        midi, audio: the files read and written.
        duration_sec, sample_rate: of the audio; 0 where there is none.
        kit: what it was played on.
        error: why there is no audio; None where there is.
    """

    midi: str
    audio: str
    duration_sec: float = 0.0
    sample_rate: int = 0
    kit: str = ""
    error: str | None = None


def from_files_to_files(
    pairs: Iterable[tuple[str | Path, str | Path]],
    config: RenderConfig | None = None,
    *,
    progress: Progress | None = None,
) -> list[FileResult]:
    """Renders many MIDI files with one engine; a bad one among them costs the others nothing.

    Args:
        pairs: (MIDI file, audio file) to read and write.
        config: with what and how.
        progress: told about each file.
    """
    work = [(str(midi), str(audio)) for midi, audio in pairs]
    for _, audio in work:
        check_suffix(audio)
    config, progress = config or RenderConfig(), progress or Silent()
    engine = open_engine(config, progress)
    results = []
    for midi, audio in work:
        try:
            done = from_file_to_file(midi, audio, config, engine=engine, progress=progress)
        except InputError as error:
            results.append(FileResult(midi, audio, error=str(error)))
            if len(work) > 1:
                progress.message(f"skipped: {error}")
            continue
        result = FileResult(midi, audio, done.duration_sec, done.sample_rate, engine.kit)
        results.append(result)
        progress.message(f"{audio}: {done.duration_sec:.2f} s at {done.sample_rate} Hz")
    return results


def output_paths(midi: Sequence[str | Path], out: str | Path) -> list[tuple[Path, Path]]:
    """Pairs of MIDI and audio files: `out` itself for one, files of the same stem in it for many.

    A folder gets .wav files: one that is there, or for one file a name without a suffix, for
    several any name but that of an audio file. Raises InputError when two files would have the
    same name.
    """
    out = Path(out)
    if len(midi) == 1 and out.suffix and not out.is_dir():
        return [(Path(midi[0]), out)]
    pairs = [(Path(path), out / f"{Path(path).stem}.wav") for path in midi]
    names = [audio for _, audio in pairs]
    for audio in names:
        if names.count(audio) > 1:
            raise InputError(f"{audio}: two MIDI files would be written to it; render them apart")
    if out.is_file() or (out.suffix.lower() in AUDIO_SUFFIXES and not out.is_dir()):
        raise InputError(f"{out}: several MIDI files need a folder, not a file, to be written to")
    return pairs


def fit_length(audio: NDArray[np.float32], num_samples: int) -> NDArray[np.float32]:
    """Cuts audio `[..., S]`, or pads it with zeros, to exactly `num_samples`."""
    there = audio.shape[-1]
    if there >= num_samples:
        return audio[..., :num_samples]
    return np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(0, num_samples - there)])


def fade_end(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The audio `[..., S]` with its last `END_FADE_SEC` faded to zero."""
    length = min(audio.shape[-1], round(END_FADE_SEC * sample_rate))
    faded = audio.copy()
    faded[..., audio.shape[-1] - length :] *= np.linspace(1.0, 0.0, length, dtype=np.float32)
    return faded


def guard_peak(audio: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Scales audio that would clip to `PEAK_LIMIT`; returns it with the gain that was applied.

    All channels by one gain, so that each stays where it is.
    """
    peak = float(max(np.max(audio, initial=0.0), -np.min(audio, initial=0.0)))
    if not math.isfinite(peak):
        raise MidigrooveError("the render has NaN or infinite samples; is the checkpoint damaged?")
    if peak <= 1.0:
        return audio, 1.0
    gain = PEAK_LIMIT / peak
    return (audio * np.float32(gain)).astype(np.float32), gain
