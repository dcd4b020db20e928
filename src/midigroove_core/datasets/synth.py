"""`data synth`: an E-GMD-shaped dataset from drum MIDI and kits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
import numpy as np

from midigroove_core import bounds
from midigroove_core.atomic import (
    clear_leftovers,
    dump_json,
    sha256_of,
    sha256_of_file,
    write_json,
    write_text,
)
from midigroove_core.datasets.references import name_references
from midigroove_core.datasets.synth_take import (
    KITS_AT_ONCE,
    TakeResult,
    Task,
    kit_gain,
    loaded_kit,
    render_takes,
)
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.kits.fluidsynth import fluidsynth_version
from midigroove_core.kits.kitsfile import KitSpec, kit_specs
from midigroove_core.kits.library import random_recipe
from midigroove_core.kits.random_kits import parse_name
from midigroove_core.lock import lock_folder
from midigroove_core.processes import in_order
from midigroove_core.progress import Progress, Silent
from midigroove_core.structured import convert_as, read_json_as
from midigroove_core.takes import egmd
from midigroove_core.takes.performances import Performance, list_builtin, list_performances
from midigroove_core.takes.select import sample

SCHEMA = 1
COLUMNS = (*egmd.COLUMNS, egmd.REFERENCE)
TAIL_SEC = 1.0
"""Audio after the last note's end, for what still rings."""


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
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> SynthSummary:
    """Plays every performance on every kit: 16-bit mono wav at 44.1 kHz, MIDI, and one csv.

    Finished files are kept, so a run that was killed goes on where it was and ends with the same
    bytes. A kit's gain is one number for all takes, so that velocities mean the same everywhere.

    Args:
        midi: folder of drum MIDI, GMD's info.csv in it is used; or "builtin", the grooves that
            ship.
        kits: a kits file, "builtin", "random:20", or names of kits (see `kitsfile.kit_specs`).
        out: the dataset's folder.
        max_performances: so many, in proportion over (split, drummer, style).
        beat_type: "beat" or "fill" only.
        split_by: "published" or "drummer".
        headroom_db: turn every kit whose level is measured down by so much, so that dense takes do
            not clip.
        seed: of the choice of performances.
        workers: processes; None uses every core.
        progress: told of every performance.

    Raises:
        InputError: unusable input, or no take at all could be made.
        MismatchError: `out` was made with other kits or settings; names the field.
        MidigrooveError: a missing program or a full disk.
    """
    progress, out = progress or Silent(), Path(out)
    bounds.DECIBELS.check("`headroom_db`", headroom_db)
    bounds.SEED.check("`seed`", seed)
    if max_performances is not None:
        bounds.AT_LEAST_ONE.check("`max_performances`", max_performances)
    specs = kit_specs(kits)
    folder, performances = _list(midi, split_by)
    _check_apart(out, folder)
    chosen = _choose(folder, performances, beat_type, max_performances, seed)
    with lock_folder(out, "dataset"):
        gains = _settle(out, specs, headroom_db, progress)
        clear_leftovers(out)
        by_kit = dict(zip([s.name for s in specs], gains, strict=True))
        summary = SynthSummary(out / egmd.CSV_NAME, gains=by_kit)
        tasks = _tasks(folder, out, chosen, specs, gains)
        rows = _rows(chosen, _play_all(chosen, tasks, workers, progress), summary)
        _write_skipped(out, summary)
        if not rows:
            first = summary.skipped[0]["reason"] if summary.skipped else "nothing was chosen"
            raise InputError(f"{out}: no take could be made: {first}")
        _write_csv(summary.csv_path, rows)
    return summary


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
    name_references(rows)
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


def _tasks(
    folder: Path, out: Path, chosen: list[Performance], specs: list[KitSpec], gains: list[float]
) -> list[Task]:
    """All performances on some kits, then on the next, so that each kit is loaded once."""
    kits = list(zip(range(1, len(specs) + 1), specs, gains, strict=True))
    parts = [tuple(kits[i : i + KITS_AT_ONCE]) for i in range(0, len(kits), KITS_AT_ONCE)]
    return [Task(folder, out, p, part, TAIL_SEC) for part in parts for p in chosen]


def _stem(performance: Performance) -> str:
    return PurePosixPath(performance.midi_path).with_suffix("").as_posix()


class _SettledKit(msgspec.Struct, frozen=True):
    name: str
    gain: Annotated[float, msgspec.Meta(gt=0, le=1000)]


class _Settled(msgspec.Struct, frozen=True):
    """What synth.json says: how loud the kits are, and what they were made of."""

    schema: int
    tail_sec: float
    headroom_db: float
    kits: list[_SettledKit]
    versions: dict[str, str]


def _settle(out: Path, specs: list[KitSpec], headroom_db: float, progress: Progress) -> list[float]:
    """Gains, measured once and written to synth.json, which later runs must agree with."""
    path = out / "synth.json"
    before: dict[str, Any] = {"kits": [], "headroom_db": headroom_db}
    if path.is_file():
        before = read_json_as(path, dict[str, Any])
        if convert_as(before, _Settled, str(path)).schema != SCHEMA:
            raise MismatchError(f"{path}: of another version; choose another `out`")
    was = before["headroom_db"]
    if was != headroom_db:
        raise MismatchError(
            f"{path}: headroom_db was {was:g} and is now {headroom_db:g}; choose another `out`, or "
            "delete this one"
        )
    facts = [_facts(spec) for spec in specs]
    for old, new, spec in zip(before["kits"], facts, specs, strict=False):
        for name, value in new.items():
            if old.get(name) != value:
                was_and_is = f"was {old.get(name)!r} and is now {value!r}"
                if name == "recipe":
                    was_and_is = "is not the one that it was made by"
                raise MismatchError(
                    f"{path}: {name} of kit {old['name']!r} {was_and_is}; choose another `out`, or "
                    "delete this one"
                )
        if spec.gain not in (None, old["gain"]):
            raise MismatchError(
                f"{path}: gain of kit {spec.name!r} was {old['gain']} and is now {spec.gain}; "
                "choose another `out`, or delete this one"
            )
    gains = [old["gain"] for old in before["kits"][: len(specs)]]
    for spec in specs[len(gains) :]:
        progress.message(f"measuring the level of kit {spec.name}")
        if spec.preset is None:
            kit = loaded_kit(spec.oneshots)
            for what, names in (("read as drums", kit.read_as), ("not read", kit.unread)):
                if names:
                    progress.message(f"kit {spec.name}: {what}: {', '.join(names)}")
        gains.append(spec.gain or kit_gain(spec, headroom_db))
    entries = [{**fact, "gain": gain} for fact, gain in zip(facts, gains, strict=True)]
    entries += before["kits"][len(specs) :]
    needs_program = any(spec.preset for spec in specs)
    versions = {"fluidsynth": fluidsynth_version()} if needs_program else {}
    header = {"schema": SCHEMA, "tail_sec": TAIL_SEC, "headroom_db": headroom_db}
    write_json(path, {**header, "kits": entries, "versions": versions})
    return gains


def _facts(spec: KitSpec) -> dict[str, Any]:
    """What decides how a kit sounds, as JSON."""
    random = parse_name(spec.oneshots) if spec.preset is None else None
    if random is not None:
        return {
            "name": spec.name, "recipe": random_recipe(spec.oneshots).to_json(),
            "sha256": {Path(f).name: _sha256_of_shots(Path(f)) for f in random[1]},
        }  # fmt: skip
    if spec.preset is None:
        return {
            "name": spec.name, "oneshots": Path(spec.oneshots).name,
            "sha256": _sha256_of_shots(Path(spec.oneshots)),
        }  # fmt: skip
    preset = spec.preset
    return {
        "name": spec.name, "soundfont": preset.font.name, "sha256": sha256_of_file(preset.font),
        "bank": preset.bank, "program": preset.program, "channel": preset.channel,
        "remap": {str(key): value for key, value in sorted(preset.remap.items())},
    }  # fmt: skip


def _sha256_of_shots(folder: Path) -> str:
    """Of all files of a kit's folder; empty for a built-in kit, which its name decides."""
    if not folder.is_dir():
        return ""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    listed = [[path.name, sha256_of_file(path)] for path in files]
    return sha256_of(dump_json(listed).encode())


def _count(summary: SynthSummary, performance: Performance, results: list[TakeResult]) -> None:
    for result in results:
        if result.reason:
            entry = {"performance": performance.midi_path, "kit": result.kit}
            summary.skipped.append({**entry, "reason": result.reason})
            continue
        summary.kept += result.kept
        summary.written += not result.kept
        summary.audio_sec += result.duration_sec


def _row(performance: Performance, result: TakeResult) -> dict[str, str]:
    values = {
        **vars(performance), "duration": f"{result.duration_sec:.6f}",
        "midi_filename": result.midi_path, "audio_filename": result.audio_path,
        "kit_name": result.kit,
    }  # fmt: skip
    return {column: values.get(column, "") for column in COLUMNS}


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _write_skipped(out: Path, summary: SynthSummary) -> None:
    path = out / "skipped.jsonl"
    if summary.skipped:
        write_text(path, "".join(dump_json(e, indent=None) + "\n" for e in summary.skipped))
    else:
        path.unlink(missing_ok=True)
