"""`data sketch`: what a kit that is cut from another take of a kit makes of each take.

A model that hears kits without a name hears them in such sketches (`GridBatch.sketch`). When it
plays, a kit is cut from a recording and plays the performance, so in training it is cut from a
stretch of the take that the dataset names as the reference. Some stretches come without their MIDI,
as some recordings do.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midigroove_core import bounds
from midigroove_core.atomic import clear_leftovers, write_bytes, write_json, write_text
from midigroove_core.audio import audio_info, load_mono, save_audio
from midigroove_core.datasets.references import references_of
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.kits import sampler
from midigroove_core.kits.oneshots import SAMPLE_RATE, Kit
from midigroove_core.lock import lock_folder
from midigroove_core.midi import load_midi
from midigroove_core.processes import in_order
from midigroove_core.progress import Progress, Silent
from midigroove_core.recordings.hearing import hear
from midigroove_core.recordings.like import kit_in
from midigroove_core.structured import read_json_as
from midigroove_core.takes import Dataset, Take, egmd

STRETCH_SEC = (8.0, 25.0)
"""How much of its reference a take is cut from, drawn evenly."""

SETTINGS = "sketches.json"


@dataclass
class SketchSummary:
    """What a run made.

    Attributes:
        csv_path: of the dataset of sketches.
        written, kept: takes sketched now, and found finished from an earlier run.
        skipped: take -> why there is no sketch of it.
    """

    csv_path: Path
    written: int = 0
    kept: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        reasons = Counter(self.skipped.values())
        return {
            "csv": str(self.csv_path), "written": self.written, "kept": self.kept,
            "skipped": dict(sorted(reasons.items())),
        }  # fmt: skip


@dataclass(frozen=True)
class _Task:
    root: Path
    out: Path
    take: Take
    reference: Take
    heard: float


class _Settings(msgspec.Struct, frozen=True):
    dataset: str
    heard: float


def sketch(
    dataset: Dataset,
    out: str | Path,
    *,
    heard: float = 0.2,
    workers: int | None = None,
    progress: Progress | None = None,
) -> SketchSummary:
    """Writes a dataset with a take of the same key for each take that has a reference.

    What is drawn for a take depends on its key alone, and finished files are kept: a run that was
    killed goes on where it was and ends with the same bytes.

    Args:
        dataset: of takes whose kits play more than one performance.
        out: the new dataset's folder.
        heard: share of the takes whose kit is cut without MIDI, from hits that are heard.
        workers: processes; None uses every core.
        progress: told of every take.

    Raises:
        InputError: `out` lies in the dataset's folder, or no take can be sketched.
        MismatchError: `out` has sketches of something else.
        MidigrooveError: a full disk.
    """
    bounds.SHARE.check("`heard`", heard)
    progress, out = progress or Silent(), Path(out)
    if dataset.root.resolve() in (out.resolve(), *out.resolve().parents):
        raise InputError(f"{out}: lies in the dataset's folder; choose another for `out`")
    references = references_of(dataset.takes)
    tasks = [
        _Task(dataset.root, out, take, references[take.key], heard)
        for take in dataset.takes
        if take.key in references
    ]
    if not tasks:
        raise InputError(f"{dataset.name}: no kit plays two performances of one split")
    summary, rows = SketchSummary(out / egmd.CSV_NAME), []
    with lock_folder(out, "dataset"):
        _settle(out / SETTINGS, _Settings(dataset.fingerprint(), heard))
        clear_leftovers(out)
        progress.start("sketching takes", len(tasks))
        for task, found in zip(tasks, in_order(_sketch_take, tasks, workers), strict=True):
            if isinstance(found, str):
                summary.skipped[task.take.key] = found
            else:
                rows.append(_row(task.take))
                summary.kept += found
                summary.written += not found
            progress.advance(1, left_out=len(summary.skipped))
        progress.finish()
        if not rows:
            raise InputError(
                f"{out}: no take could be sketched: {next(iter(summary.skipped.values()))}"
            )
        _write_csv(summary.csv_path, rows)
    return summary


def _settle(path: Path, settings: _Settings) -> None:
    if path.is_file() and read_json_as(path, _Settings) != settings:
        raise MismatchError(
            f"{path}: these are sketches of another dataset or setting; choose another `out`"
        )
    write_json(path, msgspec.to_builtins(settings))


def _sketch_take(task: _Task) -> bool | str:
    """Whether the take was there before; or why there can be none."""
    take = task.take
    wav, midi = task.out / take.key, task.out / take.midi_path
    if wav.is_file() and midi.is_file():
        return True
    try:
        info = audio_info(task.root / take.audio_path)
        performance = load_midi(task.root / take.midi_path)
        kit = _cut(task)
        played = sampler.render(
            performance, kit, sample_rate=info.sample_rate, num_samples=info.num_samples
        )
        save_audio(wav, played, info.sample_rate)
    except InputError as error:
        return str(error).removeprefix(f"{task.root}/")
    if not midi.is_file():
        write_bytes(midi, (task.root / take.midi_path).read_bytes())
    return False


def _cut(task: _Task) -> Kit:
    """The kit of a stretch of the reference."""
    rng = np.random.default_rng(list(hashlib.sha256(task.take.key.encode()).digest()))
    path = task.root / task.reference.audio_path
    audio = load_mono(path, SAMPLE_RATE)
    length_sec = rng.uniform(*STRETCH_SEC)
    start_sec = rng.uniform(0.0, max(0.0, len(audio) / SAMPLE_RATE - length_sec))
    audio = audio[round(start_sec * SAMPLE_RATE) :][: round(length_sec * SAMPLE_RATE)]
    if rng.random() < task.heard:
        hits = hear(path, audio)
    else:
        whole = load_midi(task.root / task.reference.midi_path)
        hits = whole.slice(start_sec, start_sec + len(audio) / SAMPLE_RATE)
    return kit_in(audio, hits).kit


def _row(take: Take) -> dict[str, str]:
    values = {
        "drummer": take.drummer, "id": take.performance_key, "style": take.style,
        "bpm": f"{take.bpm:g}", "beat_type": take.beat_type,
        "time_signature": take.time_signature, "duration": f"{take.duration_sec:.6f}",
        "split": take.split, "midi_filename": take.midi_path, "audio_filename": take.key,
        "kit_name": take.kit,
    }  # fmt: skip
    return {column: values.get(column, "") for column in egmd.COLUMNS}


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, egmd.COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
