"""MIDI files to audio files: which are meant, where each goes, and many with one engine."""

from __future__ import annotations

import glob
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from midigroove_core.audio import AUDIO_SUFFIXES, audio_format
from midigroove_core.errors import InputError
from midigroove_core.midi_file import STANDARD_INPUT
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.readers import reader_suffixes
from midigroove_core.rendering.aside import Kept, Played, Store
from midigroove_core.rendering.codes_file import codes_path, save_codes
from midigroove_core.rendering.config import Engine, RenderConfig
from midigroove_core.rendering.output import (
    Output,
    describe_stems,
    level_gain,
    stem_path,
    write_kept,
)
from midigroove_core.rendering.render import open_played
from midigroove_core.rendering.sources import Files, Source

STANDARD_OUTPUT = "-"
"""The path that stands for standard output."""


@dataclass(frozen=True)
class FileResult:
    """What became of one file of many.

    Attributes:
        midi, audio: the files read and written.
        duration_sec, sample_rate: of the audio; 0 where there is none.
        kit: what it was played on.
        gain: what the audio was multiplied by.
        stems: files of the stems.
        error: why there is no audio; None where there is.
    """

    midi: str
    audio: str
    duration_sec: float = 0.0
    sample_rate: int = 0
    kit: str = ""
    gain: float = 1.0
    stems: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class MidiInput:
    """A file to render.

    Attributes:
        path: of the file.
        place: where it goes in an output folder; the tree of a folder is kept.
    """

    path: Path
    place: Path


def find_inputs(named: Sequence[str | Path]) -> list[MidiInput]:
    """The files that are meant by files, folders and patterns such as "*.mid".

    Raises:
        InputError: a folder or a pattern without a file that can be read.
    """
    found: list[MidiInput] = []
    for name in named:
        path = Path(name)
        if path.is_dir():
            inside = _files_in(path)
            if not inside:
                raise InputError(f"{path}: no file in it that can be rendered")
            found += [MidiInput(file, file.relative_to(path)) for file in inside]
        elif glob.has_magic(str(name)) and not path.exists():
            matches = sorted(glob.glob(str(name), recursive=True))
            if not matches:
                raise InputError(f"{name}: no file has a name like this")
            found += [MidiInput(Path(file), Path(Path(file).name)) for file in matches]
        else:
            found.append(MidiInput(path, Path(path.name)))
    return found


def _files_in(folder: Path) -> list[Path]:
    """Files below a folder that have a reader, by name; links to folders are not followed."""
    suffixes = reader_suffixes()
    found = []
    for parent, _, names in os.walk(folder):
        found += [Path(parent) / name for name in names if Path(name).suffix.lower() in suffixes]
    return sorted(found)


def output_paths(
    inputs: Sequence[MidiInput], out: str | Path | None, *, folder: bool = False
) -> list[tuple[Path, Path]]:
    """Pairs of files to read and audio files to write.

    Args:
        inputs: of `find_inputs`.
        out: an audio file for one input, a folder for many; "-" for standard output; None writes
            each .wav beside its input.
        folder: `out` is a folder even for one input.

    Raises:
        InputError: two inputs would be written to one file, or a file is no place for many.
    """
    if out is None:
        if any(str(one.path) == STANDARD_INPUT for one in inputs):
            raise InputError("standard input has no name of its own; say where with `out`")
        return _distinct([(one.path, one.path.with_suffix(".wav")) for one in inputs])
    out = Path(out)
    is_file = out.suffix.lower() in AUDIO_SUFFIXES or (out.suffix and not folder)
    if len(inputs) == 1 and not folder and not out.is_dir():
        if is_file or str(out) == STANDARD_OUTPUT:
            return [(inputs[0].path, out)]
    elif str(out) == STANDARD_OUTPUT:
        raise InputError("standard output takes one file; name a folder with `out`")
    elif out.is_file() or (out.suffix.lower() in AUDIO_SUFFIXES and not out.is_dir()):
        raise InputError(f"{out}: several MIDI files need a folder, not a file, to be written to")
    return _distinct([(one.path, out / _wav_name(one.place)) for one in inputs])


def _wav_name(place: Path) -> Path:
    return Path("groove.wav") if str(place) == STANDARD_INPUT else place.with_suffix(".wav")


def _distinct(pairs: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    sources: dict[Path, Path] = {}
    for midi, audio in pairs:
        if audio in sources:
            raise InputError(
                f"{audio}: both {sources[audio]} and {midi} would be written to it; "
                "render them apart"
            )
        sources[audio] = midi
    return pairs


def from_files_to_files(
    pairs: Iterable[tuple[str | Path, str | Path]],
    config: RenderConfig | None = None,
    output: Output | None = None,
    *,
    source: Source | None = None,
    progress: Progress | None = None,
) -> list[FileResult]:
    """Renders many MIDI files with one engine; a bad one among them costs the others nothing.

    The sampler's audio is written while it is played, so it may be hours long.

    Args:
        pairs: (MIDI file, audio file) to read and write.
        config: with what and how.
        output: level, bit depth and stems; with `overwrite` files that are there are replaced.
        source: reads other performances than files, such as `CachedTakes`.
        progress: told about each file.

    Raises:
        InputError: an audio file that is there already or cannot have that format; before any work.
    """
    work = [(Path(midi), Path(audio)) for midi, audio in pairs]
    config, progress = config or RenderConfig(), progress or Silent()
    output = output or Output()
    _check(work, config, output)
    source = source or Files()
    results: list[FileResult] = []
    waiting: list[tuple[int, Kept]] = []
    with _shared_store(work, output) as shared:
        for midi, audio in work:
            try:
                performance = source.read(midi, config, progress)
            except InputError as error:
                results.append(_failed(midi, audio, error, len(work), progress))
                continue
            # Loading takes seconds, which nobody should wait who named a file that is not there.
            engine = source.engine(midi, config, progress)
            try:
                played = _open_played(midi, performance, audio, config, output, engine, progress)
            except InputError as error:
                results.append(_failed(midi, audio, error, len(work), progress))
                continue
            if shared is not None:
                waiting.append(
                    (len(results), shared.keep(played, loudness=output.lufs is not None))
                )
            result = FileResult(
                str(midi), str(audio), played.num_samples / played.sample_rate,
                played.sample_rate, engine.kit,
            )  # fmt: skip
            if shared is None:
                result = _written_alone(result, played, audio, output, progress)
            results.append(result)
        if shared is not None and waiting:
            _write_alike(results, waiting, shared, output, progress)
    return results


@contextmanager
def _shared_store(work: list[tuple[Path, Path]], output: Output) -> Iterator[Store | None]:
    """Where all renders are put aside until the gain of all of them is known."""
    if not output.one_gain or not work:
        yield None
        return
    with Store(_aside(work[0][1])) as store:
        yield store


def _aside(audio: Path) -> Path:
    """Where what becomes of a file is put aside: on the disk that has room for it."""
    return Path(tempfile.gettempdir()) if str(audio) == STANDARD_OUTPUT else audio.parent


def _written_alone(
    result: FileResult, played: Played, audio: Path, output: Output, progress: Progress
) -> FileResult:
    with Store(_aside(audio)) as store:
        kept = store.keep(played, loudness=output.lufs is not None)
        gain, line = level_gain(kept.peak, kept.lufs, output)
        stems = _write(store, kept, audio, gain, output)
    if line is not None:
        progress.message(line)
    return _said(replace(result, gain=gain, stems=stems), output, progress)


def _write_alike(
    results: list[FileResult],
    waiting: list[tuple[int, Kept]],
    store: Store,
    output: Output,
    progress: Progress,
) -> None:
    """Writes all that was put aside with the gain of the loudest."""
    peaks = [kept.peak for _, kept in waiting]
    peak = math.nan if any(math.isnan(one) for one in peaks) else max(peaks)
    gain, line = level_gain(peak, max(kept.lufs for _, kept in waiting), output)
    if line is not None:
        progress.message(line)
    for index, kept in waiting:
        stems = _write(store, kept, Path(results[index].audio), gain, output)
        results[index] = _said(replace(results[index], gain=gain, stems=stems), output, progress)


def _write(store: Store, kept: Kept, audio: Path, gain: float, output: Output) -> tuple[str, ...]:
    if str(audio) != STANDARD_OUTPUT:
        return tuple(str(stem) for stem in write_kept(store, kept, audio, gain, output))
    with tempfile.TemporaryDirectory() as folder:
        write_kept(store, kept, Path(folder) / "groove.wav", gain, output)
        _to_standard_output(Path(folder) / "groove.wav")
    return ()


def _said(result: FileResult, output: Output, progress: Progress) -> FileResult:
    where = "standard output" if result.audio == STANDARD_OUTPUT else result.audio
    stems = f"; {describe_stems(result.stems)}" if output.stems else ""
    progress.message(f"{where}: {result.duration_sec:.2f} s at {result.sample_rate} Hz{stems}")
    return result


def _check(work: list[tuple[Path, Path]], config: RenderConfig, output: Output) -> None:
    if output.codes and (config.engine != "model" or output.stems or config.loop):
        raise InputError("`codes` are drawn by the model for a whole mix; not with stems or a loop")
    there = []
    for midi, audio in work:
        if str(audio) == STANDARD_OUTPUT:
            if output.stems or output.codes:
                raise InputError("`stems` and `codes` are files; name one with `out`")
            continue
        audio_format(audio, output.bit_depth)
        if os.path.lexists(audio):
            there.append(audio)
        if output.codes and os.path.lexists(codes_path(audio)):
            there.append(codes_path(audio))
        if audio == midi:
            raise InputError(f"{audio}: would be written over what is read")
    if there and not output.overwrite:
        many = f" and {len(there) - 1} more" if len(there) > 1 else ""
        exist = "are there already" if many else "is there already"
        raise InputError(f"{there[0]}{many} {exist}; `overwrite` replaces, `out` names another")


def _failed(midi: Path, audio: Path, error: InputError, of: int, progress: Progress) -> FileResult:
    if of > 1:
        progress.message(f"skipped: {error}")
    return FileResult(str(midi), str(audio), error=str(error))


def _open_played(
    midi: Path,
    performance: DrumPerformance,
    audio: Path,
    config: RenderConfig,
    output: Output,
    engine: Engine,
    progress: Progress,
) -> Played:
    try:
        played = open_played(performance, config, engine, progress, groups=output.stems)
    except InputError as error:
        raise InputError(f"{midi}: {error}") from error
    if output.codes:
        save_codes(codes_path(audio), played.codes, getattr(engine, "codec", None))
    if output.stems and not output.overwrite:
        _check_stems(audio, played.groups)
    return played


def _check_stems(audio: Path, groups: Sequence[str]) -> None:
    for group in groups:
        if os.path.lexists(stem_path(audio, group)):
            raise InputError(f"{stem_path(audio, group)} is there already; `overwrite` replaces")


def _to_standard_output(path: Path) -> None:
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
