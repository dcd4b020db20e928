"""Everything needed to say whether two evaluations can be compared."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from midigroove_core import __version__
from midigroove_core.atomic import sha256_of_file
from midigroove_core.evaluation.base.clipset import clips_fingerprint
from midigroove_core.evaluation.base.config import SCHEMA, EvalConfig
from midigroove_core.evaluation.base.results import Row
from midigroove_core.evaluation.run import EvalRun

_LIBRARIES = ("numpy", "scipy", "soxr", "mir_eval", "torch", "transformers")


def make_manifest(config: EvalConfig, run: EvalRun, rows: Sequence[Row]) -> dict[str, Any]:
    """manifest.json. Files are named without their folders and known by their SHA-256."""
    return {
        "schema": SCHEMA,
        "versions": {"midigroove": __version__, **_library_versions()},
        "clips": {
            "split": config.split,
            "beats": config.beats,
            "count": len(run.clips),
            "fingerprint": clips_fingerprint(run.clips),
            "intersection": config.intersection,
            "max_items": config.max_items,
        },
        "long": {
            "max_items": config.long_items,
            "fingerprint": None if run.long is None else clips_fingerprint(run.long.stretches),
        },
        "reference": {
            "kind": "recording" if run.recordings is not None else "oracle",
            "dataset": run.recordings.fingerprint if run.recordings is not None else None,
            "codec": None if run.recordings is not None else _codec(run.groups[0].group.cache),
        },
        "sample_rate": run.scorer.sample_rate if run.scorer is not None else None,
        "embedding": run.embeddings.identity if run.embeddings is not None else None,
        "sampling": {
            "temperature": config.temperature,
            "top_k": config.top_k,
            "top_p": config.top_p,
        },
        "seed": config.seed,
        "rows": [row.name for row in rows],
        "systems": [
            {
                "name": system.name,
                "checkpoint": system.spec.checkpoint.name,
                "checkpoint_sha256": sha256_of_file(system.spec.checkpoint),
                "model": system.checkpoint.metadata["model"]["id"],
                "training": system.checkpoint.training,
                "cache": system.spec.cache.name,
                "cache_fingerprint": system.group.cache.fingerprint,
                "cache_dataset": system.group.cache.header["dataset"],
                "codec": _codec(system.group.cache),
            }
            for system in run.systems
        ],
    }


def _codec(cache: Any) -> dict[str, Any]:
    header = cache.header
    return {
        "codec_id": header["codec_id"],
        "config": header["codec_config"],
        "weights_sha": header["weights_sha"],
    }


def _library_versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        if name in sys.modules:  # only what could have had a part in the figures
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found
