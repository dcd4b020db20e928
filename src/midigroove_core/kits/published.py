"""A kit on the hub: a folder of one-shots, and `kit.json` that lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from midigroove_core.atomic import sha256_of_file
from midigroove_core.errors import InputError
from midigroove_core.hub import HubAddress, Layout, ListedFile, is_address, pull
from midigroove_core.kits.oneshots import Kit
from midigroove_core.kits.user_kits import load_folder
from midigroove_core.structured import Sha256, read_json_as

LIST = "kit.json"
MOST_SHOTS = 5000
LARGEST_SHOT = 64 * 2**20
"""Bytes; a cymbal of half a minute has 11 MB."""

_SHOT = re.compile(r"[^./\\\x00-\x1f:][^/\\\x00-\x1f:]{0,199}\.(wav|flac)", re.IGNORECASE)

_Size = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_SHOT)]


class ShotFacts(msgspec.Struct, frozen=True):
    """What a one-shot's file was when it was sent."""

    bytes: _Size
    sha256: Sha256


class KitList(msgspec.Struct, frozen=True):
    """`kit.json`.

    Attributes:
        schema: 1.
        license: of the sounds, an SPDX id or a short name; "" where nobody said it.
        files: name -> what it was.
    """

    schema: Literal[1]
    license: str
    files: Annotated[dict[str, ShotFacts], msgspec.Meta(min_length=1, max_length=MOST_SHOTS)]


def is_shot_name(name: str) -> bool:
    """Whether a file of that name may belong to a kit on the hub."""
    return _SHOT.fullmatch(name) is not None


def list_kit(folder: Path, names: tuple[str, ...], license: str) -> KitList:
    """`kit.json` for one-shots in a folder.

    Raises:
        InputError: too many of them, too large a one, or a name that not every machine can have.
    """
    if len(names) > MOST_SHOTS:
        raise InputError(f"{folder}: {len(names)} one-shots; a kit on the hub has {MOST_SHOTS}")
    files = {}
    for name in sorted(names):
        size = (folder / name).stat().st_size
        if not is_shot_name(name):
            raise InputError(f"{folder / name}: a name that not every machine can have")
        if size > LARGEST_SHOT:
            raise InputError(f"{folder / name}: {size:,} bytes; at most {LARGEST_SHOT:,}")
        files[name] = ShotFacts(size, sha256_of_file(folder / name))
    return KitList(1, license, files)


def read_kit_list(path: Path) -> KitList:
    """Reads `kit.json`.

    Raises:
        InputError: damaged, of another schema, or with a name that leads out of its folder.
    """
    found = read_json_as(path, KitList)
    for name in found.files:
        if not is_shot_name(name):
            raise InputError(f"{path}: files: {name[:80]!r} is no one-shot of a kit")
    return found


def _others(path: Path) -> Mapping[str, ListedFile]:
    files = read_kit_list(path).files
    return {name: ListedFile(facts.bytes, facts.sha256) for name, facts in files.items()}


KIT = Layout("kit", "dataset", LIST, 2**21, _others)


def is_place(name: str | Path) -> bool:
    """Whether a folder of that name is there, or it is an address on the hub."""
    return is_address(name) or Path(name).is_dir()


def short_name(place: str | Path) -> str:
    """What a kit is called that lies in a folder, or on the hub."""
    return HubAddress.parse(place).name if is_address(place) else Path(place).name


def load_place(place: str | Path, *, stereo: bool = False) -> Kit:
    """The kit in a folder of one-shots, or on the hub: of that, what `kit.json` lists and no more.

    `stereo` is as `load_folder` has it.

    Raises:
        InputError: as `load_folder`; or an address with something else, or damaged.
        MidigrooveError: an address that cannot be fetched.
    """
    if not is_address(place):
        return load_folder(Path(place), stereo=stereo)
    folder = pull(place, KIT)
    listed = read_kit_list(folder / LIST)
    kit = load_folder(folder, short_name(place), only=listed.files, stereo=stereo)
    return replace(kit, license=listed.license or kit.license, source=str(place))
