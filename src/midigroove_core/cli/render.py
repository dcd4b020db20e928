"""`midigroove render`: MIDI to audio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli.drawing import (
    DRAWING,
    Sample,
    Temperature,
    TopK,
    TopP,
    read_sampling_options,
)
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, print_json, progress_for_terminal
from midigroove_core.errors import InputError


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(render)


def render(
    midi: Annotated[
        list[Path],
        typer.Argument(
            help="MIDI files or scores (MusicXML), folders of them, or - for standard input; with "
            "--cache its takes.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Audio file (.wav, .flac, .ogg), a folder, or - for standard output.",
            show_default="a .wav beside each file",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Render takes of this cache, named by their keys.", show_default="none"),
    ] = None,
    save_codes: Annotated[
        bool,
        typer.Option("--save-codes", help="Keep the model's codes beside each file, too."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace audio files that are there.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            help="model or sampler (needs no model).",
            show_default="model; sampler with --like and kits of your own",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Checkpoint.", show_default="the model that ships")
    ] = None,
    kit: Annotated[
        str | None,
        typer.Option(
            help="Kit by name, in any case; an unknown one lists the kits. Sampler, and a model "
            "that hears kits: or a folder.",
            show_default="the first kit",
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            help="Recording of drums to sound like: its kit is cut out, and played by the sampler; "
            "or a model that hears kits hears it.",
            show_default="none",
        ),
    ] = None,
    like_midi: Annotated[
        Path | None,
        typer.Option(help="What is played in it, or the whole of that.", show_default="heard"),
    ] = None,
    vary: Annotated[
        bool,
        typer.Option(
            "--vary", help="Sampler: equal hits sound a little apart, though the kit has one sound."
        ),
    ] = False,
    drummer: Annotated[
        str | None, typer.Option(help="Play like this drummer.", show_default="unknown")
    ] = None,
    style: Annotated[str | None, typer.Option(help="Style.", show_default="unknown")] = None,
    beat_type: Annotated[
        str | None, typer.Option(help="beat or fill.", show_default="unknown")
    ] = None,
    bpm: Annotated[
        float | None,
        number(bounds.TEMPO_BPM, help="Tempo condition.", show_default="as the MIDI says"),
    ] = None,
    drum_map: Annotated[
        str | None,
        typer.Option(
            help="What the pitches mean: a name of `drum-maps`, or a .toml file.",
            show_default="as the model was trained",
        ),
    ] = None,
    feel: Annotated[
        Path | None,
        typer.Option(
            help="Play with the timing and dynamics of this performance.",
            show_default="the file's own",
        ),
    ] = None,
    swing: Annotated[
        str | None,
        typer.Option(
            help="Where the second of two 16ths (/8: 8ths) lies: 50 is straight, 67 a triplet.",
            show_default="as played",
        ),
    ] = None,
    velocity_curve: Annotated[
        str | None,
        typer.Option(
            help="Below 1 soft hits get louder; or points such as 1=20,127=110.",
            show_default="as played",
        ),
    ] = None,
    humanize: Annotated[
        str | None,
        typer.Option(
            help="Move hits, and hit harder or softer, by luck: time=8,velocity=6 (ms, steps).",
            show_default="as played",
        ),
    ] = None,
    channel: Annotated[
        int | None, number(bounds.CHANNEL, help="MIDI channel, 1 to 16.", show_default="the drums")
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(help="Track, by number from 1 or name.", show_default="the drums"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse hits that are no drum of the map.")
    ] = False,
    sample_rate: Annotated[
        int | None,
        number(bounds.SAMPLE_RATE, help="Of the result, in Hz.", show_default="the codec's"),
    ] = None,
    stereo: Annotated[
        str | None,
        typer.Option(
            metavar="<audience|drummer>",
            help="From where the kit is heard.",
            show_default="the codec's channels; the sampler's one",
        ),
    ] = None,
    mono: Annotated[
        bool, typer.Option("--mono", help="Mix the channels of a stereo codec.")
    ] = False,
    tail_sec: Annotated[
        float, number(bounds.SECONDS, "--tail", help="Seconds after the last event.")
    ] = 2.0,
    loop: Annotated[
        bool, typer.Option("--loop", help="Whole bars whose end runs into their start; no tail.")
    ] = False,
    bars: Annotated[
        int | None, number(bounds.BARS, help="Length of the loop in bars.", show_default="all")
    ] = None,
    stems: Annotated[
        bool,
        typer.Option("--stems", help="Kick, snare, toms, hats, cymbals, percussion apart, too."),
    ] = False,
    lufs: Annotated[
        float | None,
        number(
            bounds.LUFS, help="Loudness to bring files to, such as -16.", show_default="as played"
        ),
    ] = None,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="Bring each file's peak to -1 dB.")
    ] = False,
    one_gain: Annotated[
        bool,
        typer.Option("--one-gain", help="One gain for all files, so that they stay comparable."),
    ] = False,
    bit_depth: Annotated[
        str, typer.Option(help="16, 24 or float (.wav; .flac has no float).")
    ] = "16",
    dither: Annotated[
        bool, typer.Option("--dither", help="Dither to 16 bits, except where it is silent.")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Model: as the codec decodes it: levels, noise in silence, echoes ahead of hits.",
        ),
    ] = False,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    sample: Sample = None,
    seed: Annotated[
        int,
        number(
            bounds.SEED,
            help="Another seed draws other codes, and other luck.",
            rich_help_panel=DRAWING,
        ),
    ] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    codec_path: Annotated[
        Path | None, typer.Option(help="Weights of the codec.", show_default="where it looks")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="A page to hear kits and engines side by side in, instead of audio files: with "
            "--kit all, or names with commas, and --engine both.",
            show_default="none",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Play MIDI files on a drum kit: through the model, or through the sampler.

    The result is as long as the performance and its tail, to the sample, and never clips.

    Example: `midigroove render groove.mid --kit jazz -o groove.wav`
    """
    from midigroove_core.rendering.config import make_config
    from midigroove_core.rendering.files import (
        MidiInput,
        find_inputs,
        from_files_to_files,
        output_paths,
    )
    from midigroove_core.rendering.output import Output
    from midigroove_core.rendering.sources import CachedTakes

    settings = dict(
        engine=engine or _default_engine(kit, like, checkpoint),
        like=like, like_midi=like_midi, vary=vary,
        checkpoint=checkpoint, codec_path=codec_path, kit=kit, drummer=drummer,
        style=style, beat_type=beat_type, bpm=bpm, drum_map=drum_map, feel=feel, swing=swing,
        velocity_curve=velocity_curve, humanize=humanize, channel=channel, track=track,
        strict=strict, tail_sec=tail_sec, loop=loop, bars=bars,
        sampling=read_sampling_options(sample, temperature, top_k, top_p), raw=raw, seed=seed,
        sample_rate=sample_rate, stereo=stereo, mono=mono, device=device,
    )  # fmt: skip
    if report is not None:
        if out is not None or json:
            raise InputError("`report` writes one page and no audio; leave `out` and `json` out")
        return _write_page([one.path for one in find_inputs(midi)], report, settings, overwrite)
    config = make_config(settings)
    output = Output(
        bit_depth=bit_depth, dither=dither, lufs=lufs, normalize=normalize, one_gain=one_gain,
        stems=stems, codes=save_codes,
        overwrite=overwrite,
    )  # fmt: skip
    if json and str(out) == "-":
        raise InputError("standard output takes the audio or `json`, not both")
    folder = len(midi) > 1 or any(path.is_dir() for path in midi)
    inputs = find_inputs(midi) if cache is None else [MidiInput(key, key) for key in midi]
    if cache is not None and out is None:
        raise InputError("a take of a cache has no place of its own; say where with --out")
    pairs = output_paths(inputs, out, folder=folder)
    source = None if cache is None else CachedTakes(cache)
    with progress_for_terminal() as progress:
        results = from_files_to_files(pairs, config, output, source=source, progress=progress)
    if json:
        print_json([vars(result) for result in results])
    failed = [result for result in results if result.error is not None]
    if len(results) == 1 and failed:
        raise InputError(str(failed[0].error))
    if failed:
        raise InputError(f"{len(failed)} of {len(results)} not rendered; {failed[0].error}")


def _default_engine(kit: str | None, like: Path | None, checkpoint: Path | None) -> str:
    """One-shots that somebody has are played as they are, unless a model is asked for."""
    from midigroove_core.kits.library import list_kits, names_a_kit
    from midigroove_core.names import same

    if like is not None:
        return "sampler"
    if kit is None or checkpoint is not None or not names_a_kit(kit):
        return "model"
    return "model" if any(same(info.id, kit) for info in list_kits()) else "sampler"


def _write_page(paths: list[Path], page: Path, settings: dict[str, Any], overwrite: bool) -> None:
    from midigroove_core.report.renders import write_renders_page

    if page.exists() and not overwrite:
        raise InputError(f"{page} is there already; `overwrite` replaces")
    with progress_for_terminal() as progress:
        write_renders_page(paths, page, settings, progress)
        progress.message(f"{page}: open it in a browser")
