"""The kits that `data synth` plays on: built-in ones by name, or a TOML file.

[[kit]]
name = "Jazz"                    # what the dataset calls it
soundfont = "FluidR3_GM.sf2"     # beside this file, in the system's font folders, or a path
bank = 128                       # 128 (default): the General MIDI drum bank
program = 32
channel = 10                     # default: 10 for bank 128, else 1
gain = 0.5                       # default: measured (see docs/data.md)
remap = { 22 = 42, 26 = 46 }     # default: Roland pitches to General MIDI
performances = 100               # so many are played on it (default: all)

[[kit]]
name = "Mine"
oneshots = "shots/mine"          # a folder of wav files, a built-in kit's name, or hf://USER/NAME

[[kit]]
name = "mixed"                   # the dataset calls them mixed_0000, mixed_0001, ...
random = "0-19"                  # new kits mixed from one-shots, by number; 20 is short for "0-19"
folders = ["shots/mine"]         # what is mixed besides the kits that ship (default: nothing)
performances = 5                 # on each of them
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from midigroove_core.errors import InputError
from midigroove_core.hub import is_address
from midigroove_core.kits import library as kits
from midigroove_core.kits.fluidsynth import DRUM_BANK, DRUM_CHANNEL, SoundFontPreset, find_font
from midigroove_core.kits.presets import check_preset
from midigroove_core.kits.published import is_place, short_name
from midigroove_core.kits.random_kits import LARGEST, kit_name, parse_name
from midigroove_core.names import same
from midigroove_core.structured import read_toml_as

_RANDOM = "random:"
_MOST_AT_ONCE = 10_000
_PITCH = re.compile("[0-9]{1,3}")


class _KitEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `[[kit]]` as it is written; see the top of this module."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    soundfont: str | None = None
    oneshots: str | None = None
    bank: Annotated[int, msgspec.Meta(ge=0, le=DRUM_BANK)] = DRUM_BANK
    program: Annotated[int, msgspec.Meta(ge=0, le=127)] = 0
    channel: Annotated[int, msgspec.Meta(ge=1, le=16)] | None = None
    random: Annotated[int, msgspec.Meta(ge=0)] | str | None = None
    folders: list[str] | None = None
    gain: Annotated[float, msgspec.Meta(gt=0, le=10)] | None = None
    performances: Annotated[int, msgspec.Meta(ge=1)] | None = None
    remap: dict[str, Annotated[int, msgspec.Meta(ge=0, le=127)]] | None = None


class _KitsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kit: list[_KitEntry] = []


@dataclass(frozen=True)
class KitSpec:
    """One kit to synthesize with.

    Attributes:
        name: as the dataset will call it.
        preset: a kit in a SoundFont, or None for one-shots.
        oneshots: a name or folder for `kits.load_kit`, where `preset` is None.
        gain: factor on what the kit plays; None has it measured.
        performances: how many are played on it; None is all.
    """

    name: str
    preset: SoundFontPreset | None = None
    oneshots: str = ""
    gain: float | None = None
    performances: int | None = None


def kit_specs(source: str | Path) -> list[KitSpec]:
    """Kits of a TOML file, or "builtin", or names with commas between them.

    A name is a built-in kit's, a folder of one-shots, or "random:20" for the random kits 0 to 19,
    "random:100-109", "random:20+FOLDER+FOLDER" (see `random_kits`).

    Raises:
        InputError: an unknown kit, a font that is missing, or a wrong field; names file and field.
    """
    if Path(source).suffix.lower() == ".toml":
        return read_kits_file(Path(source))
    known = {info.id: info for info in kits.list_kits()}
    if str(source) == "builtin":
        return [KitSpec(info.id, oneshots=info.id) for info in known.values()]
    specs = []
    for name in (part.strip() for part in str(source).split(",")):
        if name.lower().startswith(_RANDOM):
            numbers, *folders = name[len(_RANDOM) :].split("+")
            mixes = "+".join(["random", *(short_name(folder) for folder in folders)])
            specs += _random_specs(mixes, numbers, folders, name)
            continue
        info = next((kit for id, kit in known.items() if same(id, name)), None)
        if info is None and parse_name(name) is None and not is_place(name):
            raise InputError(
                f"no kit {name!r}; use a .toml file, a folder of wav files, hf://USER/NAME, "
                f"random:20, builtin, or one of {', '.join(known)}"
            )
        specs.append(KitSpec(info.id if info else short_name(name), oneshots=name))
    return _named_once(specs, "kits")


def read_kits_file(path: Path) -> list[KitSpec]:
    """Reads a kits file.

    Raises:
        InputError: unreadable, no kit, two kits of one name, or a wrong field; names it.
    """
    entries = read_toml_as(path, _KitsFile).kit
    if not entries:
        raise InputError(f"{path}: no [[kit]] in it; see docs/data.md for the format")
    specs = []
    for n, entry in enumerate(entries, 1):
        where = f"{path}: kit {n}"
        try:
            specs += _kits(entry, where, path.parent)
        except (OSError, ValueError) as error:  # names that no file can have
            raise InputError(f"{where}: {getattr(error, 'strerror', None) or error}") from error
    return _named_once(specs, str(path))


def _named_once(specs: list[KitSpec], where: str) -> list[KitSpec]:
    names = Counter(spec.name.lower() for spec in specs)
    twice = next((spec.name for spec in specs if names[spec.name.lower()] > 1), None)
    if twice is not None:
        raise InputError(f"{where}: two kits are named {twice!r}; give each its own name")
    return specs


def _random_specs(
    name: str, numbers: int | str, folders: Sequence[str | Path], where: str
) -> list[KitSpec]:
    """One spec for each number of 20, "20" or "0-19", called NAME_0000 and so on.

    Raises:
        InputError: no numbers, or a folder that is not there.
    """
    match = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", str(numbers).strip())
    first, last = (
        (0, -1) if match is None else
        (0, int(match[1]) - 1) if match[2] is None else (int(match[1]), int(match[2]))
    )  # fmt: skip
    if not first <= last <= LARGEST:
        raise InputError(
            f"{where}: random: write how many, such as 20, or their numbers, such as 100-119, up "
            f"to {LARGEST}"
        )
    if last - first >= _MOST_AT_ONCE:
        raise InputError(
            f"{where}: random: {last - first + 1:,} kits are more than {_MOST_AT_ONCE:,}; one of "
            f"them is called such as {kit_name(last + 1)}"
        )
    missing = next((folder for folder in folders if not is_place(folder)), None)
    if missing is not None:
        raise InputError(f"{where}: {missing}: no such folder of one-shots")
    start, plus, rest = name.partition("+")
    mixes = "".join(f"+{folder}" for folder in folders)
    return [
        KitSpec(f"{start}_{number:04d}{plus}{rest}", oneshots=kit_name(number) + mixes)
        for number in range(first, last + 1)
    ]


def _kits(entry: _KitEntry, where: str, folder: Path) -> list[KitSpec]:
    specs = _sounds(entry, f"{where} ({entry.name})", folder)
    return [replace(spec, gain=entry.gain, performances=entry.performances) for spec in specs]


def _sounds(entry: _KitEntry, where: str, folder: Path) -> list[KitSpec]:
    if sum(kind is not None for kind in (entry.soundfont, entry.oneshots, entry.random)) != 1:
        raise InputError(f"{where}: give it a soundfont, oneshots or random, one of them")
    if entry.folders is not None and entry.random is None:
        raise InputError(f"{where}: folders: belongs to random kits, which mix them")
    if entry.random is not None:
        mixed = [shots if is_address(shots) else folder / shots for shots in entry.folders or []]
        return _random_specs(entry.name, entry.random, mixed, where)
    if entry.oneshots is not None:
        beside = folder / entry.oneshots
        oneshots = str(beside) if beside.is_dir() else entry.oneshots
        return [KitSpec(entry.name, oneshots=oneshots)]
    return [KitSpec(entry.name, preset=_preset(entry, where, folder))]


def _preset(entry: _KitEntry, where: str, folder: Path) -> SoundFontPreset:
    channel = entry.channel or (DRUM_CHANNEL if entry.bank == DRUM_BANK else 1)
    if (entry.bank == DRUM_BANK) != (channel == DRUM_CHANNEL):
        raise InputError(
            f"{where}: channel: bank {entry.bank} would be silent on channel {channel}; FluidSynth "
            f"plays bank {DRUM_BANK} on channel {DRUM_CHANNEL} and other banks on other channels"
        )
    fields: dict[str, Any] = {}
    if entry.remap is not None:
        for key in entry.remap:
            if not _PITCH.fullmatch(key) or int(key) > 127:
                raise InputError(f"{where}: remap: {key[:20]!r} is not a pitch from 0 to 127")
        fields["remap"] = {int(key): value for key, value in entry.remap.items()}
    font = find_font(str(entry.soundfont), folder)
    check_preset(font, entry.program, entry.bank)
    return SoundFontPreset(
        font=font, bank=entry.bank, program=entry.program, channel=channel, **fields
    )
