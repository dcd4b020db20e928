"""What scoring costs: milliseconds of one core per clip and row, and peak memory for 1,000 clips.

    OMP_NUM_THREADS=1 python benchmarks/evaluate.py [--clips 1000]

Clips of two seconds of built-in grooves played on built-in kits by the sampler at 32 kHz; four rows
(recording, its low-passed copy, noise, silence) go through the scorer as `midigroove eval` sends
them, nothing is kept. Time is CPU time of this process, so other load does not count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np

from midigroove_core.audio import resample
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.hearing import features_of
from midigroove_core.evaluation.base.takes import JudgedTake
from midigroove_core.evaluation.scoring.clips import ClipScorer
from midigroove_core.kits import sampler
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.metrics.clip import clip_metrics
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.midi import load_midi
from midigroove_core.scorecard.cost import peak_memory_mib

RATE = 32000
CLIP_SEC = 2.0


def clips(wanted: int) -> Iterator[tuple[EvalClip, np.ndarray]]:
    """Clips and their audio, take after take, as many as wanted."""
    index = 0
    while True:
        for groove in builtin_grooves():
            played = load_midi(groove.path)
            for kit in ("jazz", "power"):
                audio = sampler.render(played, load_kit(kit), sample_rate=RATE)
                key = f"{kit}/{groove.name}.wav"
                take = JudgedTake(key, groove.name, "test", kit, "", "", 120.0)
                for start in np.arange(0.0, len(audio) / RATE - CLIP_SEC, CLIP_SEC):
                    clip = EvalClip(index, take, played, float(start), float(start + CLIP_SEC))
                    first, count = clip.samples(RATE)
                    yield clip, audio[first : first + count]
                    index += 1
                    if index == wanted:
                        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1000)
    wanted = parser.parse_args().clips
    scorer = ClipScorer(RATE)
    noise = np.random.default_rng(0).normal(0.0, 0.05, int(CLIP_SEC * RATE)).astype(np.float32)
    spent = {"basic": 0.0, "all": 0.0}
    scored = 0
    for clip, audio in clips(wanted):
        dull = resample(resample(audio, RATE, 16000), 16000, RATE)[: len(audio)]
        reference = features_of(audio, RATE, "reference")
        _ = reference.log_magnitudes, reference.log_mel_db
        for row, made in (
            ("recording", audio), ("dull", dull), ("noise", noise), ("silence", 0 * audio),
        ):  # fmt: skip
            began = time.process_time()
            features = AudioFeatures.from_audio(made, RATE)
            clip_metrics(reference, features, clip.onsets_sec)
            between = time.process_time()
            scorer.score(row, clip, reference, made)
            spent["basic"] += between - began
            spent["all"] += time.process_time() - between
            scored += 1
    print(f"{scored} clips of {CLIP_SEC} s at {RATE} Hz")
    print(f"basic metrics  {1000 * spent['basic'] / scored:6.1f} ms per clip and row")
    print(f"all metrics    {1000 * spent['all'] / scored:6.1f} ms per clip and row")
    print(f"peak memory    {peak_memory_mib():6.0f} MiB")


if __name__ == "__main__":
    main()
