"""The Expanded Groove MIDI Dataset, and datasets made in its shape.

Callender, Hawthorne, Engel, "Improving Perceptual Quality of Drum Transcription with the Expanded
Groove MIDI Dataset" (2020), https://magenta.tensorflow.org/datasets/e-gmd: 1,059 performances on 43
kits. `id` names the performance and repeats for every kit; the audio file names the take.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from midigroove_core.takes.dataset import Dataset, Take, split_named
from midigroove_core.takes.table import Row, number, read_rows, relative_path

CSV_NAME = "e-gmd-v1.0.0.csv"
COLUMNS = (
    "drummer", "session", "id", "style", "bpm", "beat_type", "time_signature", "duration",
    "split", "midi_filename", "audio_filename", "kit_name",
)  # fmt: skip
"""Columns in the published order; all but `session` and `split` are needed."""
REFERENCE = "reference_filename"
"""Column that `data synth` adds: the audio file of another take of the same kit and split."""

STEMS = "stems"
"""Column of `data synth --stems`: names with blanks between them, see `stem_path`."""

ALTERED = "altered"
"""Column of `data synth --augment`: what was done to a take of an altered version of a kit."""

REQUIRED = tuple(column for column in COLUMNS if column not in ("session", "split"))

_ELECTRONIC = re.compile(r"808|909|custom|electro|simple|percussion", re.IGNORECASE)


def open_egmd(
    csv_path: Path,
    root: Path,
    *,
    split: str | None = None,
    midi: Literal["canonical", "kit"] = "canonical",
) -> Dataset:
    """Reads a csv of E-GMD's columns.

    Args:
        csv_path: e-gmd-v1.0.0.csv or a part of it.
        root: folder that its file names are relative to.
        split: the split of every row; None reads the column.
        midi: "kit" takes each row's own MIDI. In E-GMD that is what the module sent again for
            that kit, and on some kits hats and rims came back as other pitches; "canonical" takes
            one kit's MIDI for all takes of a performance, from an acoustic kit where there is one.

    Raises:
        InputError: missing columns or unusable values; names file, row and column.
    """
    rows = read_rows(csv_path, REQUIRED if split else (*REQUIRED, "split"))
    takes = [_take(row, f"{csv_path}: row {n}", split) for n, row in enumerate(rows, start=2)]
    if midi == "canonical":
        takes = _with_canonical_midi(takes, root)
    return Dataset(name=root.resolve().name, root=root, takes=takes)


def stem_path(audio_path: str, name: str) -> str:
    """Where `data synth` puts a stem: in a folder beside the take, "NAME_1_stems/kick.wav"."""
    return f"{audio_path.rsplit('.', 1)[0]}_stems/{name}.wav"


def _take(row: Row, where: str, split: str | None) -> Take:
    audio = relative_path(row["audio_filename"], where, "audio_filename")
    return Take(
        key=audio,
        performance_key=row["id"],
        midi_path=relative_path(row["midi_filename"], where, "midi_filename"),
        audio_path=audio,
        kit=row["kit_name"],
        drummer=row["drummer"],
        style=row["style"],
        bpm=number(row, "bpm", where),
        beat_type=row["beat_type"],
        time_signature=row["time_signature"],
        split=split or split_named(row["split"], where),
        duration_sec=number(row, "duration", where),
        stems=tuple((name, stem_path(audio, name)) for name in (row.get(STEMS) or "").split()),
        reference=relative_path(row[REFERENCE], where, REFERENCE) if row.get(REFERENCE) else "",
    )


def _with_canonical_midi(takes: list[Take], root: Path) -> list[Take]:
    """Every take with the MIDI of its performance's most trustworthy kit."""
    choices: dict[str, list[Take]] = {}
    for take in takes:
        choices.setdefault(take.performance_key, []).append(take)
    chosen: dict[str, str] = {}
    for performance, kits in choices.items():
        kits = sorted(kits, key=_trust)
        there = (take for take in kits if (root / take.midi_path).is_file())
        chosen[performance] = next(there, kits[0]).midi_path
    return [Take(**{**vars(take), "midi_path": chosen[take.performance_key]}) for take in takes]


def _trust(take: Take) -> tuple[bool, bool, int, str]:
    """Sorts acoustic kits first, then by the kit's number at the end of the file's name."""
    number = re.search(r"_(\d+)\.\w+$", take.midi_path)
    return (
        "acoustic" not in take.kit.lower(),
        bool(_ELECTRONIC.search(take.kit)),
        int(number.group(1)) if number else 0,
        take.midi_path,
    )
