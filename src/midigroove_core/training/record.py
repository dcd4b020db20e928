"""The folder of a run: its settings, and the measurements as CSV, picture and events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midigroove_core.atomic import clear_leftovers, is_leftover, write_text
from midigroove_core.checkpoint import STATE_KEY
from midigroove_core.csvfile import write_csv
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.lock import LOCK
from midigroove_core.tensorfile import read_header
from midigroove_core.training.config import (
    TrainConfig,
    check_same_run,
    make_config,
    to_toml,
)
from midigroove_core.training.measure import Validation
from midigroove_core.training.plots import plot_loss
from midigroove_core.training.watch import EVENTS, WATCHED

CONFIG = "config.toml"
STATE = "state.safetensors"
SUMMARY = "summary.json"
COLUMNS = (
    "step", "epoch", "learning_rate", "train_loss", "valid_loss", "valid_nll", "unigram_nll",
    "bigram_nll",
)  # fmt: skip
"""Columns of metrics.csv; after them one `valid_nll_K` per codebook, and what the model's loss says
besides as `train/NAME` and `valid/NAME`. `..._nll` in nats per code."""


_OWN = (
    CONFIG, "metrics.csv", "loss.png", "best.safetensors", "last.safetensors", STATE, SUMMARY,
    WATCHED,
)  # fmt: skip


def open_run(out: Path, config: TrainConfig, *, overwrite: bool = False) -> str:
    """Makes the folder of a run, or checks that the one that is there has the same settings.

    Args:
        out: the folder; its lock is held.
        config: the settings.
        overwrite: remove the files of the run that is there, and begin anew.

    Returns:
        Which limits of the run that is there are raised, in words; "" for none.

    Raises:
        MismatchError: it has a run with other settings; names the field.
        MidigrooveError: it has something else.
    """
    check_place(out)
    clear_leftovers(out)
    if overwrite:
        _remove_own(out)
    raised = ""
    if (out / CONFIG).exists():
        raised = check_same_run(out, make_config(out / CONFIG), config)
    write_text(out / CONFIG, to_toml(config))
    return raised


def check_place(out: Path) -> None:
    """Raises MidigrooveError unless a folder is absent, empty, or a run by its content."""
    if not out.exists():
        return
    if not out.is_dir():
        raise MidigrooveError(f"{out}: is a file; a training run is a folder")
    # A kill in the very first write leaves temporary files alone.
    others = [path for path in out.iterdir() if path.name != LOCK and not is_leftover(path)]
    if others and not _is_run(out):
        raise MidigrooveError(
            f"{out}: holds files and is not a training run ({min(others).name}); choose another "
            "`out`"
        )


def _is_run(out: Path) -> bool:
    try:
        make_config(out / CONFIG)
    except MidigrooveError:  # damaged, or of something else: then the state has to say it
        try:
            return STATE_KEY in read_header(out / STATE).metadata
        except InputError:
            return False
    return True


def _remove_own(out: Path) -> None:
    """Removes the files of a run, its settings last, and nothing else."""
    for events in (out / EVENTS).glob("events.out.tfevents.*"):
        events.unlink()
    if (out / EVENTS).is_dir() and not any((out / EVENTS).iterdir()):
        (out / EVENTS).rmdir()
    for name in reversed(_OWN):
        (out / name).unlink(missing_ok=True)


def make_row(
    *,
    step: int,
    epoch: float,
    learning_rate: float,
    trained: Mapping[str, float],
    found: Validation,
    unigram: Sequence[float],
    bigram: Sequence[float],
) -> dict[str, Any]:
    """One measurement, as a row of metrics.csv.

    Args:
        step, epoch: how far the run is.
        learning_rate: of the last step.
        trained: means since the last measurement: "" is the loss, other names are its logs; empty
            before the first step.
        found: on the validation clips.
        unigram, bigram: [K], what the same codes cost without the grid.
    """
    row = {
        "step": step,
        "epoch": epoch,
        "learning_rate": learning_rate,
        "train_loss": trained.get(""),
        "valid_loss": found.loss,
        "valid_nll": found.nll,
        "unigram_nll": sum(unigram) / len(unigram),
        "bigram_nll": sum(bigram) / len(bigram),
        **{f"valid_nll_{k}": value for k, value in enumerate(found.per_codebook)},
        **{f"train/{name}": value for name, value in trained.items() if name},
        **{f"valid/{name}": value for name, value in found.logs.items()},
    }
    return {name: _if_finite(value) for name, value in row.items()}


def _if_finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def story(row: Mapping[str, Any]) -> str:
    """A measurement in a line for people."""
    trained = "" if row["train_loss"] is None else f"training {row['train_loss']:.3f}, "
    if row["valid_nll"] is None and row["valid_loss"] is None:
        return f"step {row['step']}: {trained}validation is not finite"
    if row["valid_nll"] is None:
        return f"step {row['step']}: {trained}validation {row['valid_loss']:.3f}"
    return (
        f"step {row['step']}: {trained}validation {row['valid_nll']:.3f} nats per code "
        f"(unigram {row['unigram_nll']:.3f}, bigram {row['bigram_nll']:.3f})"
    )


def write_measurements(out: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes metrics.csv and loss.png."""
    others = sorted({name for row in rows for name in row} - set(COLUMNS), key=_by_number)
    columns = [*COLUMNS, *others]
    write_csv(out / "metrics.csv", columns, [[row.get(name) for name in columns] for row in rows])
    plot_loss(out / "loss.png", rows)


def _by_number(name: str) -> tuple[bool, int, str]:
    """Codebooks first, in order; then what the loss says, by name."""
    _, _, number = name.rpartition("valid_nll_")
    return not number.isdigit(), int(number) if number.isdigit() else 0, name
