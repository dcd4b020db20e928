"""What the cache pipeline costs on top of the codec: `python benchmarks/cache.py [CODEC]`.

Times `codec.encode` on whole takes that lie in memory already, then the whole pipeline on the same
takes as files (44.1 kHz stereo WAV and MIDI: reading, downmix, resampling, parsing, windows,
writing), alternating, in one process; the figure that counts is the ratio of the medians (aim: at
most 10 % more). CPU time is printed too, since on a busy machine wall time says little; it counts
the reading that a free core would hide. Beside it: how much memory a ten-minute take needs, and
reads of codes per second.

Options: `name=value` arguments of the codec after its name, such as `weights=random`.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from midigroove_core.audio import load_mono, save_audio
from midigroove_core.cache import Cache
from midigroove_core.cache.build import build_cache
from midigroove_core.coding.open import open_codec
from midigroove_core.interfaces.codec import Codec
from midigroove_core.midi import load_midi, save_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.takes import Dataset, Take

TAKES, SECONDS, ROUNDS, RATE = 4, 35, 3, 44100
READS = 50_000


def make_dataset(root: Path, count: int, seconds: float) -> Dataset:
    """Noise bursts at random times, and the MIDI that says so."""
    rng = np.random.default_rng(0)
    takes = []
    for number in range(count):
        onset = np.sort(rng.uniform(0, seconds - 1, int(8 * seconds)))
        audio = np.zeros((2, int(seconds * RATE)), dtype=np.float32)
        burst = rng.uniform(-0.2, 0.2, 4000) * np.exp(-np.arange(4000) / 800)
        for sec in onset:
            start = int(sec * RATE)
            audio[:, start : start + 4000] += burst.astype(np.float32)
        name = f"{seconds}s_{number}"
        size = len(onset)
        hits = DrumPerformance(
            onset, np.full(size, 0.1), rng.integers(35, 60, size), rng.integers(1, 128, size),
            end_sec=float(seconds),
        )  # fmt: skip
        save_midi(hits, root / f"{name}.mid")
        save_audio(root / f"{name}.wav", np.clip(audio, -1, 1), RATE)
        takes.append(
            Take(
                f"{name}.wav", name, f"{name}.mid", f"{name}.wav", "kit", "d", "s", 120.0, "beat",
                "4-4", "train", float(seconds),
            )
        )  # fmt: skip
    return Dataset("bench", root, takes)


def encode_whole(codec: Codec, audio: list[torch.Tensor]) -> None:
    """`codec.encode` alone."""
    with torch.inference_mode():
        for take in audio:
            codec.encode(take.to(codec.device)).cpu()


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds (all threads) of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def overhead(codec: Codec, folder: Path) -> None:
    """Prints the pipeline's time against the codec's own."""
    dataset = make_dataset(folder, TAKES, SECONDS)
    rate = codec.clock.sample_rate
    paths = [dataset.audio_path(take) for take in dataset.takes]
    audio = [torch.from_numpy(load_mono(path, rate))[None, None] for path in paths]
    load_midi(dataset.midi_path(dataset.takes[0]))  # imports what is imported once
    encode_whole(codec, audio[:1])
    alone, piped = [], []
    for _ in range(ROUNDS):
        alone.append(timed(lambda: encode_whole(codec, audio)))
        shutil.rmtree(folder / "cache", ignore_errors=True)
        piped.append(timed(lambda: build_cache(dataset, codec, folder / "cache")))
    for name, index in (("wall", 0), ("CPU", 1)):
        codec_sec = float(np.median([pair[index] for pair in alone]))
        pipeline_sec = float(np.median([pair[index] for pair in piped]))
        print(
            f"{name}: codec alone {codec_sec:.2f} s, pipeline {pipeline_sec:.2f} s for "
            f"{TAKES * SECONDS} s of audio, overhead {100 * (pipeline_sec / codec_sec - 1):+.1f} %"
        )


def reads(folder: Path) -> None:
    """Prints random 4-beat reads of codes per second."""
    cache = Cache.open(folder / "cache")
    rng = np.random.default_rng(0)
    length = int(2 * cache.clock.frame_rate)
    picks = [
        (cache.entries[i], int(rng.integers(0, cache.entries[i].num_frames - length)))
        for i in rng.integers(0, len(cache.entries), READS)
    ]
    began = time.perf_counter()
    for entry, start in picks:
        cache.codes(entry, start, length)
    print(f"codes of 2 s clips: {READS / (time.perf_counter() - began):,.0f} reads/s")


def long_take(codec: Codec, folder: Path) -> None:
    """Prints peak memory with ten-minute takes."""
    dataset = make_dataset(folder / "long", 2, 600)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = build_cache(dataset, codec, folder / "long_cache")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"two ten-minute takes: {summary.audio_sec / summary.wall_sec:.1f} times real time, "
        f"peak memory {after / 1e6:.2f} GB (aim: under 3 GB; {before / 1e6:.2f} GB before)"
    )


def main() -> None:
    """Runs all parts."""
    name, *options = sys.argv[1:] or ["groove_32khz"]
    codec = open_codec(name, options=options)
    print(f"{codec.codec_id}, {torch.get_num_threads()} threads, {codec.device}")
    with tempfile.TemporaryDirectory() as folder:
        overhead(codec, Path(folder))
        reads(Path(folder))
        long_take(codec, Path(folder))


if __name__ == "__main__":
    main()
