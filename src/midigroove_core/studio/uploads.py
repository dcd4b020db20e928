"""Files that the page sends: read within bounds, kept in a temporary folder of the studio's own."""

from __future__ import annotations

import secrets
from pathlib import Path, PurePosixPath

from starlette.requests import Request

from midigroove_core.audio import AUDIO_SUFFIXES
from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance
from midigroove_core.readers import load_performance

LARGEST_SCORE = 8 << 20
LARGEST_RECORDING = 64 << 20
LARGEST_JSON = 4 << 20
MOST_RECORDINGS = 4
_RECORDINGS = (*AUDIO_SUFFIXES, ".aif", ".aiff", ".mp3")


async def read_body(request: Request, largest: int, what: str) -> bytes:
    """The body of a request.

    Raises:
        InputError: it is larger; says how large it may be. No more than that is kept.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise InputError(f"{what}: larger than {largest >> 20} MiB, the most the studio takes")
    return bytes(body)


def plain_name(name: str) -> str:
    """A file's name as the page sent it, without folders and what steers, for people to read."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[:120] or "file"


class Uploads:
    """What was sent, in one folder.

    Args:
        folder: an empty folder; whoever made it takes it away.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recordings: dict[str, Path] = {}
        self._names: dict[str, str] = {}

    def read_performance(self, name: str, body: bytes) -> DrumPerformance:
        """The performance in a file that was sent; the file is gone afterwards.

        Raises:
            InputError: not MIDI nor a score that a reader reads; begins with `name`.
        """
        path = self.new(Path(name).suffix)
        try:
            path.write_bytes(body)
            return load_performance(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), name)) from error
        finally:
            path.unlink(missing_ok=True)

    def keep_recording(self, name: str, body: bytes) -> str:
        """Keeps a recording and gives its id; the oldest of too many goes.

        Raises:
            InputError: by its suffix no recording that is read.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in _RECORDINGS:
            raise InputError(f"{name}: no recording; {', '.join(_RECORDINGS)} are read")
        path = self.new(suffix)
        path.write_bytes(body)
        while len(self.recordings) >= MOST_RECORDINGS:
            self._forget(next(iter(self.recordings)))
        self.recordings[path.stem] = path
        self._names[str(path)] = name
        return path.stem

    def _forget(self, id: str) -> None:
        path = self.recordings.pop(id)
        del self._names[str(path)]
        path.unlink(missing_ok=True)

    def with_names(self, text: str) -> str:
        """A message with the names that the user knows for recordings."""
        for path, name in self._names.items():
            text = text.replace(path, name)
        return text

    def new(self, suffix: str) -> Path:
        """A path that does not exist yet; the suffix is the only part that comes from outside."""
        safe = suffix.lower() if suffix[1:].isalnum() and len(suffix) <= 12 else ""
        return self.folder / f"{secrets.token_hex(8)}{safe}"
