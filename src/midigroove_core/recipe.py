"""An experiment in a file: cache, train, evaluate.

A recipe is TOML with the tables `[dataset]` (arguments of `open_dataset` and `select`), `[cache]`
(`codec`, `codec_options`, `codec_path`), `[train]` (fields of `TrainConfig`) and `[eval]` (fields
of `EvalConfig`). `base = "other.toml"` starts from another file beside it. A recipe with the table
`[systems]` (name -> folder where another recipe has run, seen from this one's) evaluates these
together, and caches and trains nothing itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from midigroove_core.errors import InputError
from midigroove_core.progress import Progress, Silent
from midigroove_core.structured import read_toml_as
from midigroove_core.training.config import make_config, merged

STEPS = ("cache", "train", "eval")
_TABLES = ("dataset", "cache", "train", "eval", "systems")
_OPEN = ("kind", "root", "train_csv", "val_csv", "midi")


class _RecipeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a recipe's file holds; see the top of this module."""

    base: str | None = None
    dataset: dict[str, Any] = {}
    cache: dict[str, Any] = {}
    train: dict[str, Any] = {}
    eval: dict[str, Any] = {}
    systems: dict[str, str] = {}


def read_recipe(path: str | Path) -> dict[str, Any]:
    """A recipe with its base merged in.

    Raises:
        InputError: the file or its base cannot be read, has a table that recipes do not have, or
            is its own base.
    """
    recipe: dict[str, Any] = {}
    place, seen = Path(path), set()
    while True:
        found = read_toml_as(place, _RecipeFile)
        recipe = merged({n: t for n in _TABLES if (t := getattr(found, n))}, recipe)
        seen.add(place.resolve())
        if found.base is None:
            return recipe
        base = place.parent / found.base
        if "\0" in found.base:
            raise InputError(f"{place}: base: {found.base[:80]!r} is no name of a file")
        if base.resolve() in seen:
            raise InputError(f"{place}: base: {found.base} leads back to itself")
        place = base


def run_recipe(
    path: str | Path,
    out: str | Path,
    *,
    dataset: str | Path | None = None,
    device: str = "auto",
    only: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Runs the steps of a recipe in order; each goes on where it was, and is quick when done.

    Args:
        path: the recipe.
        out: gets `cache/`, `run/` and `eval/`.
        dataset: wins over the recipe's `[dataset] path`.
        device: for all steps.
        only: which of "cache", "train", "eval"; all when None, and the last where the recipe names
            systems.
        progress: told how far each step is.

    Returns:
        step -> where its result is.

    Raises:
        MidigrooveError: see each step.
    """
    recipe, out, progress = read_recipe(path), Path(out), progress or Silent()
    for step in only or ():
        if step not in STEPS:
            raise InputError(f"no step {step!r} in a recipe; use {', '.join(STEPS)}")
    if recipe.get("systems") and set(only or ()) - {"eval"}:
        raise InputError(f"{path}: evaluates the systems of other recipes; it has no other step")
    wanted = only or (("eval",) if recipe.get("systems") else STEPS)
    where = dataset if dataset is not None else recipe.get("dataset", {}).get("path")
    made = {}
    if "cache" in wanted:
        made["cache"] = _cache(path, recipe, out / "cache", where, device, progress)
    if "train" in wanted:
        made["train"] = _train(recipe, out, device, progress)
    if "eval" in wanted:
        made["eval"] = _evaluate(path, recipe, out, where, device, progress)
    return made


def _cache(
    path: str | Path,
    recipe: dict[str, Any],
    out: Path,
    where: str | Path | None,
    device: str,
    progress: Progress,
) -> str:
    from midigroove_core.cache.build import build_cache
    from midigroove_core.coding.open import open_codec
    from midigroove_core.takes import open_dataset, select

    table = dict(recipe.get("dataset", {}))
    table.pop("path", None)
    opening = {name: table.pop(name) for name in _OPEN if name in table}
    cache = recipe.get("cache", {})
    unknown = set(cache) - {"codec", "codec_options", "codec_path"}
    if unknown or "codec" not in cache:
        raise InputError(f"{path}: cache: needs 'codec', may have codec_options and codec_path")
    options = [
        f"{name}={json.dumps(value)}" for name, value in cache.get("codec_options", {}).items()
    ]
    codec = open_codec(cache["codec"], options=options, path=cache.get("codec_path"))
    try:
        data = select(open_dataset(where, **opening), **table)
    except TypeError as error:
        raise InputError(f"{path}: dataset: {error}") from error
    progress.message(f"cache: {len(data.takes)} takes with {codec.codec_id}")
    return str(build_cache(data, codec, out, device=device, progress=progress).path)


def _train(recipe: dict[str, Any], out: Path, device: str, progress: Progress) -> str:
    from midigroove_core.training import train

    folders = {"cache": str(out / "cache"), "out": str(out / "run"), "device": device}
    config = make_config(settings=merged(recipe.get("train", {}), folders))
    return str(train(config, progress).best)


def _evaluate(
    path: str | Path,
    recipe: dict[str, Any],
    out: Path,
    where: str | Path | None,
    device: str,
    progress: Progress,
) -> str:
    from midigroove_core.evaluation import SystemSpec, evaluate, make_config

    runs = recipe.get("systems") or {Path(path).stem: "."}
    # Without its "..", since the folder of this evaluation is not there yet.
    places = {name: Path(os.path.normpath(out / run)) for name, run in runs.items()}
    systems = [
        SystemSpec(name, place / "run" / "best.safetensors", place / "cache")
        for name, place in places.items()
    ]
    for system in systems:
        if not system.checkpoint.exists():
            raise InputError(
                f"{path}: system {system.name}: no {system.checkpoint}; run its recipe"
            )
    codec_path = recipe.get("cache", {}).get("codec_path")
    # The folder is the recipe's own: a run that went on is evaluated anew in the same place.
    opening = {n: v for n, v in recipe.get("dataset", {}).items() if n in _OPEN}
    options: dict[str, Any] = {"dataset": where, "device": device, "overwrite": True}
    options["dataset_options"] = opening
    options["codec_paths"] = {"": codec_path} if codec_path else {}
    try:
        config = make_config(systems, out / "eval", {**options, **recipe.get("eval", {})})
    except (TypeError, InputError) as error:
        raise InputError(f"{path}: eval: {error}") from error
    evaluate(config, progress=progress)
    return str(out / "eval")
