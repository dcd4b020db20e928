"""`data synth`: an E-GMD-shaped dataset from drum MIDI and kits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from midigroove_core import bounds
from midigroove_core.atomic import (
    clear_leftovers,
    write_json_lines,
    write_text,
)
from midigroove_core.datasets.alteration import version_name
from midigroove_core.datasets.references import Sound, choose_references
from midigroove_core.datasets.synth_plan import ALTERED_SPLIT, plan_tasks
from midigroove_core.datasets.synth_state import settle
from midigroove_core.datasets.synth_work import TakeResult, TakeSettings, Task, render_takes
from midigroove_core.errors import InputError
from midigroove_core.kits.kitsfile import KitSpec, kit_specs
from midigroove_core.lock import lock_folder
from midigroove_core.processes import in_order
from midigroove_core.progress import Progress, Silent
from midigroove_core.takes import egmd
from midigroove_core.takes.draw import sample
from midigroove_core.takes.performances import Performance, list_builtin, list_performances

COLUMNS = (*egmd.COLUMNS, egmd.REFERENCE)


@dataclass
class SynthSummary:
    """What a run made.

    Attributes:
        csv_path: the dataset's csv.
        written, kept: takes rendered now, and found finished from an earlier run.
        audio_sec: of both together.
        gains: factor by kit.
        skipped: performance, kit and reason of each take that could not be made.
    """

    csv_path: Path
    written: int = 0
    kept: int = 0
    audio_sec: float = 0.0
    gains: dict[str, float] = field(default_factory=dict)
    skipped: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        reasons = Counter(entry["reason"] for entry in self.skipped)
        return {
            "csv": str(self.csv_path), "written": self.written, "kept": self.kept,
            "audio_hours": round(self.audio_sec / 3600, 4), "gains": self.gains,
            "skipped": dict(sorted(reasons.items())),
        }  # fmt: skip


def synthesize(
    midi: str | Path,
    kits: str | Path,
    out: str | Path,
    *,
    max_performances: int | None = None,
    beat_type: str | None = None,
    split_by: str = "published",
    headroom_db: float = 0.0,
    stems: bool = False,
    augment: int = 0,
    channel: int | None = None,
    track: str | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> SynthSummary:
    """Plays every performance on every kit: 16-bit mono wav at 44.1 kHz, MIDI, and one csv.

    A run that was killed goes on where it was and ends with the same bytes. A kit's gain is one
    number for all takes, so that velocities mean the same everywhere.

    Args:
        midi: folder of drum MIDI (GMD's info.csv in it is used), or "builtin".
        kits: a kits file, "builtin", "random:20", or names (see `kitsfile.kit_specs`).
        out: the dataset's folder.
        max_performances: so many, in proportion over (split, drummer, style).
        beat_type: "beat" or "fill" only.
        split_by: "published" or "drummer".
        headroom_db: turn every kit whose level is measured down by so much.
        stems: write each of `sampler.STEMS` that a take plays, too; they add up to it exactly.
        augment: play training takes on so many altered versions of each kit, too; without stems.
        channel, track: of each file, 1 to 16 and number or name, to play; None takes its drums.
        seed: of the choice of performances and of what alters kits.
        workers: processes; None uses every core.
        progress: told of every performance.

    Raises:
        InputError: unusable input, or no take could be made.
        MismatchError: `out` was made with other kits or settings; names the field.
        MidigrooveError: a missing program or a full disk.
    """
    progress, out = progress or Silent(), Path(out)
    _check_numbers(headroom_db, seed, channel, max_performances, augment)
    settings = TakeSettings(stems, channel, track)
    specs = kit_specs(kits)
    folder, performances = _list(midi, split_by)
    _check_apart(out, folder)
    chosen = _choose(folder, performances, beat_type, max_performances, seed)
    if augment:
        _check_altered(folder, chosen, specs, augment)
    with lock_folder(out, "dataset"):
        played = settle(out, specs, headroom_db, stems, progress, versions=augment, seed=seed)
        clear_leftovers(out)
        tasks = plan_tasks(folder, out, chosen, played, seed, settings)
        summary = SynthSummary(out / egmd.CSV_NAME, gains={k.name: k.gain for k, *_ in played})
        rows = _rows(chosen, _play_all(chosen, tasks, workers, progress), summary)
        _write_skipped(out, summary, rows)
        _write_csv(summary.csv_path, rows, {egmd.STEMS: stems, egmd.ALTERED: augment > 0})
    return summary


def _check_altered(
    folder: Path, chosen: list[Performance], specs: list[KitSpec], augment: int
) -> None:
    if not any(performance.split == ALTERED_SPLIT for performance in chosen):
        raise InputError(f"{folder}: nothing to `augment`: no performance is for training")
    names = {spec.name.lower() for spec in specs}
    for spec in specs:
        if any(version_name(spec.name, n).lower() in names for n in range(1, augment + 1)):
            raise InputError(f"kit {spec.name!r}: another kit is named as its altered version")


def _check_numbers(
    headroom_db: float,
    seed: int,
    channel: int | None,
    max_performances: int | None,
    augment: int,
) -> None:
    bounds.DECIBELS.check("`headroom_db`", headroom_db)
    bounds.SEED.check("`seed`", seed)
    bounds.VERSIONS.check("`augment`", augment)
    if channel is not None:
        bounds.CHANNEL.check("`channel`", channel)
    if max_performances is not None:
        bounds.AT_LEAST_ONE.check("`max_performances`", max_performances)


def _check_apart(out: Path, folder: Path) -> None:
    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise InputError(
            f"{out}: lies in the folder of the performances; its copies would be taken for new "
            "ones. Choose another folder for `out`"
        )


def _play_all(
    chosen: list[Performance], tasks: list[Task], workers: int | None, progress: Progress
) -> dict[str, list[TakeResult]]:
    """What became of each performance, by the path of its MIDI."""
    results: dict[str, list[TakeResult]] = {p.midi_path: [] for p in chosen}
    progress.start(f"playing {len(chosen)} performances", len(tasks))
    for task, made in zip(tasks, in_order(render_takes, tasks, workers), strict=True):
        results[task.performance.midi_path] += made
        progress.advance(1, file=task.performance.midi_path)
    progress.finish()
    return results


def _rows(
    chosen: list[Performance], results: dict[str, list[TakeResult]], summary: SynthSummary
) -> list[dict[str, str]]:
    """The csv's rows, in the order of the performances; the summary counts what became of all."""
    rows = []
    for performance in chosen:
        made = results[performance.midi_path]
        rows += [_row(performance, result) for result in made if not result.reason]
        _count(summary, performance, made)
    references = choose_references(
        Sound(
            row["audio_filename"], row["id"], row["kit_name"], row["split"], float(row["duration"])
        )
        for row in rows
    )
    for row in rows:
        row[egmd.REFERENCE] = references.get(row["audio_filename"], "")
    return rows


def _list(midi: str | Path, split_by: str) -> tuple[Path, list[Performance]]:
    """The folder and its performances; a folder called "builtin" wins over the grooves."""
    if str(midi) == "builtin" and not Path(midi).is_dir():
        return list_builtin()
    return Path(midi), list_performances(Path(midi), split_by=split_by)


def _choose(
    folder: Path,
    performances: list[Performance],
    beat_type: str | None,
    size: int | None,
    seed: int,
) -> list[Performance]:
    if beat_type is not None:
        performances = [p for p in performances if p.beat_type == beat_type]
        if not performances:
            raise InputError(f"{folder}: no performance has the beat type {beat_type!r}")
    stems = Counter(_stem(p) for p in performances)
    twice = next((stem for stem, count in stems.items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{folder}: two performances would be written as {twice}; rename one")
    if size is None or size >= len(performances):
        return performances
    rng = np.random.default_rng(seed)
    return sample(performances, size, lambda p: (p.split, p.drummer, p.style), rng)


def _stem(performance: Performance) -> str:
    return PurePosixPath(performance.midi_path).with_suffix("").as_posix()


def _count(summary: SynthSummary, performance: Performance, results: list[TakeResult]) -> None:
    for result in results:
        if result.reason:
            entry = {"performance": performance.midi_path, "kit": result.kit.name}
            summary.skipped.append({**entry, "reason": result.reason})
            continue
        summary.kept += result.kept
        summary.written += not result.kept
        summary.audio_sec += result.duration_sec


def _row(performance: Performance, result: TakeResult) -> dict[str, str]:
    kit, facts = result.kit, dict(vars(performance))
    if kit.alteration is not None:
        facts["id"] = f"{performance.id}_{kit.tag}"  # its MIDI is its own
        facts["bpm"] = _times(performance.bpm, kit.speed)
        facts[egmd.ALTERED] = kit.alteration.describe()
    values = {
        **facts, "duration": f"{result.duration_sec:.6f}",
        "midi_filename": result.midi_path, "audio_filename": result.audio_path,
        "kit_name": kit.name, egmd.STEMS: " ".join(result.stems),
    }  # fmt: skip
    return {column: values.get(column, "") for column in (*COLUMNS, egmd.STEMS, egmd.ALTERED)}


def _times(bpm: str, speed: float) -> str:
    """A tempo as the csv has it, which may have none."""
    return f"{float(bpm) * speed:.6g}" if bpm else bpm


def _write_csv(path: Path, rows: list[dict[str, str]], more: dict[str, bool]) -> None:
    """With the columns of `more` that this dataset has."""
    # Not `csvfile.write_csv`, which marks cells that a spreadsheet would compute: paths and names
    # are read back from here as they are.
    text = io.StringIO()
    columns = (*COLUMNS, *(column for column, wanted in more.items() if wanted))
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _write_skipped(out: Path, summary: SynthSummary, rows: list[dict[str, str]]) -> None:
    path = out / "skipped.jsonl"
    if summary.skipped:
        write_json_lines(path, summary.skipped)
    else:
        path.unlink(missing_ok=True)
    if not rows:
        first = summary.skipped[0]["reason"] if summary.skipped else "nothing was chosen"
        raise InputError(f"{out}: no take could be made: {first}")
