"""A small cache whose codes follow from the hits, so that a model can learn them in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midigroove_core.cache import Cache, CacheWriter
from midigroove_core.clock import FrameClock
from midigroove_core.interfaces.codec import residual_codebooks
from midigroove_core.performance import DrumPerformance

CLOCK = FrameClock(16000, 256)
K, V = 3, 16
KITS = ("jazz", "rock")


def play(rng: np.random.Generator, seconds: float, bpm: float) -> DrumPerformance:
    """Kick and snare in turn near each eighth note, some left out."""
    onsets = np.arange(0, seconds - 0.3, 30 / bpm)
    onsets = np.maximum(onsets + rng.normal(0, 0.01, len(onsets)), 0.0)
    kept = rng.random(len(onsets)) < 0.8
    kept[0] = True
    pitch = np.where(np.arange(len(onsets)) % 2, 38, 36)
    return DrumPerformance(
        onset_sec=np.sort(onsets[kept]),
        duration_sec=np.full(kept.sum(), 0.1),
        pitch=pitch[kept],
        velocity=rng.integers(30, 127, kept.sum()),
        tempo_bpm=np.full(1, bpm),
        end_sec=seconds,
    )


def codes_of(performance: DrumPerformance, num_frames: int, kit: int) -> np.ndarray:
    """Codebook 0 counts frames since the kick, 1 since the snare, 2 is their sum, plus the kit."""
    since = []
    for pitch in (36, 38):
        frames, _ = CLOCK.split(performance.onset_sec[performance.pitch == pitch])
        last = np.searchsorted(frames, np.arange(num_frames), side="right") - 1
        gap = np.arange(num_frames) - np.concatenate([frames, [-V]])[last]
        since.append(np.clip(gap, 0, V // 2 - 1) + kit * V // 2)
    return np.stack([since[0], since[1], (since[0] + since[1]) % V])


def header(num_takes: int, **facts: int) -> dict:
    return {
        "codec_id": "groove_32khz",
        "codec_config": {},
        "codec_facts": {
            "codec_id": "groove_32khz",
            **CLOCK.to_json(),
            "channels": 1,
            "codebooks": [book.to_json() for book in residual_codebooks(K, V)],
            "license": "MIT",
            **facts,
        },
        "weights_sha": "0" * 64,
        "provider": {"distribution": "midigroove", "version": "0"},
        "versions": {},
        "dataset": {"name": "synthetic", "fingerprint": "0" * 64, "num_takes": num_takes},
        "encoding": {"takes_per_shard": 8},
    }


def make_cache(path: Path, performances: int = 6, seconds: float = 6.0, seed: int = 0) -> Cache:
    """`performances` on two kits; the last third is the validation split."""
    rng = np.random.default_rng(seed)
    writer = CacheWriter(path, header(2 * performances))
    take = 0
    for number in range(performances):
        bpm = float(rng.uniform(80, 160))
        length = seconds * float(rng.uniform(0.8, 1.2))
        played = play(rng, length, bpm)
        writer.add_performance(f"{number}.mid", played)
        num_samples = int(length * CLOCK.sample_rate)
        num_frames = CLOCK.num_frames(num_samples)
        for kit, name in enumerate(KITS):
            validation = number >= performances - performances // 3
            row = {
                "key": f"{name}/{number}.wav",
                "performance_key": f"{number}",
                "midi_path": f"{number}.mid",
                "split": "validation" if validation else "train",
                "kit": name,
                "drummer": "new" if validation else f"drummer{number % 2}",
                "style": "unknown" if number == 0 else "funk",
                "bpm": bpm,
                "beat_type": "beat",
                "time_signature": "4-4",
                "num_frames": num_frames,
                "num_samples": num_samples,
                "gain": 1.0,
            }
            writer.add_take(take, row, codes_of(played, num_frames, kit))
            take += 1
    for shard in writer.missing_shards():
        writer.close_shard(shard)
    writer.finish()
    return Cache.open(path)
