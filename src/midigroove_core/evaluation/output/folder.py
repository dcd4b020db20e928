"""Where an evaluation is written: its own folders are known by their content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midigroove_core.atomic import read_json
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.output.swap import FolderKind, whole_folder
from midigroove_core.scorecard.kept import INDEX, Kept
from midigroove_core.scorecard.manifest import FORMAT, MANIFEST

_OWN_FILES = (
    MANIFEST, "summary.json", "cost.json", "clips.csv", "codes.csv", "seeds.csv", "takes.csv",
    "per_drum.csv", "per_kit.csv", "sets.csv", "knee.csv", "codecs.csv", "long.csv",
    "skipped.jsonl", "times.csv",
)  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Where to write.

    Attributes:
        out: tables and JSON.
        preds: audio.
    """

    out: Path
    preds: Path


@contextmanager
def evaluation_folders(config: EvalConfig, settings: str) -> Iterator[Places]:
    """Yields folders to write into; when the block succeeds they are in their places.

    Args:
        config: names the places, and whether another evaluation may be replaced.
        settings: of the evaluation that is to be written, see `Manifest.settings`: one of the same
            settings may be replaced without being asked.

    Raises:
        InputError: something else is there, or an evaluation that may not be replaced.
        MidigrooveError: another process writes there, or the disk refuses.
    """
    kind = FolderKind(
        "evaluation",
        lambda place: _check_evaluation(place, settings, config.overwrite),
        lambda place: settings_of(place) is not None,
        _owns,
    )
    with whole_folder(config.out, kind) as out:
        if config.pred_dir is None:
            yield Places(out, out / "preds")
            return
        audio = FolderKind("evaluation's audio", _check_audio, _is_audio, _owns_audio)
        with whole_folder(config.pred_dir, audio) as preds:
            yield Places(out, preds)


def settings_of(place: Path) -> str | None:
    """The settings of the evaluation in a folder; None where there is none."""
    try:
        manifest = read_json(place / MANIFEST)
    except InputError:
        return None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    return str(manifest.get("settings"))


def _check_evaluation(place: Path, settings: str, overwrite: bool) -> None:
    found = settings_of(place)
    if found is None:
        raise InputError(f"{place}: has files but is no evaluation; name another folder for `out`")
    if found != settings and not overwrite:
        raise InputError(
            f"{place}: holds an evaluation with other settings or of other files; `overwrite` "
            f"replaces it, or name another folder for `out`"
        )


def _owns(relative: Path) -> bool:
    parts = relative.parts
    if len(parts) == 1:
        return parts[0] in _OWN_FILES
    if parts[0] == "preds":
        return _owns_audio(Path(*parts[1:]))
    return parts[0] == "training" and len(parts) == 2 and parts[1].endswith(".csv")


def _check_audio(place: Path) -> None:
    if not _is_audio(place):
        raise InputError(
            f"{place}: has files but no audio of an evaluation; name another folder for `pred_dir`"
        )


def _is_audio(place: Path) -> bool:
    try:
        return Kept.read(place) is not None
    except InputError:
        return False


def _owns_audio(relative: Path) -> bool:
    parts = relative.parts
    kept = len(parts) == 2 and parts[0].isdigit() and parts[1].endswith(".wav")
    return kept or parts == (INDEX,)
