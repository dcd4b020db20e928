"""The Groove MIDI Dataset: one human performance a row, recorded on one kit.

Gillick et al., "Learning to Groove with Inverse Sequence Transformations" (ICML 2019),
https://magenta.tensorflow.org/datasets/groove. CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path

from midigroove_core.takes.dataset import Dataset, Take, split_named
from midigroove_core.takes.table import number, read_rows, relative_path

CSV_NAME = "info.csv"
REQUIRED = (
    "drummer", "id", "style", "bpm", "beat_type", "time_signature", "midi_filename",
    "audio_filename", "duration", "split",
)  # fmt: skip
KIT = "Roland TD-11"


def open_gmd(csv_path: Path, root: Path, *, split: str | None = None) -> Dataset:
    """Reads info.csv; rows without audio (60 of 1,150) are no takes.

    Raises:
        InputError: missing columns or unusable values; names file, row and column.
    """
    takes = []
    for n, row in enumerate(read_rows(csv_path, REQUIRED), start=2):
        if not row["audio_filename"]:
            continue
        where = f"{csv_path}: row {n}"
        audio = relative_path(row["audio_filename"], where, "audio_filename")
        takes.append(
            Take(
                key=audio,
                performance_key=row["id"],
                midi_path=relative_path(row["midi_filename"], where, "midi_filename"),
                audio_path=audio,
                kit=KIT,
                drummer=row["drummer"],
                style=row["style"],
                bpm=number(row, "bpm", where),
                beat_type=row["beat_type"],
                time_signature=row["time_signature"],
                split=split or split_named(row["split"], where),
                duration_sec=number(row, "duration", where),
            )
        )
    return Dataset(name=root.resolve().name, root=root, takes=takes)
