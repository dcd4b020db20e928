"""The kits that `data synth` plays on: built-in ones by name, or a TOML file.

[[kit]]
name = "Jazz"                    # what the dataset calls it
soundfont = "FluidR3_GM.sf2"     # beside this file, in the system's font folders, or a path
bank = 128                       # 128 (default): the General MIDI drum bank
program = 32
channel = 10                     # default: 10 for bank 128, else 1
gain = 0.5                       # default: measured (see docs/data.md)
remap = { 22 = 42, 26 = 46 }     # default: Roland pitches to General MIDI

[[kit]]
name = "Mine"
oneshots = "shots/mine"          # a folder of wav files, or the name of a built-in kit

[[kit]]
name = "mixed"                   # the dataset calls them mixed_0000, mixed_0001, ...
random = "0-19"                  # new kits mixed from one-shots, by number; 20 is short for "0-19"
folders = ["shots/mine"]         # what is mixed besides the kits that ship (default: nothing)
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError
from midigroove_core.kits import library as kits
from midigroove_core.kits.fluidsynth import DRUM_BANK, DRUM_CHANNEL, SoundFontPreset, find_font
from midigroove_core.kits.random_kits import LARGEST, kit_name, parse_name

_KEYS = {
    "name", "soundfont", "oneshots", "random", "folders", "bank", "program", "channel", "gain",
    "remap",
}  # fmt: skip
_RANDOM = "random:"


@dataclass(frozen=True)
class KitSpec:
    """One kit to synthesize with.

    Attributes:
        name: as the dataset will call it.
        preset: a kit in a SoundFont, or None for one-shots.
        oneshots: a name or folder for `kits.load_kit`, where `preset` is None.
        gain: factor on what the kit plays; None has it measured.
    """

    name: str
    preset: SoundFontPreset | None = None
    oneshots: str = ""
    gain: float | None = None


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
            mixes = "+".join(["random", *(Path(folder).name for folder in folders)])
            specs += _random_specs(mixes, numbers, [Path(f) for f in folders], name)
            continue
        info = known.get(name.lower())
        if info is None and parse_name(name) is None and not Path(name).is_dir():
            raise InputError(
                f"no kit {name!r}; use a .toml file, a folder of wav files, random:20, builtin, or "
                f"one of {', '.join(known)}"
            )
        specs.append(KitSpec(info.id if info else Path(name).name, oneshots=name))
    return _named_once(specs, "kits")


def read_kits_file(path: Path) -> list[KitSpec]:
    """Reads a kits file.

    Raises:
        InputError: unreadable, no kit, two kits of one name, or a wrong field; names it.
    """
    try:
        with open(path, "rb") as handle:
            table = tomllib.load(handle)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot read the kits ({reason})") from error
    entries = table.get("kit")
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path}: no [[kit]] in it; see docs/data.md for the format")
    specs = []
    for n, entry in enumerate(entries, 1):
        specs += _kits(entry, f"{path}: kit {n}", path.parent)
    return _named_once(specs, str(path))


def _named_once(specs: list[KitSpec], where: str) -> list[KitSpec]:
    names = Counter(spec.name.lower() for spec in specs)
    twice = next((spec.name for spec in specs if names[spec.name.lower()] > 1), None)
    if twice is not None:
        raise InputError(f"{where}: two kits are named {twice!r}; give each its own name")
    return specs


def _random_specs(name: str, numbers: object, folders: list[Path], where: str) -> list[KitSpec]:
    """One spec for each number of 20, "20" or "0-19", called NAME_0000 and so on.

    Raises:
        InputError: no numbers, or a folder that is not there.
    """
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", str(numbers).strip())
    first, last = (
        (0, -1) if match is None else
        (0, int(match[1]) - 1) if match[2] is None else (int(match[1]), int(match[2]))
    )  # fmt: skip
    if not first <= last <= LARGEST:
        raise InputError(
            f"{where}: random: write how many, such as 20, or their numbers, such as 100-119, up "
            f"to {LARGEST}"
        )
    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing is not None:
        raise InputError(f"{where}: {missing}: no such folder of one-shots")
    start, plus, rest = name.partition("+")
    mixes = "".join(f"+{folder}" for folder in folders)
    return [
        KitSpec(f"{start}_{number:04d}{plus}{rest}", oneshots=kit_name(number) + mixes)
        for number in range(first, last + 1)
    ]


def _kits(entry: dict[str, Any], where: str, folder: Path) -> list[KitSpec]:
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise InputError(f"{where}: unknown field {unknown[0]!r}; use {', '.join(sorted(_KEYS))}")
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: name: every kit needs one")
    where = f"{where} ({name})"
    gain = entry.get("gain")
    if gain is not None and (not isinstance(gain, int | float) or not 0 < gain <= 10):
        raise InputError(f"{where}: gain: {gain!r} is not a number between 0 and 10")
    if sum(kind in entry for kind in ("soundfont", "oneshots", "random")) != 1:
        raise InputError(f"{where}: give it a soundfont, oneshots or random, one of them")
    if "folders" in entry and "random" not in entry:
        raise InputError(f"{where}: folders: belongs to random kits, which mix them")
    if "random" in entry:
        mixed = [folder / str(shots) for shots in entry.get("folders", [])]
        specs = _random_specs(name, entry["random"], mixed, where)
        return [replace(spec, gain=gain) for spec in specs]
    if "oneshots" in entry:
        shots = str(entry["oneshots"])
        beside = folder / shots
        return [KitSpec(name, oneshots=str(beside) if beside.is_dir() else shots, gain=gain)]
    return [KitSpec(name, preset=_preset(entry, where, folder), gain=gain)]


def _preset(entry: dict[str, Any], where: str, folder: Path) -> SoundFontPreset:
    bank = _integer(entry, "bank", DRUM_BANK, 0, DRUM_BANK, where)
    channel = _integer(entry, "channel", DRUM_CHANNEL if bank == DRUM_BANK else 1, 1, 16, where)
    if (bank == DRUM_BANK) != (channel == DRUM_CHANNEL):
        raise InputError(
            f"{where}: channel: bank {bank} would be silent on channel {channel}; FluidSynth plays "
            f"bank {DRUM_BANK} on channel {DRUM_CHANNEL} and other banks on other channels"
        )
    fields: dict[str, Any] = {}
    if "remap" in entry:
        remap = entry["remap"]
        if not isinstance(remap, dict) or not all(
            key.isdigit() and isinstance(value, int) and int(key) < 128 and 0 <= value < 128
            for key, value in remap.items()
        ):
            raise InputError(f"{where}: remap: write pitches such as {{ 22 = 42, 26 = 46 }}")
        fields["remap"] = {int(key): value for key, value in remap.items()}
    return SoundFontPreset(
        font=find_font(str(entry["soundfont"]), folder),
        bank=bank,
        program=_integer(entry, "program", 0, 0, 127, where),
        channel=channel,
        **fields,
    )


def _integer(
    entry: dict[str, Any], field: str, default: int, low: int, high: int, where: str
) -> int:
    value = entry.get(field, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{where}: {field}: {value!r} is not a whole number from {low} to {high}")
    return value
