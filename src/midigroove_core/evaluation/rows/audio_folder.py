"""Audio from elsewhere under test: a folder with a file per take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import dump_json, sha256_of, sha256_of_file
from midigroove_core.audio import load_channels
from midigroove_core.csvfile import read_csv
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.config import AudioSpec
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.base.takes import JudgedTake
from midigroove_core.evaluation.rows.source import ClipBatch, Played, RowSource
from midigroove_core.scorecard.records import FolderFacts
from midigroove_core.scorecard.rows import Row, RowKind

SUFFIXES = (".wav", ".flac", ".ogg", ".aif", ".aiff", ".mp3")


class AudioFolder:
    """Which file of a folder is which take.

    A file belongs to the take whose path in the dataset it has, whatever the suffix; where there is
    none, to the take of its stem, if one take and one file have that stem.

    Args:
        spec: the folder, or a csv with the columns `take` and `file`.
        takes: of the judged split.

    Attributes:
        files: take -> file.

    Raises:
        InputError: no folder, no file for any take, or a stem that several files have.
    """

    def __init__(self, spec: AudioSpec, takes: Sequence[JudgedTake]) -> None:
        self.spec = spec
        found = _from_csv(spec.place) if spec.place.is_file() else _from_folder(spec.place, takes)
        self.files = {take.key: found[take.key] for take in takes if take.key in found}
        if not self.files:
            raise InputError(
                f"{spec.place}: has no audio of any of the {len(takes)} judged takes; files are "
                f"matched by name, such as {PurePosixPath(takes[0].key).with_suffix('.wav')}"
            )

    @property
    def facts(self) -> FolderFacts:
        """What the manifest says of it."""
        sums = [[key, sha256_of_file(path)] for key, path in sorted(self.files.items())]
        fingerprint = sha256_of(dump_json(sums, indent=None).encode())
        return FolderFacts(self.spec.name, self.spec.place.name, len(sums), fingerprint)


def _from_csv(path: Path) -> dict[str, Path]:
    return {line["take"]: path.parent / line["file"] for line in read_csv(path, ("take", "file"))}


def _from_folder(folder: Path, takes: Sequence[JudgedTake]) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    by_path: dict[str, list[Path]] = defaultdict(list)
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            by_path[path.relative_to(folder).with_suffix("").as_posix()].append(path)
            by_stem[path.stem].append(path)
    stems: dict[str, int] = defaultdict(int)
    for take in takes:
        stems[PurePosixPath(take.key).stem] += 1
    found = {}
    for take in takes:
        key = PurePosixPath(take.key)
        files = by_path.get(key.with_suffix("").as_posix())
        if files is None and stems[key.stem] == 1:
            files = by_stem.get(key.stem)
        if files is None:
            continue
        if len(files) > 1:
            names = " and ".join(str(path.relative_to(folder)) for path in files[:2])
            raise InputError(f"{folder}: take {take.key} may be {names}; leave one of them")
        found[take.key] = files[0]
    return found


class AudioFolderSource(RowSource):
    """Plays clips of a folder's files, resampled as whole takes.

    Args:
        folder: the files.
        sample_rate: of the clips.
        channels: of the clips.
        oracle: row that percents are of.
        journal: notes what is missing.
    """

    def __init__(
        self,
        folder: AudioFolder,
        sample_rate: int,
        channels: int,
        oracle: str | None,
        journal: Journal,
    ) -> None:
        self.row = Row(folder.spec.name, RowKind.SYSTEM, None, oracle)
        self._files, self._sample_rate, self._journal = folder.files, sample_rate, journal
        self._channels = channels
        self._key = ""
        self._audio: NDArray[np.float32] = np.zeros((channels, 0), np.float32)

    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """See `RowSource`."""
        for clip in batch.clips:
            if clip.index not in batch.references:
                continue
            try:
                yield Played(self.row, clip, audio=self._clip(clip))
            except InputError as error:
                self._journal.skip(clip.clip_id, self.row.name, str(error))

    def _clip(self, clip: EvalClip) -> NDArray[np.float32]:
        key = clip.take.key
        if key not in self._files:
            raise InputError("audio missing: the folder has no file for the take")
        if key != self._key:
            self._audio = load_channels(self._files[key], self._sample_rate, self._channels)
            self._key = key
        first, count = clip.samples(self._sample_rate)
        found = self._audio[:, first : first + count]
        # An ending that was cut off is silent; a clip that is not there at all is missing.
        if not found.size:
            raise InputError("audio too short: it ends before the clip")
        return np.pad(found, ((0, 0), (0, count - found.shape[1])))
