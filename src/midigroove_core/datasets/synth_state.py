"""What a dataset of `data synth` is made of, so that it is never two things at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from midigroove_core.atomic import dump_json, sha256_of, sha256_of_file, write_json
from midigroove_core.datasets.alteration import draw_alteration, version_name
from midigroove_core.datasets.synth_take import (
    TAIL_SEC,
    PlayedKit,
    kit_gain,
    level_of,
    loaded_kit,
)
from midigroove_core.errors import MismatchError
from midigroove_core.kits.fluidsynth import fluidsynth_version
from midigroove_core.kits.kitsfile import KitSpec
from midigroove_core.kits.library import random_recipe
from midigroove_core.kits.random_kits import parse_name
from midigroove_core.progress import Progress
from midigroove_core.structured import convert_as, read_json_as

SCHEMA = 1


class _SettledKit(msgspec.Struct, frozen=True):
    name: str
    gain: Annotated[float, msgspec.Meta(gt=0, le=1000)]


class _SettledVersion(msgspec.Struct, frozen=True):
    kit: str
    version: int
    level: Annotated[float, msgspec.Meta(gt=0, le=1000)]


class _Settled(msgspec.Struct, frozen=True):
    """What synth.json says: how loud the kits are, and what they were made of."""

    schema: int
    tail_sec: float
    headroom_db: float
    stems: bool
    kits: list[_SettledKit]
    versions: dict[str, str]
    altered: list[_SettledVersion] = []


def settle(
    out: Path,
    specs: list[KitSpec],
    headroom_db: float,
    stems: bool,
    progress: Progress,
    *,
    versions: int = 0,
    seed: int = 0,
) -> list[list[PlayedKit]]:
    """How loud the kits are, measured once and written to synth.json; later runs must agree.

    Args:
        out: the dataset's folder.
        specs: its kits; more may be added at the end later.
        headroom_db, stems: as `synthesize` has them.
        progress: told which kits are measured, and what their folders were read as.
        versions: so many altered ones of each kit.
        seed: of what is done to those.

    Returns:
        Each kit, followed by its versions.

    Raises:
        MismatchError: other kits, gains, headroom, stems or alterations than before; names the
            field.
        InputError: a kit that makes no sound.
    """
    path = out / "synth.json"
    settings = {"headroom_db": headroom_db, "stems": stems}
    before: dict[str, Any] = {"kits": [], **settings}
    if path.is_file():
        before = read_json_as(path, dict[str, Any])
        if convert_as(before, _Settled, str(path)).schema != SCHEMA:
            raise MismatchError(f"{path}: of another version; choose another `out`")
    facts = [_facts(spec) for spec in specs]
    _check_same(path, before, settings, facts, specs)
    gains = [old["gain"] for old in before["kits"][: len(specs)]]
    for spec in specs[len(gains) :]:
        progress.message(f"measuring the level of kit {spec.name}")
        _say_names(spec, progress)
        gains.append(spec.gain or kit_gain(spec, headroom_db))
    entries = [{**fact, "gain": gain} for fact, gain in zip(facts, gains, strict=True)]
    entries += before["kits"][len(specs) :]
    needs_program = any(spec.preset for spec in specs)
    programs = {"fluidsynth": fluidsynth_version()} if needs_program else {}
    header = {"schema": SCHEMA, "tail_sec": TAIL_SEC, **settings}
    kits = [
        [PlayedKit(spec.name, str(number), spec, gain)]
        for number, (spec, gain) in enumerate(zip(specs, gains, strict=True), start=1)
    ]
    altered = _settle_versions(path, before.get("altered", []), kits, versions, seed, headroom_db)
    more = {"altered": altered} if altered else {}
    write_json(path, {**header, "kits": entries, "versions": programs, **more})
    return kits


def _settle_versions(
    path: Path,
    before: list[dict[str, Any]],
    kits: list[list[PlayedKit]],
    versions: int,
    seed: int,
    headroom_db: float,
) -> list[dict[str, Any]]:
    """Adds the versions to each kit; what synth.json says of those and of all that were there."""
    entries = {(entry["kit"], entry["version"]): entry for entry in before}
    for played in kits:
        kit = played[0]
        for version in range(1, versions + 1):
            alteration = draw_alteration(seed, kit.name, version)
            old = entries.get((kit.name, version))
            new = {"kit": kit.name, "version": version, **alteration.to_json()}
            if old is None:
                level = level_of(kit.spec, kit.gain, alteration, headroom_db)
                old = entries[kit.name, version] = {**new, "level": level}
            elif new != {name: value for name, value in old.items() if name != "level"}:
                raise MismatchError(
                    f"{path}: version {version} of kit {kit.name!r} was altered in another way, "
                    "by another seed; choose another `out`, or delete this one"
                )
            name, tag = version_name(kit.name, version), f"{kit.tag}a{version}"
            played.append(PlayedKit(name, tag, kit.spec, kit.gain, alteration, old["level"]))
    return list(entries.values())


def _check_same(
    path: Path,
    before: dict[str, Any],
    settings: dict[str, Any],
    facts: list[dict[str, Any]],
    specs: list[KitSpec],
) -> None:
    other = "choose another `out`, or delete this one"
    for name, value in settings.items():
        if before[name] != value:
            raise MismatchError(f"{path}: {name} was {before[name]} and is now {value}; {other}")
    for old, new, spec in zip(before["kits"], facts, specs, strict=False):
        for name, value in new.items():
            if old.get(name) != value:
                was_and_is = f"was {old.get(name)!r} and is now {value!r}"
                if name == "recipe":
                    was_and_is = "is not the one that it was made by"
                raise MismatchError(f"{path}: {name} of kit {old['name']!r} {was_and_is}; {other}")
        if spec.gain not in (None, old["gain"]):
            raise MismatchError(
                f"{path}: gain of kit {spec.name!r} was {old['gain']} and is now {spec.gain}; "
                f"{other}"
            )


def _say_names(spec: KitSpec, progress: Progress) -> None:
    """What the files of a folder were read as, where their names are not of the exact form."""
    if spec.preset is None:
        kit = loaded_kit(spec.oneshots)
        for what, names in (("read as drums", kit.read_as), ("not read", kit.unread)):
            if names:
                progress.message(f"kit {spec.name}: {what}: {', '.join(names)}")


def _facts(spec: KitSpec) -> dict[str, Any]:
    """What decides how a kit sounds, as JSON."""
    random = parse_name(spec.oneshots) if spec.preset is None else None
    if random is not None:
        return {
            "name": spec.name, "recipe": random_recipe(spec.oneshots).to_json(),
            "sha256": {Path(f).name: _sha256_of_shots(Path(f)) for f in random[1]},
        }  # fmt: skip
    if spec.preset is None:
        return {
            "name": spec.name, "oneshots": Path(spec.oneshots).name,
            "sha256": _sha256_of_shots(Path(spec.oneshots)),
        }  # fmt: skip
    preset = spec.preset
    return {
        "name": spec.name, "soundfont": preset.font.name, "sha256": sha256_of_file(preset.font),
        "bank": preset.bank, "program": preset.program, "channel": preset.channel,
        "remap": {str(key): value for key, value in sorted(preset.remap.items())},
    }  # fmt: skip


def _sha256_of_shots(folder: Path) -> str:
    """Of all files of a kit's folder; empty for a built-in kit, which its name decides."""
    if not folder.is_dir():
        return ""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    listed = [[path.name, sha256_of_file(path)] for path in files]
    return sha256_of(dump_json(listed).encode())
