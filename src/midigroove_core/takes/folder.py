"""A folder of audio and MIDI pairs with the same stem, with or without a csv about them.

The csv, `takes.csv` in the folder unless another is named, has a column `file` (the audio file or
its path without suffix, relative to the folder) and any of `kit`, `style`, `drummer`, `bpm`,
`beat_type`, `time_signature`, `split` and `performance`. What it does not say is "unknown", read
from the MIDI file (tempo, meter), or drawn by a hash of the performance (split). Takes whose MIDI
files have the same bytes are one performance, unless the csv says otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from midigroove_core.audio import AUDIO_SUFFIXES, audio_info
from midigroove_core.errors import InputError
from midigroove_core.midi import read_tempo_and_meter
from midigroove_core.takes.dataset import Dataset, Take, split_named, split_of_performance
from midigroove_core.takes.table import Row, number, read_rows, relative_path

CSV_NAME = "takes.csv"
MIDI_SUFFIXES = (".mid", ".midi")


def open_folder(root: Path, *, csv_path: Path | None = None, split: str | None = None) -> Dataset:
    """Finds the pairs below `root`; with a csv, a pair that it does not list is kept as well.

    Raises:
        InputError: no pair at all, a csv without `file`, or a row whose file is not there.
    """
    audio = _audio_files(root)
    facts = _facts(root, csv_path, audio)
    takes, unpaired = [], []
    for key in audio:
        midi = _midi_beside(root / key)
        if midi is None:
            unpaired.append(key)
        else:
            where, row = facts.get(key, (str(root / key), {}))
            takes.append(_take(root, key, midi.relative_to(root).as_posix(), row, where, split))
    if not takes:
        raise InputError(
            f"{root}: no pairs of audio ({', '.join(AUDIO_SUFFIXES)}) and MIDI "
            f"({', '.join(MIDI_SUFFIXES)}) with the same name, and no {CSV_NAME} of E-GMD or GMD"
        )
    return Dataset(name=root.resolve().name, root=root, takes=takes, unpaired=unpaired)


def _audio_files(root: Path) -> list[str]:
    found = (p for p in root.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file())
    return sorted(p.relative_to(root).as_posix() for p in found if not p.name.startswith("."))


def _midi_beside(audio: Path) -> Path | None:
    endings = [*MIDI_SUFFIXES, *(suffix.upper() for suffix in MIDI_SUFFIXES), ".Mid", ".Midi"]
    paths = (audio.with_name(audio.stem + suffix) for suffix in endings)
    return next((path for path in paths if path.is_file()), None)


def _facts(root: Path, csv_path: Path | None, audio: list[str]) -> dict[str, tuple[str, Row]]:
    """For each audio file that the csv speaks of: where it does, and what it says."""
    if csv_path is None:
        csv_path = root / CSV_NAME
        if not csv_path.is_file():
            return {}
    by_stem = {key.rsplit(".", 1)[0]: key for key in audio}
    facts = {}
    for n, row in enumerate(read_rows(csv_path, ["file"]), start=2):
        where = f"{csv_path}: row {n}"
        name = relative_path(row["file"], where, "file")
        key = name if name in audio else by_stem.get(name)
        if key is None:
            raise InputError(f"{where}: file: no audio file {name} in {root}")
        facts[key] = (where, row)
    return facts


def _take(
    root: Path, key: str, midi: str, row: Mapping[str, str], where: str, split: str | None
) -> Take:
    digest = hashlib.sha256((root / midi).read_bytes()).hexdigest()[:16]
    performance = row.get("performance") or digest
    try:
        bpm, meter = read_tempo_and_meter(root / midi)
        duration_sec = audio_info(root / key).duration_sec
    except InputError:
        # The pair stays listed: whoever reads its notes or samples says what is wrong with it.
        bpm, meter, duration_sec = 0.0, "4-4", 0.0
    named = row.get("split") or ""
    return Take(
        key=key,
        performance_key=performance,
        midi_path=midi,
        audio_path=key,
        kit=row.get("kit") or "unknown",
        drummer=row.get("drummer") or "unknown",
        style=row.get("style") or "unknown",
        bpm=number(dict(row), "bpm", where) or bpm,
        beat_type=row.get("beat_type") or "beat",
        time_signature=row.get("time_signature") or meter,
        split=split or (split_named(named, where) if named else split_of_performance(performance)),
        duration_sec=duration_sec,
    )
