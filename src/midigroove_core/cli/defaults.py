"""What commands take where nothing is named; said in one line before anything is done.

`midigroove cache --codec dac`, `midigroove train` and `midigroove eval --system dac` follow each
other: `cache/dac`, `runs/dac`, `eval/dac`, relative to where they are typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from midigroove_core.cli.output import stderr
from midigroove_core.errors import InputError
from midigroove_core.progress import Progress

CACHES, RUNS, EVALUATIONS = Path("cache"), Path("runs"), Path("eval")
GROOVES = Path("data/grooves")
"""The dataset that is made where none is named: the grooves that ship, on one kit."""

GROOVES_KIT = "jazz"


def say(**chosen: object) -> None:
    """Tells what was chosen."""
    listed = ", ".join(f"{name} {value}" for name, value in chosen.items())
    stderr.print(f"chosen: {listed}", markup=False, soft_wrap=True)


def dataset_to_cache(progress: Progress) -> Path | None:
    """None where the environment names a dataset; else the built-in grooves, played once."""
    from midigroove_core.datasets.synth import synthesize
    from midigroove_core.takes.open import is_dataset_in_environment

    if is_dataset_in_environment():
        return None
    say(dataset=f"{GROOVES}, the built-in grooves on the kit {GROOVES_KIT}")
    synthesize("builtin", GROOVES_KIT, GROOVES, headroom_db=1.0, progress=progress)
    return GROOVES


def dataset_to_judge() -> Path | None:
    """The built-in grooves where `dataset_to_cache` has made them, and nothing else is named."""
    from midigroove_core.takes.open import is_dataset_in_environment

    if is_dataset_in_environment() or not GROOVES.is_dir():
        return None
    say(dataset=GROOVES)
    return GROOVES


def cache_folder(codec: str, options: Sequence[str]) -> Path:
    """Where the cache of a codec goes."""
    out = CACHES / _file_name("-".join((codec, *options)))
    say(out=out)
    return out


def newest_cache() -> Path:
    """The cache that was finished last.

    Raises:
        InputError: there is none.
    """
    from midigroove_core.cache.format import HEADER

    found = [path.parent for path in CACHES.glob(f"*/{HEADER}")]
    if not found:
        raise InputError(
            f"no cache in {CACHES}/: name one with --cache, or make one: midigroove cache"
        )
    cache = max(found, key=lambda path: ((path / HEADER).stat().st_mtime_ns, path.name))
    say(cache=cache)
    return cache


def run_folder(cache: Path) -> Path:
    """Where a run on a cache goes."""
    out = RUNS / cache.resolve().name
    say(out=out)
    return out


def system_text(text: str) -> str:
    """A system as the library reads it: a bare name is a run in `runs/`, on the cache it has.

    Raises:
        InputError: no such run, or one that is not whole.
    """
    from midigroove_core.checkpoint import BEST
    from midigroove_core.structured import read_toml_as
    from midigroove_core.training.record import CONFIG

    if ":" in text:
        return text
    run = RUNS / text
    if not (run / BEST).is_file():
        there = ", ".join(sorted(path.parent.name for path in RUNS.glob(f"*/{BEST}"))) or "none"
        raise InputError(
            f"--system {text}: no run {run} with {BEST} (there are: {there}); write "
            f"NAME:CHECKPOINT:CACHE, or train one"
        )
    cache = read_toml_as(run / CONFIG, dict[str, object]).get("cache")
    if not isinstance(cache, str):
        raise InputError(f"{run / CONFIG}: names no cache; write NAME:CHECKPOINT:CACHE")
    full = f"{text}:{run / BEST}:{cache}"
    say(system=full)
    return full


def evaluation_folder(names: Sequence[str]) -> Path:
    """Where an evaluation of these goes."""
    out = EVALUATIONS / _file_name("-".join(names) or "evaluation")[:100]
    say(out=out)
    return out


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._=-]+", "_", text).strip(".") or "_"
