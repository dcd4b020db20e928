"""Evaluation directories without an evaluation, for tests of what reads them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from midigroove_core.metrics.info import MetricInfo
from midigroove_core.scorecard.manifest import (
    ClipsFacts,
    LongFacts,
    Manifest,
)
from midigroove_core.scorecard.records import HeardWith, Reference
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import AudioSummary, RowSummary, Summary

METRICS = {
    "onset_f1_50ms": MetricInfo("Onset F1", "", "higher", True, ""),
    "level_difference_db": MetricInfo("Level", "dB", "zero", True, ""),
    "rmse": MetricInfo("RMSE", "", "lower", False, ""),
}


def write_evaluation(
    path: Path,
    systems: dict[str, float],
    *,
    clips: int = 40,
    first_clip: int = 0,
    spread: float = 0.05,
    noise_seed: int | None = None,
    heard_with: tuple[HeardWith, ...] = (),
    **changes: object,
) -> Path:
    """A directory as `eval` writes it: each system's F1 lies around its number."""
    path.mkdir()
    names = [f"take{(first_clip + i) // 4}@{(first_clip + i) * 2000}" for i in range(clips)]
    manifest = Manifest(
        format="midigroove-evaluation",
        schema=1,
        settings="0",
        versions={"midigroove": "0.1.0"},
        clips=ClipsFacts("test", 4, clips, f"{first_clip}-{clips}", False, 0),
        long=LongFacts(0, None),
        reference=Reference("recording", "recording", "d", None),
        sample_rate=32000,
        embedding=None,
        sampling={"temperature": 1.0},
        seed=0,
        rows=tuple(systems),
        systems=(),
    ).to_json()
    for name, value in changes.items():
        target = manifest
        *folders, last = name.split("__")
        for folder in folders:
            target = target[folder]
        target[last] = value
    (path / "manifest.json").write_text(json.dumps(manifest))
    rows = tuple(RowSummary(name, RowKind.SYSTEM, None, clips, 0, {}) for name in systems)
    audio = AudioSummary("recording", 32000, (), heard_with, None, (), (), None)
    summary = Summary("test", clips, 10, 10, 0.95, METRICS, rows, (), (), (), {}, audio)
    (path / "summary.json").write_text(json.dumps(summary.to_json()))
    with open(path / "clips.csv", "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["clip", "row", "performance", *METRICS])
        for name, level in systems.items():
            seed = first_clip if noise_seed is None else noise_seed
            noise = np.random.default_rng(seed).normal(0, spread, clips)
            for clip, wobble in zip(names, noise, strict=True):
                performance = clip.split("@")[0]
                writer.writerow([clip, name, performance, level + wobble, -level, ""])
    return path
