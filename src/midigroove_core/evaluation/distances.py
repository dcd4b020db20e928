"""Do two folders of audio sound alike? Set distances without an evaluation.

    found = measure_distances("recordings", ["bounces", "eval/first"])

A folder is one set of all audio in it; an evaluation has one set per row whose audio was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import load_mono
from midigroove_core.device import choose_device
from midigroove_core.errors import InputError
from midigroove_core.evaluation.rows.audio_folder import SUFFIXES
from midigroove_core.evaluation.scoring.set_distances import (
    LEAST_ROWS,
    MAX_ROWS,
    NUM_SPLITS,
    Against,
    VectorSet,
)
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.loudness import clip_lufs, matching_gain
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.manifest import MANIFEST
from midigroove_core.scorecard.records import SetDistances

LOUDNESS_LUFS = -23.0
"""What every piece is brought to, so that level does not count; EBU R 128's."""


@dataclass(frozen=True)
class AudioFile:
    """A file and what it was multiplied with when it was written."""

    path: Path
    gain: float = 1.0


@dataclass(frozen=True)
class Cutting:
    """How files become vectors.

    Attributes:
        embedding: gives them.
        clip_sec: pieces of so many seconds; 0 takes files whole.
        same_loudness: bring every piece to `LOUDNESS_LUFS`.
        max_vectors: at most so many per set.
    """

    embedding: Embedding
    clip_sec: float
    same_loudness: bool
    max_vectors: int

    def vectors(self, files: Sequence[AudioFile], progress: Progress) -> VectorSet:
        """A set of them."""
        parts = []
        for file in files:
            for piece in self._pieces(file):
                parts.append((self.embedding.embed(piece), str(file.path)))
            progress.advance()
        return VectorSet.gather(parts, self.max_vectors)

    def _pieces(self, file: AudioFile) -> Iterator[NDArray[np.float32]]:
        rate = self.embedding.sample_rate
        audio = load_mono(file.path, rate) / np.float32(file.gain)
        length = round(self.clip_sec * rate) or len(audio)
        for start in range(0, len(audio), length):
            piece = audio[start : start + length]
            if start and 2 * len(piece) < length:  # a rest is no piece, unless it is all there is
                break
            if self.same_loudness:
                piece = piece * np.float32(matching_gain(clip_lufs(piece, rate), LOUDNESS_LUFS))
            yield piece


def measure_distances(
    reference: str | Path,
    estimated: Sequence[str | Path],
    *,
    embedding: str = "log_mel",
    embedding_path: str | None = None,
    clip_sec: float = 5.0,
    same_loudness: bool = True,
    max_vectors: int = MAX_ROWS,
    draws: int = NUM_SPLITS,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> SetDistances:
    """Distances of each set to the reference, and the floor of the reference against itself.

    Args:
        reference: a folder of audio; of an evaluation the row that it was compared with.
        estimated: folders, or evaluations, whose rows are sets each.
        embedding, embedding_path: the space, and where its weights lie.
        clip_sec: files are cut into pieces of so many seconds; 0 takes them whole.
        same_loudness: bring every piece to one loudness first.
        max_vectors: at most so many per set, spread evenly.
        draws: halvings behind the floor.
        seed: of the draws.
        device: where the embedding runs.
        progress: told about each file.

    Raises:
        InputError: no audio, or too little of it.
        MidigrooveError: no such embedding, or something that it needs is missing.
    """
    progress = progress or Silent()
    _check(estimated, clip_sec, max_vectors, draws)
    base = _reference_files(Path(reference))
    sets = _named(estimated)
    space: Embedding = (
        Registry()
        .load("embedding", embedding)
        .from_config({}, path=embedding_path, device=choose_device(device))
    )
    cutting = Cutting(space, clip_sec, same_loudness, max_vectors)
    progress.start("Embedding audio", len(base) + sum(map(len, sets.values())))
    real = _enough(cutting.vectors(base, progress), str(reference))
    against = Against(real)
    floor = against.floor(num_splits=draws, seed=seed)
    lines = []
    for name, files in sets.items():
        found = _enough(cutting.vectors(files, progress), name)
        lines.append(against.line(name, found, seed=seed))
    progress.finish()
    floors = () if floor is None else (floor,)
    return SetDistances(space.embedding_id, space.identity(), same_loudness, floors, tuple(lines))


def _check(estimated: Sequence[str | Path], clip_sec: float, most: int, draws: int) -> None:
    if not estimated:
        raise InputError("nothing to compare: name a folder of audio to be `estimated`")
    if not 0 <= clip_sec < float("inf"):
        raise InputError(f"`clip_sec` is {clip_sec}, not 0 or more")
    if most < LEAST_ROWS:
        raise InputError(f"`max_vectors` is {most}, not {LEAST_ROWS} or more")
    if draws < 1:
        raise InputError(f"`draws` is {draws}, not 1 or more")


def _enough(found: VectorSet, where: str) -> VectorSet:
    if len(found) < LEAST_ROWS:
        raise InputError(
            f"{where}: {len(found)} vectors say nothing, {LEAST_ROWS} are the least; add files, or "
            f"cut them shorter by `clip_sec`"
        )
    return found


def _named(places: Sequence[str | Path]) -> dict[str, list[AudioFile]]:
    """Name -> files; the folder's name where it is alone, else its path."""
    paths = [Path(place) for place in places]
    names = [path.resolve().name for path in paths]
    found: dict[str, list[AudioFile]] = {}
    for path, name in zip(paths, names, strict=True):
        alone = names.count(name) == 1
        if (path / MANIFEST).is_file():
            lead = "" if len(paths) == 1 else f"{name if alone else path}/"
            found |= {f"{lead}{row}": files for row, files in _rows(path).items()}
        else:
            found[name if alone else str(path)] = _folder(path)
    return found


def _reference_files(place: Path) -> list[AudioFile]:
    if not (place / MANIFEST).is_file():
        return _folder(place)
    facts = Evaluation.open(place).manifest.reference
    rows = _rows(place)
    if facts is None or facts.row not in rows:
        raise InputError(f"{place}: the audio of its reference was not kept")
    return rows[facts.row]


def _rows(place: Path) -> dict[str, list[AudioFile]]:
    """Row -> kept files of an evaluation."""
    folder, kept = Evaluation.open(place).kept()
    found: dict[str, list[AudioFile]] = {}
    for clip in () if kept is None else kept.clips:
        for row, audio in clip.rows.items():
            found.setdefault(row, []).append(AudioFile(folder / audio.file, audio.gain))
    if not found:
        raise InputError(f"{place}: no audio was kept; evaluate with a higher `save_preds`")
    return found


def _folder(place: Path) -> list[AudioFile]:
    if not place.is_dir():
        raise InputError(f"{place}: no such folder")
    paths = sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise InputError(f"{place}: has no audio ({', '.join(SUFFIXES)})")
    return [AudioFile(path) for path in paths]
