"""What an evaluation was made of: files by content, settings, versions of libraries."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

from midigroove_core import __version__
from midigroove_core.atomic import dump_json, sha256_of
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.scorecard.fingerprint import clips_fingerprint
from midigroove_core.scorecard.manifest import (
    FORMAT,
    SCHEMA,
    ClipsFacts,
    LongFacts,
    Manifest,
)
from midigroove_core.scorecard.measured import Measured
from midigroove_core.scorecard.records import CacheFacts, FolderFacts, SystemFacts

_ELSEWHERE = (
    # Known by what is in them:
    "systems", "audio", "caches", "sketches", "dataset", "dataset_options",
    "out", "overwrite", "device", "decode_device", "codec_paths", "pred_dir", "embedding_path",
)  # fmt: skip

Judged = SystemFacts | FolderFacts | CacheFacts

_LIBRARIES = ("numpy", "scipy", "soxr", "mir_eval", "torch", "transformers")


def make_manifest(config: EvalConfig, settings: str, measured: Measured) -> Manifest:
    """What went in, and what was judged."""
    audio = measured.audio
    long = None if audio is None else audio.long
    return Manifest(
        format=FORMAT,
        schema=SCHEMA,
        settings=settings,
        versions={"midigroove": __version__, **_library_versions()},
        clips=ClipsFacts(
            config.split, config.beats, len(measured.clips),
            clips_fingerprint(measured.clips, config.window_sec or config.beats),
            config.intersection, config.max_items, config.hop_beats, config.window_sec,
            config.hop_sec,
        ),
        long=LongFacts(
            config.long_items, None if long is None else clips_fingerprint(long.stretches, 0)
        ),
        reference=None if audio is None else audio.reference,
        sample_rate=None if audio is None else audio.sample_rate,
        embedding=None if audio is None or audio.sets is None else audio.sets.identity,
        sampling=config.sampling,
        seed=config.seed,
        seeds=config.seeds,
        rows=tuple(row.name for row in measured.rows),
        systems=measured.systems,
        folders=measured.folders,
        caches=measured.caches,
        metrics=() if audio is None else audio.added_by,
    )  # fmt: skip


def settings_sha(config: EvalConfig, judged: Sequence[Judged], dataset: str | None) -> str:
    """SHA-256 over what decides the figures and what is kept: not over where files lie."""
    chosen = {name: value for name, value in vars(config).items() if name not in _ELSEWHERE}
    facts = {"chosen": chosen, "judged": [asdict(x) for x in judged], "dataset": dataset}
    return sha256_of(dump_json(facts, indent=None).encode())


def _library_versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        if name in sys.modules:  # only what could have had a part in the figures
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found
