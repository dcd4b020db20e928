"""Takes as files to keep: made in the studio's folder, sent, and taken away again."""

from __future__ import annotations

import re
import tempfile
import zipfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from midigroove_core.audio import save_audio
from midigroove_core.rendering.aside import Played
from midigroove_core.rendering.output import Output, write
from midigroove_core.studio.takes import Take
from midigroove_core.studio.uploads import Uploads


def wav_file(uploads: Uploads, name: str, take: Take) -> Response:
    """A take as a WAV file of 16 bits."""
    path = uploads.new(".wav")
    save_audio(path, take.audio, take.sample_rate)
    return _sent(path, f"{file_name(name, take)}.wav", "audio/wav")


def stems_zip(uploads: Uploads, name: str, take: Take, groups: Played) -> Response:
    """Groups of drums as WAV files of 16 bits in one archive; they add up to the take."""
    path, base = uploads.new(".zip"), file_name(name, take)
    with tempfile.TemporaryDirectory(dir=uploads.folder) as folder:
        stems = write(groups, Path(folder) / f"{base}.wav", Output(stems=True)).stems
        try:
            with zipfile.ZipFile(path, "w") as archive:
                for stem in stems:
                    archive.write(stem, stem.name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return _sent(path, f"{base}-stems.zip", "application/zip")


def file_name(name: str, take: Take) -> str:
    """A name for a download, of letters that any file system takes."""
    how = "like" if take.settings.like else take.settings.kit or take.settings.engine
    return re.sub(r"[^\w.-]+", "_", f"{Path(name).stem}-{how}").strip("._") or "groove"


def _sent(path: Path, name: str, media_type: str) -> Response:
    gone = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=media_type, filename=name, background=gone)
