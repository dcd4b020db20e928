"""Files of performances: `load_performance` finds the reader of a file by its suffix."""

from __future__ import annotations

import os
from pathlib import Path

from midigroove_core.builtin.midi_reader import MidiReader
from midigroove_core.errors import InputError, PluginError
from midigroove_core.interfaces.reader import PerformanceReader
from midigroove_core.performance import DrumPerformance
from midigroove_core.plugins import contained
from midigroove_core.registry import Entry, Registry


def load_performance(path: str | Path, *, registry: Registry | None = None) -> DrumPerformance:
    """Reads a performance from a file of any format that a reader is installed for.

    The format is known by the suffix, in upper or lower case. A MIDI file may have any name; a pipe
    is taken to be MIDI.

    Args:
        path: the file.
        registry: where readers are looked up; all plugins when not given. MIDI needs none.

    Returns:
        Hits in seconds with velocity, the hi-hat pedal, tempo and meter.

    Raises:
        InputError: the file is missing or damaged, or no reader knows its suffix; names the file.
        PluginError: two plugins read that suffix, or what a plugin's reader gave is no performance.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if _is_called_midi(path):
        return MidiReader().read(path)
    registry = registry or Registry()
    readers = _readers(registry)
    claims = [entry for entry, reader in readers if suffix in _suffixes(reader)]
    if len(claims) > 1:
        both = " and ".join(f"{entry.id} of {entry.distribution}" for entry in claims)
        raise PluginError(f"{path}: {suffix} files are read by both {both}; uninstall one of them")
    if claims:
        return _read_with(claims[0], path)
    if is_midi(path):
        return MidiReader().read(path)
    known = sorted({suffix for _, reader in readers for suffix in _suffixes(reader)})
    raise InputError(
        f"{path}: no reader for {suffix or 'files without a suffix'} (read are {', '.join(known)})"
    )


def is_midi(path: str | Path) -> bool:
    """Whether a file is read as MIDI: by its name, or by how it begins; pipes are.

    Raises:
        InputError: it has another name and cannot be opened; names the file.
    """
    path = Path(path)
    if _is_called_midi(path):
        return True
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    return start[:4] == b"MThd" or (start[:4] == b"RIFF" and start[8:] == b"RMID")


def is_performance(path: str | Path, *, registry: Registry | None = None) -> bool:
    """Whether `load_performance` reads such a file; a missing one, by its name."""
    path = Path(path)
    if _is_called_midi(path) or path.suffix.lower() in reader_suffixes(registry):
        return True
    return path.is_file() and is_midi(path)


def reader_suffixes(registry: Registry | None = None) -> tuple[str, ...]:
    """Suffixes of all files that `load_performance` reads, MIDI's first; broken readers have none.

    Args:
        registry: where readers are looked up; all plugins when not given.
    """
    found = [s for _, reader in _readers(registry or Registry()) for s in _suffixes(reader)]
    return tuple(dict.fromkeys((*MidiReader.suffixes, *found)))


def _readers(registry: Registry) -> list[tuple[Entry, type[PerformanceReader]]]:
    found = []
    for entry in registry.entries("reader"):
        try:
            found.append((entry, entry.load()))
        except PluginError:  # a line in the listing; here it reads no suffix
            continue
    return found


def _suffixes(reader: type[PerformanceReader]) -> tuple[str, ...]:
    """Lower case; MIDI's own are reserved, as core's commands are."""
    own = tuple(suffix.lower() for suffix in reader.suffixes)
    if issubclass(reader, MidiReader):
        return own
    return tuple(suffix for suffix in own if suffix not in MidiReader.suffixes)


def _read_with(entry: Entry, path: Path) -> DrumPerformance:
    if not path.exists():
        raise InputError(f"{path}: {os.strerror(2)}")
    try:
        with contained():
            performance = entry.load()().read(path)
    except PluginError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise InputError(
            f"{path}: reader {entry.id} of {entry.distribution} {entry.version} fails ({error})"
        ) from error
    if not isinstance(performance, DrumPerformance):
        raise PluginError(
            f"reader {entry.id} of {entry.distribution} {entry.version} gave a "
            f"{type(performance).__name__}, no DrumPerformance"
        )
    return performance


def _is_pipe(path: Path) -> bool:
    return not path.suffix and (path.is_fifo() or path.is_char_device())


def _is_called_midi(path: Path) -> bool:
    return path.suffix.lower() in MidiReader.suffixes or str(path) == "-" or _is_pipe(path)
