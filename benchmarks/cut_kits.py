"""Kits cut from 30 s of recording, against the true kit and against the nearest other one.

    python benchmarks/cut_kits.py

Each shipped kit plays two performances of validation drummers; a kit is cut from the first 30 s of
each and plays the first 15 s of four test grooves. Mel L1 (dB) to the true kit, and of the shipped
kit that comes nearest for each groove: the choice that nobody can make without the answer.
"""

from __future__ import annotations

import time

import numpy as np

from midigroove_core.kits import sampler
from midigroove_core.kits.cut import cut_kit
from midigroove_core.kits.library import builtin_grooves, list_kits, load_kit
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi

RATE = 44_100
RECORDED = ("drummer4_s1_1_rock_87_beat_4-4", "drummer10_s1_9_jazz-swing_110_beat_4-4")
RECORDED_SEC, PLAYED_SEC, GROOVES = 30.0, 15.0, 4


def main() -> None:
    paths = {info.name: info.path for info in builtin_grooves()}
    played = [info for info in builtin_grooves() if info.split == "test"][:GROOVES]
    performances = [load_midi(info.path).slice(0.0, PLAYED_SEC) for info in played]
    names = [info.id for info in list_kits()]
    heard = {
        name: [features(sampler.render(p, load_kit(name))) for p in performances] for name in names
    }
    print("kit         cut, dB   nearest other, dB   seconds to cut")
    for name in names:
        cuts, seconds = [], []
        for recorded in RECORDED:
            performance = load_midi(paths[recorded]).slice(0.0, RECORDED_SEC)
            audio = sampler.render(performance, load_kit(name))
            began = time.perf_counter()
            cut = cut_kit(audio, RATE, performance)
            seconds.append(time.perf_counter() - began)
            for true, p in zip(heard[name], performances, strict=True):
                cuts.append(mel_l1(true, features(sampler.render(p, cut.kit)), RATE))
        nearest = [
            min(mel_l1(true, heard[other][i], RATE) for other in names if other != name)
            for i, true in enumerate(heard[name])
        ]
        print(f"{name:10s} {np.mean(cuts):8.2f} {np.mean(nearest):15.2f} {np.mean(seconds):16.2f}")


def features(audio: np.ndarray) -> AudioFeatures:
    return AudioFeatures.from_audio(audio, RATE)


if __name__ == "__main__":
    main()
