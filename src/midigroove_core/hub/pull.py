"""Files of a repository, fetched into the cache of huggingface_hub; trusted in nothing.

A thing on the hub begins with one file that says which other files belong to it, with their sizes
and sums (a checkpoint is that file alone). So what is fetched is a list that was checked, never a
folder as it happens to be; and whether all of it is here can be told without asking anybody.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from midigroove_core.atomic import sha256_of_file
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.hub.address import HubAddress
from midigroove_core.hub.place import Kind, folder_of, hub_cache
from midigroove_core.hub.session import TIMEOUT_SEC, is_offline, one_line, open_api

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class ListedFile:
    """A file as it has to be: bytes, and the SHA-256 of its content where that is known."""

    bytes: int
    sha256: str | None


@dataclass(frozen=True)
class Layout:
    """What a thing on the hub consists of.

    Attributes:
        what: a word for it, for messages.
        kind: the repositories that such things lie in.
        first: the file that it begins with.
        largest: bytes that this file may have.
        others: reads the first file -> name -> the other files. It checks the names: they become
            paths.
    """

    what: str
    kind: Kind
    first: str
    largest: int
    others: Callable[[Path], Mapping[str, ListedFile]] = lambda path: {}


def pull(path: str | Path, layout: Layout) -> Path:
    """The folder with all files of what an address names, fetched if they are not here.

    A commit that is here, and anything under HF_HUB_OFFLINE, is found without opening a socket.
    A branch or a tag is asked for each time; if the hub does not answer, that is an error, since
    what is here may be another state.

    Raises:
        InputError: no address of that kind, or files that are not as they should be.
        MidigrooveError: it is not here and cannot be fetched; says why, and what to do.
    """
    address = HubAddress.parse(path)
    if address.kind not in (None, layout.kind):
        raise InputError(f"{address}: a {layout.what} lies in a {layout.kind} repository")
    address = replace(address, kind=layout.kind)
    folder = folder_of(address.repo, layout.kind, address.revision)
    if folder is not None and (is_offline() or address.is_pinned) and _is_whole(folder, layout):
        return folder
    if is_offline():
        raise MidigrooveError(
            f"{address}: HF_HUB_OFFLINE is set, and the {layout.what} is not on this machine; "
            f"unset it, or fetch it before: {_by_hand(address)}"
        )
    return _fetch(open_api(str(address)), address, layout)


def _is_whole(folder: Path, layout: Layout) -> bool:
    first = folder / layout.first
    if not first.is_file() or first.stat().st_size > layout.largest:
        return False
    files = layout.others(first)
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == listed.bytes
        for name, listed in files.items()
    )


def _by_hand(address: HubAddress) -> str:
    kind = ("--repo-type", "dataset") if address.kind == "dataset" else ()
    return " ".join(("hf", "download", address.repo, *kind, "--revision", address.revision))


def _fetch(api: HfApi, address: HubAddress, layout: Layout) -> Path:
    with one_line(str(address)):
        info = api.repo_info(
            address.repo, repo_type=layout.kind, revision=address.revision,
            timeout=TIMEOUT_SEC, files_metadata=True,
        )  # fmt: skip
    there = {
        file.rfilename: ListedFile(file.size or 0, file.lfs.sha256 if file.lfs else None)
        for file in getattr(info, "siblings", None) or ()
    }
    if layout.first not in there:
        raise InputError(f"{address}: no {layout.what}: there is no {layout.first} in it")
    if there[layout.first].bytes > layout.largest:
        raise InputError(
            f"{address}: {layout.first} has {there[layout.first].bytes:,} bytes, more than a "
            f"{layout.what} may have"
        )
    # By branch or tag, so that huggingface_hub notes which commit it is; the others by that commit.
    first = _download(api, address, layout.first, there[layout.first])
    commit = first.parent.name
    if commit != info.sha:
        raise MidigrooveError(f"{address}: it has just been changed; try again")
    files = layout.others(first)
    for name, listed in files.items():
        if name not in there:
            raise InputError(f"{address}: {name} is missing; {layout.first} names it")
        if there[name].bytes != listed.bytes:
            raise InputError(
                f"{address}: {name} has {there[name].bytes:,} bytes, {layout.first} says "
                f"{listed.bytes:,}"
            )
    _check_room(address, first.parent, files)
    for name, listed in files.items():
        _download(api, replace(address, revision=commit), name, listed)
    return first.parent


def _check_room(address: HubAddress, folder: Path, files: Mapping[str, ListedFile]) -> None:
    missing = sum(file.bytes for name, file in files.items() if not (folder / name).exists())
    free = shutil.disk_usage(hub_cache()).free
    if missing > free:
        raise MidigrooveError(
            f"{address}: {missing:,} bytes are to be fetched, and {hub_cache()} has room for "
            f"{free:,}; HF_HOME names another place"
        )


def _download(api: HfApi, address: HubAddress, name: str, listed: ListedFile) -> Path:
    """One file, here already or fetched and then compared with what was announced."""
    assert address.kind is not None
    folder = folder_of(address.repo, address.kind, address.revision)
    was_here = folder is not None and (folder / name).exists()
    with one_line(str(address)):
        path = Path(
            api.hf_hub_download(
                address.repo,
                name,
                repo_type=address.kind,
                revision=address.revision,
                cache_dir=hub_cache(),
            )  # fmt: skip
        )
    size = path.stat().st_size
    right = size == listed.bytes
    if right and not was_here and listed.sha256 is not None:
        right = sha256_of_file(path) == listed.sha256
    if not right:
        path.resolve().unlink(missing_ok=True)  # else it would be taken for fetched the next time
        path.unlink(missing_ok=True)
        raise InputError(f"{address}: {name} came damaged ({size:,} bytes); try again")
    return path
