"""What `hf://USER/NAME[@REVISION]` means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from midigroove_core.errors import InputError
from midigroove_core.hub.place import COMMIT, Kind

_START = re.compile("hf:/{1,2}")
"""`Path("hf://a/b")` has one slash."""

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_ADDRESS = re.compile(
    rf"(?:(?P<kind>models|datasets)/)?(?P<repo>{_PART}/{_PART})(?:@(?P<revision>[^@]+))?"
)
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
_REPO = re.compile(f"{_PART}/{_PART}")


def is_address(path: str | Path) -> bool:
    """Whether a path is an address on the hub."""
    return _START.match(str(path)) is not None


@dataclass(frozen=True)
class HubAddress:
    """A repository on the hub, and which state of it.

    Attributes:
        repo: USER/NAME.
        kind: where the address says it (`hf://datasets/USER/NAME`), or None: what is asked for
            decides. Checkpoints lie in model repositories, caches and kits in datasets.
        revision: a branch, a tag or a commit.
    """

    repo: str
    kind: Kind | None = None
    revision: str = "main"

    def __str__(self) -> str:
        start = "datasets/" if self.kind == "dataset" else ""
        return f"hf://{start}{self.repo}@{self.revision}"

    @property
    def name(self) -> str:
        """NAME of the repository."""
        return self.repo.split("/")[1]

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return COMMIT.fullmatch(self.revision) is not None

    @classmethod
    def parse(cls, path: str | Path) -> Self:
        """Reads `hf://[models/|datasets/]USER/NAME[@REVISION]`.

        Raises:
            InputError: not of that form.
        """
        match = _ADDRESS.fullmatch(_START.sub("", str(path), count=1))
        if match is None:
            raise InputError(f"{str(path)[:200]}: write hf://USER/NAME or hf://USER/NAME@REVISION")
        check_repo(match["repo"])
        kind: Kind | None = None
        if match["kind"]:
            kind = "model" if match["kind"] == "models" else "dataset"
        revision = match["revision"] or "main"
        check_revision(revision)
        return cls(match["repo"], kind, revision)


def check_repo(repo: str) -> None:
    """Raises InputError unless `repo` is USER/NAME as the hub has it."""
    if not _REPO.fullmatch(repo) or "--" in repo or ".." in repo or repo.endswith(".git"):
        raise InputError(
            f"{repo[:200]!r} is no repository; write USER/NAME, of letters, digits, . _ and -"
        )


def check_revision(revision: str) -> None:
    """Raises InputError unless `revision` may name a branch, a tag or a commit."""
    if not _REVISION.fullmatch(revision) or ".." in revision or "//" in revision:
        raise InputError(f"{revision[:200]!r} is no branch, tag or commit")
