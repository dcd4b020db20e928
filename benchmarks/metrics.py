"""Times the metrics of one system for one 2 s clip at 44.1 kHz, on one core.

    OMP_NUM_THREADS=1 python benchmarks/metrics.py

The reference's features are made once beforehand, as the evaluation does for all systems. Limits:
20 ms for the per-clip metrics, 60 ms for everything per clip. Set distances are apart. Processor
time is counted, not the clock on the wall, so that other programs do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from midigroove_core import metrics
from midigroove_core.metrics import AudioFeatures

SAMPLE_RATE = 44100
ROUNDS = 30
DRUMS = ("kick", "snare", "tom", "hat", "crash", "ride")


def shot(seed: int) -> NDArray[np.float32]:
    """A noise burst `[S]`, another colour for each seed."""
    generator = np.random.default_rng(seed)
    time_sec = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tone = np.sin(2.0 * np.pi * 60.0 * 2.0**seed * time_sec)
    burst = (tone + 0.3 * generator.normal(size=time_sec.size)) * np.exp(-time_sec / 0.08)
    return (0.3 * burst).astype(np.float32)


def clip(seconds: float = 2.0) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float64]]]:
    """Ten hits a second on six drums `[S]`, and when each is struck."""
    audio = np.zeros(int((seconds + 1.0) * SAMPLE_RATE), np.float32)
    hits: dict[str, list[float]] = {name: [] for name in DRUMS}
    for index, onset_sec in enumerate(np.arange(0.05, seconds - 0.05, 0.1)):
        start = round(onset_sec * SAMPLE_RATE)
        burst = shot(index % len(DRUMS))
        audio[start : start + burst.size] += burst
        hits[DRUMS[index % len(DRUMS)]].append(float(onset_sec))
    return audio[: int(seconds * SAMPLE_RATE)], {name: np.array(t) for name, t in hits.items()}


def median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000.0 * float(np.median(times))


def main() -> None:
    audio, hits = clip()
    onsets = np.sort(np.concatenate(list(hits.values())))
    velocities = {name: (times, 60 + np.arange(times.size)) for name, times in hits.items()}
    templates = metrics.build_templates({name: [shot(i)] for i, name in enumerate(DRUMS)}, 44100)
    reference = AudioFeatures.from_audio(audio, SAMPLE_RATE)
    metrics.clip_metrics(reference, reference, onsets)
    noise = np.random.default_rng(0).normal(0.0, 1e-3, audio.size).astype(np.float32)

    def basic() -> AudioFeatures:
        estimated = AudioFeatures.from_audio(audio + noise, SAMPLE_RATE)
        metrics.clip_metrics(reference, estimated, onsets)
        return estimated

    def everything() -> None:
        estimated = basic()
        found = metrics.transcribe(estimated, templates)
        metrics.drum_scores(metrics.drum_counts(hits, found))
        metrics.velocity_correlations(estimated, velocities)
        metrics.microtiming(onsets, np.round(onsets, 1), estimated)

    def embed() -> None:
        metrics.embed_log_mel(audio, SAMPLE_RATE)

    rows = np.random.default_rng(0).normal(size=(500, metrics.EMBEDDING_SIZE))
    results = [
        ("per-clip metrics (limit 20 ms)", median_ms(basic)),
        ("everything per clip (limit 60 ms)", median_ms(everything)),
        ("embedding", median_ms(embed)),
        ("kernel distance, 500 x 500 rows", median_ms(lambda: distance(rows))),
    ]
    for name, milliseconds in results:
        print(f"{name:40s} {milliseconds:8.1f} ms")


def distance(rows: NDArray[np.float64]) -> float:
    return metrics.kernel_audio_distance(rows, rows + 0.1)


if __name__ == "__main__":
    main()
