"""Where huggingface_hub keeps what it has fetched; found without importing it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

Kind = Literal["model", "dataset"]
COMMIT = re.compile("[0-9a-f]{40}")


def hub_cache() -> Path:
    """Follows HF_HUB_CACHE, HF_HOME and XDG_CACHE_HOME as huggingface_hub does."""
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache"), "huggingface"
    )
    return Path(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")).expanduser()


def folder_of(repo: str, kind: Kind, revision: str) -> Path | None:
    """The folder with the files of a revision, as far as they were fetched; None for none.

    Args:
        repo: USER/NAME.
        kind: of repository.
        revision: a commit, or a branch or tag, which means the commit that it was when it was last
            fetched.
    """
    folder = hub_cache() / f"{kind}s--{repo.replace('/', '--')}"
    if not COMMIT.fullmatch(revision):
        reference = folder / "refs" / revision
        if not reference.is_file():
            return None
        revision = reference.read_text(encoding="utf-8").strip()
    snapshot = folder / "snapshots" / revision
    return snapshot if snapshot.is_dir() else None
