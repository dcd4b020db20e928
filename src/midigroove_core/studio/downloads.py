"""Takes as files to keep: made in the studio's folder, sent, and taken away again."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from midigroove_core.audio import save_audio
from midigroove_core.studio.takes import Take
from midigroove_core.studio.uploads import Uploads


def wav_file(uploads: Uploads, name: str, take: Take) -> Response:
    """A take as a WAV file of 16 bits."""
    path = uploads.new(".wav")
    save_audio(path, take.audio, take.sample_rate)
    return _sent(path, f"{file_name(name, take)}.wav", "audio/wav")


def stems_zip(
    uploads: Uploads, name: str, take: Take, stems: Mapping[str, NDArray[np.float32]]
) -> Response:
    """Stems [S] as WAV files of 16 bits in one archive; they add up to the take."""
    path, part = uploads.new(".zip"), uploads.new(".wav")
    base = file_name(name, take)
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for group, audio in stems.items():
                save_audio(part, audio, take.sample_rate)
                archive.write(part, f"{base}-{group}.wav")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        part.unlink(missing_ok=True)
    return _sent(path, f"{base}-stems.zip", "application/zip")


def file_name(name: str, take: Take) -> str:
    """A name for a download, of letters that any file system takes."""
    how = "like" if take.settings.like else take.settings.kit or take.settings.engine
    return re.sub(r"[^\w.-]+", "_", f"{Path(name).stem}-{how}").strip("._") or "groove"


def _sent(path: Path, name: str, media_type: str) -> Response:
    gone = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=media_type, filename=name, background=gone)
