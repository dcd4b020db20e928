"""Drum kits by name, and the grooves that ship with midigroove.

Built-in kits are listed in assets/kits/kits.json; a folder of wav files or a SoundFont serves as
well (docs/kits.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from midigroove_core.atomic import read_json
from midigroove_core.errors import InputError, nearest
from midigroove_core.kits.oneshots import FALLBACKS, Audio, Kit, Layer
from midigroove_core.kits.published import is_place, load_place, short_name
from midigroove_core.kits.random_kits import Recipe, draw, mix, parse_name
from midigroove_core.kits.user_kits import load_soundfont
from midigroove_core.names import same

__all__ = [
    "FALLBACKS", "GrooveInfo", "Kit", "KitInfo", "Layer", "builtin_grooves", "list_kits",
    "load_kit",
]  # fmt: skip

_FONTS = (".sf2", ".sf3")
ASSETS = Path(__file__).parents[1] / "assets"


@dataclass(frozen=True)
class KitInfo:
    """What is known of a built-in kit without loading it."""

    id: str
    description: str
    license: str
    source: str


def list_kits() -> list[KitInfo]:
    """The built-in kits."""
    fields = ("id", "description", "license", "source")
    return [KitInfo(**{key: kit[key] for key in fields}) for kit in _manifest()["kits"]]


def load_kit(name: str | Path, *, stereo: bool = False) -> Kit:
    """A kit by name (`TR-808` is `tr808`), from one-shots, from a SoundFont or from the hub.

    Args:
        name: "jazz"; a folder with files such as `snare.wav` or `snare_064.wav`; such a kit on
            the hub, `hf://USER/NAME@REVISION` (docs/hub.md); or `font.sf2`,
            `font.sf2:16` for its program 16 (needs the program fluidsynth; cut once, then cached);
            or "random_0007", a mix of the kits that ship (and "random_0007+FOLDER", with more).
        stereo: one-shots of a folder that are stereo stay so; all others are mono.

    Raises:
        InputError: no such kit, or a folder or font that cannot be used; names the file.
        MidigrooveError: a SoundFont without the program fluidsynth.
    """
    for kit in _manifest()["kits"]:
        if same(kit["id"], str(name)):
            return _load_builtin(kit)
    if parse_name(str(name)) is not None:
        return _load_random(str(name))
    font, program = _split_program(str(name))
    if font.suffix.lower() in _FONTS:
        return load_soundfont(font, program)
    if is_place(name):
        return load_place(name, stereo=stereo)
    known = [info.id for info in list_kits()]
    raise InputError(
        f"no kit {str(name)!r}{nearest(str(name), known)}; use one of {', '.join(known)}, "
        "random_0000 or another number, a folder of wav files, or a .sf2"
    )


def names_a_kit(name: str) -> bool:
    """Whether `load_kit` would look for such a kit: a name, a folder, an address, a SoundFont."""
    known = any(same(info.id, name) for info in list_kits())
    font = _split_program(name)[0].suffix.lower() in _FONTS
    return known or font or parse_name(name) is not None or is_place(name)


def random_recipe(name: str) -> Recipe:
    """What "random_0007" is made of, without making it.

    Raises:
        InputError: no such name, or a folder in it that cannot be used.
    """
    parsed = parse_name(name)
    if parsed is None:
        raise InputError(f"no kit {name!r}: random kits are called random_0000 and so on")
    return draw(parsed[0], _mixed_from(name, parsed[1]))


def _mixed_from(name: str, folders: Sequence[str]) -> list[str]:
    """Names of all kits that a random kit may mix: those that ship, then the folders."""
    missing = next((folder for folder in folders if not is_place(folder)), None)
    if missing is not None:
        raise InputError(f"kit {name!r}: no folder of one-shots {missing!r}")
    names = [*(info.id for info in list_kits()), *(short_name(folder) for folder in folders)]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise InputError(f"kit {name!r}: two of what it mixes are called {twice!r}")
    return names


def _load_random(name: str) -> Kit:
    recipe = random_recipe(name)
    _, folders = parse_name(name) or (0, ())
    kits = {short_name(folder): load_place(folder) for folder in folders}
    used = {kit for family in recipe.families.values() for kit, _ in family.kits}
    whole = _manifest()["kits"][0]["id"]  # it has all drums: what the folders lack
    for entry in _manifest()["kits"]:
        if entry["id"] in used | {whole}:
            kits[entry["id"]] = _load_builtin(entry)
    return mix(recipe, kits, name.lower().partition("+")[0])


def _manifest() -> dict[str, Any]:
    return read_json(ASSETS / "kits" / "kits.json")


def _load_builtin(entry: dict[str, Any]) -> Kit:
    gain = 10 ** (entry["gain_db"] / 20)
    loaded: dict[str, Audio] = {}

    def read(layers: list[dict[str, Any]]) -> list[Layer]:
        for layer in layers:
            path = ASSETS / "kits" / "samples" / layer["file"]
            if layer["file"] not in loaded:
                loaded[layer["file"]] = soundfile.read(path, dtype="float32")[0] * np.float32(gain)
        return [Layer(layer["max_velocity"], loaded[layer["file"]]) for layer in layers]

    voices = entry["voices"]
    return Kit(
        entry["id"],
        {name: read(voice["layers"]) for name, voice in voices.items()},
        {n: {int(p): read(x) for p, x in v["pitches"].items()} for n, v in voices.items()},
        license=entry["license"], source=entry["source"],
    )  # fmt: skip


def _split_program(name: str) -> tuple[Path, int]:
    font, colon, program = name.rpartition(":")
    return (Path(font), int(program)) if colon and program.isdigit() else (Path(name), 0)


@dataclass(frozen=True)
class GrooveInfo:
    """A built-in groove: a performance, or some bars of one, of the Groove MIDI Dataset.

    Attributes:
        name: id, unique.
        path: the MIDI file, in the package.
        split: "train", "validation" or "test"; a drummer is in one split only.
        drummer, style, bpm, time_signature, beat_type: as the dataset's info.csv has them.
        duration_sec: of this file.
        num_hits: note-ons.
        source: file of the dataset that it was cut from.
        bars: first and last bar (from 0, exclusive) that were kept; None for a whole file.
    """

    name: str
    path: Path
    split: str
    drummer: str
    style: str
    bpm: float
    time_signature: str
    beat_type: str
    duration_sec: float
    num_hits: int
    source: str
    bars: tuple[int, int] | None


def builtin_grooves() -> list[GrooveInfo]:
    """The grooves that ship, by split and name."""
    folder = ASSETS / "grooves"
    grooves = []
    for entry in read_json(folder / "grooves.json")["grooves"]:
        bars = tuple(entry["bars"]) if entry["bars"] else None
        grooves.append(GrooveInfo(**{**entry, "path": folder / entry["path"], "bars": bars}))
    return grooves
