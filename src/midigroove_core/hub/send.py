"""Files to a repository, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midigroove_core.errors import MidigrooveError
from midigroove_core.hub.address import HubAddress, check_repo, check_revision
from midigroove_core.hub.place import COMMIT, Kind
from midigroove_core.hub.session import TIMEOUT_SEC, is_offline, one_line, open_api


@dataclass(frozen=True)
class SentFile:
    """A file to send: its name there, and its content or the file that has it."""

    name: str
    content: bytes | Path

    @property
    def bytes(self) -> int:
        """Its size."""
        content = self.content
        return content.stat().st_size if isinstance(content, Path) else len(content)


@dataclass(frozen=True)
class Sent:
    """What was sent.

    Attributes:
        address: of the commit, which never changes.
        url: its page.
        private: whether only those who are let in see it.
    """

    address: HubAddress
    url: str
    private: bool


def check_target(repo: str, revision: str) -> None:
    """Raises InputError unless one may push to a repository and branch of these names."""
    check_repo(repo)
    check_revision(revision)
    if COMMIT.fullmatch(revision):
        raise MidigrooveError(f"{repo}: `revision` is a commit; push to a branch")


def check_online(repo: str) -> None:
    """Raises MidigrooveError where nothing can be sent: offline, or without huggingface_hub."""
    if is_offline():
        raise MidigrooveError(f"hf://{repo}: HF_HUB_OFFLINE is set; unset it to push")
    open_api(f"hf://{repo}")


def send(
    repo: str,
    kind: Kind,
    files: Sequence[SentFile],
    *,
    private: bool,
    revision: str,
    message: str,
    belongs: Callable[[str], bool],
) -> Sent:
    """Makes the repository where it is not there, and sends all files in one commit.

    Args:
        repo: USER/NAME.
        kind: of repository.
        files: to send.
        private: it must be private: a new one is made so, and a public one is refused.
        revision: the branch, made where it is not there.
        message: of the commit.
        belongs: whether a file of that name is part of what is sent; one that is there and not
            sent again goes. All other files stay.

    Raises:
        MidigrooveError: it cannot be done; says why. Nothing is half sent.
    """
    check_target(repo, revision)
    check_online(repo)
    address = HubAddress(repo, kind, revision)
    api = open_api(str(address))
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    with one_line(str(address)):
        api.create_repo(repo, repo_type=kind, private=private or None, exist_ok=True)
        info = api.repo_info(repo, repo_type=kind, timeout=TIMEOUT_SEC)
        if private and not info.private:
            raise MidigrooveError(
                f"{address}: is there, and public; make it private on its page, or name another"
            )
        if revision != "main":
            api.create_branch(repo, repo_type=kind, branch=revision, exist_ok=True)
            info = api.repo_info(repo, repo_type=kind, revision=revision, timeout=TIMEOUT_SEC)
        names = {file.name for file in files}
        there = [file.rfilename for file in getattr(info, "siblings", None) or ()]
        gone = [name for name in there if belongs(name) and name not in names]
        made = api.create_commit(
            repo,
            [
                *(CommitOperationDelete(name) for name in gone),
                *(CommitOperationAdd(file.name, file.content) for file in files),
            ],
            commit_message=message,
            repo_type=kind,
            revision=revision,
            parent_commit=info.sha,
        )
    url = f"{api.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo}"
    return Sent(HubAddress(repo, kind, made.oid), url, bool(info.private))
