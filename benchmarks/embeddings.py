"""What an embedding costs, and whether it puts kits and damage in order.

    OMP_NUM_THREADS=1 python benchmarks/embeddings.py aisfx [--path WEIGHTS] [--dataset DATA]

Cost is CPU time of one core for a clip of two seconds. With a dataset, one clip of two seconds is
taken from each take. Half of the performances are the reference. The other half is compared with
it kit by kit (is a kit nearest to itself?), and with all kits together, damaged in grades.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import signal

from midigroove_core.audio import load_audio, resample
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.metrics import kernel_audio_distance
from midigroove_core.metrics.distribution import median_bandwidth
from midigroove_core.registry import Registry
from midigroove_core.takes import open_dataset

Audio = NDArray[np.float32]
CLIP_SEC = 2.0
DAMAGED_PER_KIT = 20


def lowpass(audio: Audio, rate: int, hz: float) -> Audio:
    return signal.sosfiltfilt(signal.butter(4, hz, fs=rate, output="sos"), audio)


def noise(audio: Audio, rate: int, decibels: float) -> Audio:
    level = np.sqrt(np.mean(audio**2)) * 10 ** (decibels / 20)
    return audio + level * np.random.default_rng(0).normal(size=len(audio))


def clip(audio: Audio, rate: int, decibels: float) -> Audio:
    top = np.abs(audio).max() * 10 ** (-decibels / 20)
    return np.clip(audio, -top, top)


def crush(audio: Audio, rate: int, bits: float) -> Audio:
    return np.round(audio * 2 ** (bits - 1)) / 2 ** (bits - 1)


def gain(audio: Audio, rate: int, decibels: float) -> Audio:
    return audio * 10 ** (decibels / 20)


DAMAGE: dict[str, tuple[Callable[[Audio, int, float], Audio], tuple[float, ...]]] = {
    "low-pass, Hz": (lowpass, (8000, 4000, 2000)),
    "noise, dB under the clip": (noise, (-40, -30, -20)),
    "clipped, dB under the peak": (clip, (6, 12, 18)),
    "bits": (crush, (8, 7, 6)),
    "gain, dB": (gain, (-3, -6, -12)),
}


def first_clip(path: Path, rate: int) -> Audio | None:
    """Two seconds from the middle of a take, or None where there is hardly a sound."""
    audio, found = load_audio(path)
    mono = audio.mean(axis=0)
    start = max(0, (len(mono) - int(CLIP_SEC * found)) // 2)
    part = resample(mono[start : start + int(CLIP_SEC * found)].copy(), found, rate)
    return part if len(part) and np.abs(part).max() > 1e-2 else None


def read(dataset: str, rate: int) -> dict[str, tuple[list[Audio], list[Audio]]]:
    """Kit -> clips of the first and of the second half of the performances."""
    data = open_dataset(dataset)
    keys = sorted({take.performance_key for take in data.takes})
    found: dict[str, tuple[list[Audio], list[Audio]]] = {}
    for take in data.takes:
        audio = first_clip(data.root / take.audio_path, rate)
        if audio is not None:
            halves = found.setdefault(take.kit, ([], []))
            halves[keys.index(take.performance_key) % 2].append(audio)
    return found


def kits_in_order(embedding: Embedding, clips: dict[str, tuple[list[Audio], list[Audio]]]) -> None:
    """Prints each kit's distances to all, its own should be the least."""
    sets = {kit: [embed(embedding, half) for half in halves] for kit, halves in clips.items()}
    right = 0
    for kit, (reference, _) in sets.items():
        width = median_bandwidth(reference)
        row = {k: kernel_audio_distance(reference, other, width) for k, (_, other) in sets.items()}
        nearest = sorted(row, key=lambda name: row[name])
        right += nearest[0] == kit
        print(f"{kit:12s}", "  ".join(f"{name} {row[name]:.1f}" for name in nearest))
    print(f"right kit first: {right} of {len(sets)}")


def damage_in_order(
    embedding: Embedding, clips: dict[str, tuple[list[Audio], list[Audio]]]
) -> None:
    """Prints the distances of damaged clips of all kits, mild to strong."""
    rate = embedding.sample_rate
    reference, other = (
        [clip for halves in clips.values() for clip in halves[half][:DAMAGED_PER_KIT]]
        for half in (0, 1)
    )
    real = embed(embedding, reference)
    width = median_bandwidth(real)
    print(f"undamaged {kernel_audio_distance(real, embed(embedding, other), width):.2f}")
    for name, (function, grades) in DAMAGE.items():
        scores = []
        for grade in grades:
            damaged = [np.asarray(function(clip, rate, grade), np.float32) for clip in other]
            scores.append(kernel_audio_distance(real, embed(embedding, damaged), width))
        found = "  ".join(f"{g:g}: {s:.2f}" for g, s in zip(grades, scores, strict=True))
        print(f"{name:28s} {found}  {'in order' if scores == sorted(scores) else 'NOT in order'}")


def embed(embedding: Embedding, clips: list[Audio]) -> NDArray[np.float32]:
    return np.concatenate([embedding.embed(audio) for audio in clips])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("embedding", nargs="?", default="log_mel")
    parser.add_argument("--path")
    parser.add_argument("--dataset")
    options = parser.parse_args()
    torch.set_num_threads(1)
    embedding = Registry().load("embedding", options.embedding).from_config({}, path=options.path)
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.1, int(CLIP_SEC * embedding.sample_rate)).astype(np.float32)
    embedding.embed(audio)
    spent = []
    for _ in range(9):
        began = time.process_time()
        embedding.embed(audio)
        spent.append(time.process_time() - began)
    seconds = float(np.median(spent))
    print(f"{1000 * seconds:.1f} ms for {CLIP_SEC:g} s, real-time factor {seconds / CLIP_SEC:.4f}")
    if options.dataset:
        clips = read(options.dataset, embedding.sample_rate)
        kits_in_order(embedding, clips)
        damage_in_order(embedding, clips)


if __name__ == "__main__":
    main()
