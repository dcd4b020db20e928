"""`push("runs/dac", "user/name")`: what it is, is seen from what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from midigroove_core.cache.format import HEADER
from midigroove_core.cache.replace import is_unfinished
from midigroove_core.errors import InputError
from midigroove_core.hub import is_address
from midigroove_core.hub.send import SentFile, check_online, check_target, send
from midigroove_core.progress import Progress, Silent
from midigroove_core.publishing.caches import cache_parcel
from midigroove_core.publishing.checkpoints import checkpoint_parcel
from midigroove_core.publishing.kits import kit_parcel
from midigroove_core.publishing.parcel import CARD, Parcel, Said

_RUN = "config.toml"


@dataclass(frozen=True)
class Pushed:
    """What was published.

    Attributes:
        what: "checkpoint", "cache" or "kit".
        address: hf://USER/NAME@COMMIT, or hf://datasets/...: this state, for ever.
        url: its page.
        private: whether only those who are let in see it.
        files: names of what was sent.
        bytes: how much that is, the card included.
    """

    what: str
    address: str
    url: str
    private: bool
    files: tuple[str, ...]
    bytes: int


def parcel_of(
    path: str | Path,
    repo: str,
    *,
    evaluation: str | Path | None = None,
    license: str | None = None,
    data: str = "",
) -> Parcel:
    """What `push` would send, with its card; asks nobody. Arguments as those of `push`."""
    check_target(repo, "main")
    path, said = Path(path), Said(repo, license, data)
    if is_address(path):
        raise InputError(f"{path}: is on the hub already; push what is on this machine")
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_file() or (path / _RUN).is_file():
        return checkpoint_parcel(path, said, None if evaluation is None else Path(evaluation))
    if evaluation is not None:
        raise InputError("`evaluation` belongs to a checkpoint, and this is none")
    if (path / HEADER).is_file() or is_unfinished(path):
        return cache_parcel(path, said)
    try:
        return kit_parcel(path, said)
    except InputError as error:
        why = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{path}: no run and no cache; as a folder of one-shots: {why}") from error


def push(
    path: str | Path,
    repo: str,
    *,
    private: bool = False,
    revision: str = "main",
    evaluation: str | Path | None = None,
    license: str | None = None,
    data: str = "",
    message: str = "",
    progress: Progress | None = None,
) -> Pushed:
    """Publishes a checkpoint, a cache or a kit on the hub, in one commit with its card.

    Log in with `hf auth login`, or set HF_TOKEN: tokens are huggingface_hub's affair.

    Args:
        path: a run's folder (its best checkpoint), a checkpoint, a cache, or a folder of one-shots.
        repo: USER/NAME; made where it is not there. Checkpoints go to model repositories, caches
            and kits to datasets.
        private: only for those who are let in; a repository that is there and public is refused.
        revision: the branch.
        evaluation: a folder that `eval` wrote, with this checkpoint among the systems: the card
            shows its figures, reference rows and intervals.
        license: of what is published; by default what the checkpoint says. A codec that is not for
            commercial use makes a card that says so, whatever the checkpoint says.
        data: one sentence for the card on the data and its licence.
        message: of the commit.
        progress: told what the card cannot say.

    Raises:
        InputError: nothing of the kind, or damaged; nothing is sent.
        MismatchError: an evaluation of other files, or a licence that allows too much.
        MidigrooveError: the hub cannot be reached, or refuses.
    """
    check_target(repo, revision)
    check_online(repo)  # before a cache is read whole
    parcel = parcel_of(path, repo, evaluation=evaluation, license=license, data=data)
    for note in parcel.notes:
        (progress or Silent()).message(note)
    files = [*parcel.files, SentFile(CARD, parcel.card.encode("utf-8"))]
    sent = send(
        repo, parcel.layout.kind, files, private=private, revision=revision,
        message=message or f"midigroove: {parcel.layout.what}", belongs=parcel.belongs,
    )  # fmt: skip
    return Pushed(
        what=parcel.layout.what,
        address=str(sent.address),
        url=sent.url,
        private=sent.private,
        files=tuple(file.name for file in files),
        bytes=sum(file.bytes for file in files),
    )
