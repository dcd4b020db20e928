"""MIDI to audio: `render`, and below it `from_performance`, `from_file` and so on.

Two engines play a performance: the model (grid -> codes -> codec) and the sampler (one-shots of a
kit). Only the model needs torch, so this module imports neither engine before it is asked for.

    rendered = render("groove.mid", kit="jazz")
    rendered.audio, rendered.sample_rate
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.audio import Audio, check_suffix, downmix, resample
from midigroove_core.drum_reading import read_with
from midigroove_core.drums import DrumMap
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.readers import load_performance
from midigroove_core.rendering.aside import Played, in_blocks, with_faded_end
from midigroove_core.rendering.config import (
    BLOCK_SAMPLES,
    BlockEngine,
    Engine,
    RenderConfig,
    Rendered,
    make_config,
    num_output_samples,
)
from midigroove_core.rendering.loop import Loop, make_loop
from midigroove_core.rendering.output import Output, level_gain
from midigroove_core.rendering.polish import polished
from midigroove_core.score.feel import Feel

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

    keep_freed_memory()
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
    played = _play(with_feel(performance, config), config, engine, progress)
    return _guarded(played, progress)


def with_feel(performance: DrumPerformance, config: RenderConfig) -> DrumPerformance:
    if config.feel is None:
        return performance
    return Feel.of(load_performance(config.feel)).apply(performance)


def _play(
    performance: DrumPerformance, config: RenderConfig, engine: Engine, progress: Progress
) -> Rendered:
    """What an engine plays, at the rate and the length asked for."""
    audible = _as_played(performance, config, engine, progress)
    rate = config.sample_rate or engine.sample_rate
    loop = _loop(audible, config, rate, progress)
    played = audible if loop is None else loop.performance
    rendered = engine.play(played, progress, rounds=1 if loop is None else loop.rounds)
    audio = rendered.audio
    if not (config.raw or isinstance(engine, BlockEngine)):
        from midigroove_core.rendering.guide import leveled_by_kit

        audio = leveled_by_kit(audio, rendered.sample_rate, played, engine)
        audio = polished(audio, rendered.sample_rate, played.onset_sec)
    audio = downmix(audio)[None] if config.mono else audio
    if rate != rendered.sample_rate:
        audio = resample(audio, rendered.sample_rate, rate)
    if loop is None:
        length = num_output_samples(audible.end_sec + config.tail_sec, rate)
        audio = fade_end(fit_length(audio, length), rate)
    else:
        audio = loop.cut(audio, rate)
        rendered = replace(rendered, codes=None, joins_sec=[])
    if config.stereo is not None and len(audio) == 1 and not isinstance(engine, BlockEngine):
        parts = [*parts_of(audio, performance, config, engine, progress).blocks]
        audio = np.concatenate(parts, axis=1).reshape(-1, 2, audio.shape[1]).sum(axis=0)
    return replace(rendered, audio=audio, sample_rate=rate)


def parts_of(
    mix: Audio,
    performance: DrumPerformance,
    config: RenderConfig,
    engine: Engine,
    progress: Progress,
) -> Played:
    """The groups of drums in a mix that a model has played, see `parting`."""
    from midigroove_core.rendering.guide import groups_present, open_guide
    from midigroove_core.rendering.parting import Guide, part

    rate = config.sample_rate or engine.sample_rate
    audible = read_drums(performance, engine.drum_map, False, Silent())
    touched = config.touch.apply(audible, config.seed)
    settings, guide = open_guide(mix, rate, touched, config, engine, progress)
    played = open_played(performance, settings, guide, Silent(), groups=True)
    present = groups_present(audible, engine.drum_map)
    blocks = part(mix, Guide(played.blocks, present, played.channels), rate)
    return Played(blocks, played.groups, max(len(mix), played.channels), mix.shape[1], rate)


def _as_played(
    performance: DrumPerformance, config: RenderConfig, engine: Engine, progress: Progress
) -> DrumPerformance:
    """The drums of the map, touched: hats are read by the pedal before they are moved in time."""
    audible = read_drums(performance, engine.drum_map, config.strict, progress)
    return config.touch.apply(audible, config.seed)


def _guarded(rendered: Rendered, progress: Progress) -> Rendered:
    """The render below full scale."""
    peak = float(np.abs(rendered.audio).max(initial=0.0))
    gain, line = level_gain(peak, -math.inf, Output())
    if line is None:
        return rendered
    progress.message(line)
    return replace(rendered, audio=rendered.audio * np.float32(gain), gain=gain)


def _loop(
    performance: DrumPerformance, config: RenderConfig, sample_rate: int, progress: Progress
) -> Loop | None:
    if not config.loop and config.bars is None:
        return None
    loop = make_loop(performance, sample_rate, config.bars)
    progress.message(loop.line(sample_rate))
    return loop


def open_played(
    performance: DrumPerformance,
    config: RenderConfig,
    engine: Engine,
    progress: Progress,
    *,
    groups: bool = False,
) -> Played:
    """What `from_performance` gives, block by block and before its level is guarded.

    Args:
        performance, config, engine, progress: as `from_performance` has them.
        groups: give the groups of drums apart; a model's mix is taken apart, see `parting`.

    Raises:
        InputError: as `from_performance`.
    """
    if not isinstance(engine, BlockEngine):
        if groups:
            mix = _play(performance, replace(config, stereo=None), engine, progress).audio
            return parts_of(mix, performance, config, engine, progress)
        rendered = _play(performance, config, engine, progress)
        audio = np.atleast_2d(rendered.audio)
        rate = config.sample_rate or engine.sample_rate
        blocks = in_blocks(audio, BLOCK_SAMPLES)
        return Played(blocks, (), len(audio), audio.shape[1], rate, rendered.codes)
    rate = engine.sample_rate
    audible = _as_played(performance, config, engine, progress)
    loop = _loop(audible, config, rate, progress)
    names = engine.groups if groups else ()
    if loop is not None:
        whole = loop.start + loop.length
        blocks = engine.play_blocks(
            loop.performance, whole, progress, groups=groups, rounds=loop.rounds
        )
        return Played(loop.cut_blocks(blocks), names, engine.channels, loop.length, rate)
    length = num_output_samples(audible.end_sec + config.tail_sec, rate)
    blocks = engine.play_blocks(audible, length, progress, groups=groups)
    faded = with_faded_end(blocks, length, round(END_FADE_SEC * rate))
    return Played(faded, names, engine.channels, length, rate)


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
    performance = read_file(midi_path, config, progress)
    engine = engine or open_engine(config, progress)
    try:
        return _guarded(_play(performance, config, engine, progress), progress)
    except InputError as error:
        raise InputError(f"{midi_path}: {error}") from error


def read_file(path: str | Path, config: RenderConfig, progress: Progress) -> DrumPerformance:
    """The performance in a file, with the channel, the track and the feel that are asked for.

    Raises:
        InputError: not a file that a reader reads, or one without notes.
    """
    if config.channel is None and config.track is None:
        performance = load_performance(path)
    else:
        performance = load_midi(path, channel=config.channel, track=config.track)
    for line in performance.oddities:
        progress.message(f"{path}: {line}")
    if performance.num_hits == 0:
        raise InputError(f"{path}: there is no hit in it")
    return with_feel(performance, config)


def read_drums(
    performance: DrumPerformance, drum_map: DrumMap, strict: bool, progress: Progress
) -> DrumPerformance:
    """The hits that are drums of the map; a line about the others, which no engine plays."""
    reading = read_with(performance, drum_map)
    for line in reading.lines:
        if strict or reading.performance.num_hits == 0:
            raise InputError(f"{line.removesuffix('; left out')}; choose another `drum_map`")
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


def fit_length(audio: NDArray[np.float32], num_samples: int) -> NDArray[np.float32]:
    """Cuts or pads audio [..., S] with zeros to exactly `num_samples`."""
    audio = audio[..., :num_samples]
    missing = num_samples - audio.shape[-1]
    return np.pad(audio, [*[(0, 0)] * (audio.ndim - 1), (0, missing)]) if missing else audio


def fade_end(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The audio [..., S] with its last `END_FADE_SEC` faded to zero."""
    length = min(audio.shape[-1], round(END_FADE_SEC * sample_rate))
    faded = audio.copy()
    faded[..., audio.shape[-1] - length :] *= np.linspace(1.0, 0.0, length, dtype=np.float32)
    return faded
