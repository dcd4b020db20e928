"""Weights of codecs and embeddings: files of a repository, in the hub's cache or from the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from midigroove_core.errors import MidigrooveError
from midigroove_core.hub.place import folder_of

FILES = ("config.json", "model.safetensors")


def cached_snapshot(repo: str, files: Sequence[str] = FILES) -> Path | None:
    """Folder with a model's files in the hub's cache, or None; looks at the disk only."""
    folder = folder_of(repo, "model", "main")
    here = folder is not None and all((folder / name).is_file() for name in files)
    return folder if here else None


def download(
    name: str, repo: str, files: Sequence[str] = FILES, option: str = "codec_path"
) -> Path:
    """Fetches a repository's files into the hub's cache and returns their folder.

    Raises:
        MidigrooveError: the hub cannot be reached; says how to bring the files for `name` by hand,
            and the `option` that takes them.
    """
    import sys

    from huggingface_hub import get_session, hf_hub_download, hf_hub_url
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        # One request first: the downloader itself retries an unreachable hub for half a minute.
        get_session().head(hf_hub_url(repo, files[0]), timeout=10)
        return [Path(hf_hub_download(repo, file)) for file in files][0].parent
    except Exception as error:  # offline mode, no network, proxies, a full disk: many kinds
        raise MidigrooveError(
            f"{name} needs {' and '.join(files)} of https://huggingface.co/{repo}, which are "
            f"not on this machine and could not be fetched ({type(error).__name__}); where the hub "
            f"can be reached run `hf download {repo} {' '.join(files)} --local-dir DIR`, bring "
            f"DIR here and pass `{option}` DIR"
        ) from error
