"""Clips read per second in one process: `python benchmarks/reading.py`.

A synthetic cache of 200 one-minute takes in the geometry of the built-in codec (8 x 1024 at 62.5
frames a second), random 4-beat clips, grids and collating in batches of 24 included; with and
without a second of left context. The baseline read 200 clips a second.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from grids import performance

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache, CacheWriter
from midigroove_core.cache.clips import ClipReader, cut_clips, vocabularies_of
from midigroove_core.clock import FrameClock
from midigroove_core.interfaces.codec import residual_codebooks

CLOCK = FrameClock(32000, 512)
TAKES, SECONDS, CLIPS, BATCH = 200, 60, 4800, 24


def make_cache(path: Path) -> Cache:
    """Random codes and random hits."""
    rng = np.random.default_rng(0)
    facts = {
        "codec_id": "groove_32khz",
        **CLOCK.to_json(),
        "channels": 1,
        "codebooks": [book.to_json() for book in residual_codebooks(8, 1024)],
        "license": "MIT",
    }
    header = {
        "codec_id": "groove_32khz",
        "codec_config": {},
        "codec_facts": facts,
        "weights_sha": "",
        "provider": {"distribution": "midigroove", "version": ""},
        "versions": {},
        "dataset": {"name": "random", "fingerprint": "", "num_takes": TAKES},
        "encoding": {"takes_per_shard": 50},
    }
    writer = CacheWriter(path, header)
    num_samples = SECONDS * CLOCK.sample_rate
    num_frames = CLOCK.num_frames(num_samples)
    for take in range(TAKES):
        row = {
            "key": f"{take}.wav",
            "performance_key": f"{take}",
            "midi_path": f"{take}.mid",
            "split": "train",
            "kit": f"kit{take % 6}",
            "drummer": f"drummer{take % 5}",
            "style": "rock",
            "bpm": 120.0,
            "beat_type": "beat",
            "time_signature": "4-4",
            "num_frames": num_frames,
            "num_samples": num_samples,
            "gain": 1.0,
        }
        writer.add_performance(f"{take}.mid", performance(rng, SECONDS))
        writer.add_take(take, row, rng.integers(0, 1024, (8, num_frames)))
    for shard in writer.missing_shards():
        writer.close_shard(shard)
    writer.finish()
    return Cache.open(path)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        cache = make_cache(Path(folder) / "cache")
        conditions = ("kit", "drummer", "style", "bpm")
        vocabularies = vocabularies_of(cache.entries)
        clips = cut_clips(cache, beats=4)
        for context_sec in (0.0, 1.0):
            reader = ClipReader(cache, ExpressiveGrid(), vocabularies, conditions)
            context = int(CLOCK.seconds_to_frames(context_sec))
            order = np.random.default_rng(1).integers(0, len(clips), CLIPS)
            for label in ("first pass", "after it"):
                began, cpu = time.perf_counter(), time.process_time()
                for first in range(0, CLIPS, BATCH):
                    chosen = order[first : first + BATCH]
                    reader.collate([reader.read(clips[i], context) for i in chosen])
                wall, cpu = time.perf_counter() - began, time.process_time() - cpu
                print(
                    f"4 beats (2 s) + {context_sec:.0f} s of context, {label}: "
                    f"{CLIPS / wall:.0f} clips/s ({CLIPS / cpu:.0f} per second of processor time)"
                )


if __name__ == "__main__":
    main()
