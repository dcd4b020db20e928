"""Options of every command that reads a dataset, and the one call that opens what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import progress_for_terminal
from midigroove_core.errors import InputError

if TYPE_CHECKING:
    from midigroove_core.takes import Dataset

_GROUP = "Which takes"


def read_max_takes(text: str | None) -> int | dict[str, int] | None:
    """`500`, or `train=400,validation=50`, as `select` takes it.

    Raises:
        InputError: neither.
    """
    if text is None:
        return None
    sizes: dict[str, int] = {}
    for part in text.split(","):
        name, _, size = part.rpartition("=")
        if not size.strip().isdigit() or name.strip() in sizes:
            raise InputError(
                f"--max-takes {text!r}: write a number, or split=number with commas between"
            )
        sizes[name.strip()] = int(size)
    if "" not in sizes:
        return sizes
    if len(sizes) > 1:
        raise InputError(f"--max-takes {text!r}: a number for all splits, or one for each")
    return sizes[""]


def _option(*names: str, help: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=_GROUP)


DatasetPath = Annotated[
    Path | None,
    typer.Argument(
        metavar="DATASET",
        help="Folder or csv of E-GMD, GMD, or audio and MIDI pairs. Default: EGMD_CSV, EGMD_ROOT.",
        show_default=False,
    ),
]
Kind = Annotated[str, _option("--kind", help="auto, egmd, gmd, stemgmd or folder.")]
Root = Annotated[
    Path | None,
    _option("--dataset-root", help="Folder that a csv's names are relative to [default: its own]."),
]
TrainCsv = Annotated[
    Path | None, _option("--train-csv", help="Rows of the training split [default: none].")
]
ValCsv = Annotated[
    Path | None, _option("--val-csv", help="Rows of the validation split [default: none].")
]
MidiChoice = Annotated[
    str, _option("--midi", help="E-GMD: one 'canonical' MIDI a performance, or each 'kit' its own.")
]
BeatType = Annotated[
    str | None, _option("--beat-type", help="Only beat, or only fill [default: both].")
]
Kits = Annotated[
    list[str] | None,
    _option("--kit", help="Only this kit; repeatable, or with commas [default: all]."),
]
KitsExclude = Annotated[
    list[str] | None,
    _option("--kit-exclude", help="Not this kit; repeatable, or with commas [default: none]."),
]
KitTopN = Annotated[
    int | None,
    number(
        bounds.AT_LEAST_ONE, "--kit-top-n", rich_help_panel=_GROUP,
        help="Only so many kits, those with the most takes in training [default: all].",
    ),
]  # fmt: skip
Styles = Annotated[
    list[str] | None,
    _option("--style", help="Only this style, jazz has jazz/swing; repeatable [default: all]."),
]
Drummers = Annotated[
    list[str] | None, _option("--drummer", help="Only this drummer; repeatable [default: all].")
]
MaxTakes = Annotated[
    str | None,
    typer.Option(
        "--max-takes", metavar="N|SPLIT=N,...", rich_help_panel=_GROUP,
        help="At most so many, drawn within each split; 500, or train=400,test=50 [default: all].",
    ),
]  # fmt: skip
Stratify = Annotated[
    list[str] | None,
    _option(
        "--stratify",
        help="Draw them over these: drummer, style, kit, beat_type; with commas [default: none].",
    ),
]
StratifyMode = Annotated[
    str, _option("--stratify-mode", help="proportional to what there is, or uniform.")
]
OneKit = Annotated[
    bool,
    _option("--one-kit-per-performance", help="Each performance on one kit only [default: no]."),
]
SplitMode = Annotated[
    str, _option("--split-mode", help="published, leave_kit_out or leave_drummer_out.")
]
HeldOut = Annotated[
    list[str] | None,
    _option("--held-out", help="Kit or drummer of --split-mode; repeatable [default: none]."),
]
Seed = Annotated[
    int,
    number(bounds.SEED, "--select-seed", help="Seed of the draws above.", rich_help_panel=_GROUP),
]


def open_selected(
    path: Path | None,
    *,
    kind: str = "auto",
    root: Path | None = None,
    train_csv: Path | None = None,
    val_csv: Path | None = None,
    midi: str = "canonical",
    **filters: Any,
) -> Dataset:
    """Opens the dataset and keeps what the filters of `takes.select` say; None filters nothing.

    Raises:
        InputError: a choice that does not exist, or what `open_dataset` and `select` raise.
    """
    from midigroove_core.takes import open_dataset, select

    choices = {
        "--kind": (kind, ("auto", "egmd", "gmd", "stemgmd", "folder")),
        "--midi": (midi, ("canonical", "kit")),
        "--split-mode": (
            filters.get("split_mode", "published"),
            ("published", "leave_kit_out", "leave_drummer_out"),
        ),
        "--stratify-mode": (
            filters.get("stratify_mode", "proportional"),
            ("proportional", "uniform"),
        ),
    }
    for option, (value, allowed) in choices.items():
        if value not in allowed:
            raise InputError(f"{option}: {value!r} is not one of {', '.join(allowed)}")
    choice: dict[str, Any] = {"kind": kind, "midi": midi}
    dataset = open_dataset(path, root=root, train_csv=train_csv, val_csv=val_csv, **choice)
    filters["max_takes"] = read_max_takes(filters.get("max_takes"))
    wanted = {name: value for name, value in filters.items() if value is not None}
    with progress_for_terminal() as progress:
        return select(dataset, progress=progress, **wanted)
