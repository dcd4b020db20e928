"""Whether the model plays velocities as the sampler does: levels of hits on one kit, by velocity.

    OMP_NUM_THREADS=1 python benchmarks/dynamics.py [--kit standard] [--grooves 10] [--raw]

Alone: each drum at rising velocities, a hit every 1.2 s; level of the 80 ms after each hit, model
less sampler, in dB. In grooves: hits of held-out grooves with no other within 60 ms; mean, standard
deviation and number of the differences (50 ms), by velocity.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.render import from_performance, open_engine

VELOCITIES = (10, 20, 30, 40, 55, 70, 85, 100, 115, 127)
PITCHES = {
    "kick": 36, "snare": 38, "xstick": 37, "tom_high": 48, "tom_low": 43, "hat_closed": 42,
    "hat_open": 46, "hat_pedal": 44, "crash_1": 49, "ride": 51, "ride_bell": 53,
}  # fmt: skip
BINS = ((1, 20), (20, 40), (40, 60), (60, 80), (80, 100), (100, 128))
ALONE_SEC = 0.06


class Pair:
    """Both engines on one kit and at one rate."""

    def __init__(self, kit: str, raw: bool) -> None:
        model = RenderConfig(kit=kit, raw=raw)
        engine = open_engine(model)
        self.rate = engine.sample_rate
        sampler = RenderConfig(engine="sampler", kit=kit, sample_rate=self.rate)
        self._engines = ((model, engine), (sampler, open_engine(sampler)))
        self.drum_map = engine.drum_map

    def levels(self, performance: DrumPerformance, seconds: float) -> NDArray[np.float64]:
        """[2, N] level in dB of the time after each hit, by the model and by the sampler."""
        found = []
        for config, engine in self._engines:
            audio = from_performance(performance, config, engine=engine).audio[0]
            parts = [
                audio[max(0, round((onset - 0.003) * self.rate)) :][: round(seconds * self.rate)]
                for onset in performance.onset_sec
            ]
            found.append([10 * np.log10(np.square(part).mean() + 1e-12) for part in parts])
        return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kit", default="standard")
    parser.add_argument("--grooves", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--raw", action="store_true", help="the model's own levels")
    args = parser.parse_args()
    pair = Pair(args.kit, args.raw)
    print("alone        " + " ".join(f"{velocity:6}" for velocity in VELOCITIES))
    count = len(VELOCITIES)
    for name, pitch in PITCHES.items():
        hits = DrumPerformance(
            0.5 + 1.2 * np.arange(count), np.full(count, 0.1), np.full(count, pitch),
            np.array(VELOCITIES), end_sec=1.2 * count,
        )  # fmt: skip
        model, sampler = pair.levels(hits, 0.083)
        falls = np.diff(model).min()
        row = " ".join(f"{value:6.1f}" for value in model - sampler)
        print(f"{name:12} {row}   largest fall {max(-falls, 0.0):.1f}")
    print("in grooves   " + " ".join(f"{low}-{high - 1}".rjust(15) for low, high in BINS))
    found = in_grooves(pair, args.grooves, args.seconds)
    for name, values in sorted(found.items()):
        cells = []
        for low, high in BINS:
            part = np.array([gap for velocity, gap in values if low <= velocity < high])
            text = f"{part.mean():.1f} +-{part.std():.1f} ({len(part)})" if len(part) else "-"
            cells.append(text.rjust(15))
        print(f"{name:12} {' '.join(cells)}")
    gaps = np.array([gap for values in found.values() for _, gap in values])
    far = np.mean(np.abs(gaps) > 3.0)
    print(f"all {gaps.mean():.1f} +-{gaps.std():.1f} ({len(gaps)}), {far:.0%} more than 3 dB off")


def in_grooves(pair: Pair, grooves: int, seconds: float) -> dict[str, list[tuple[int, float]]]:
    """Articulation -> (velocity, model less sampler in dB) of hits that stand alone."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    held_out = [groove for groove in builtin_grooves() if groove.split == "test"]
    for groove in held_out[:grooves]:
        performance = load_midi(groove.path).slice(0.0, seconds)
        model, sampler = pair.levels(performance, 0.053)
        onset = performance.onset_sec
        before, after = np.diff(onset, prepend=-1.0), np.diff(onset, append=np.inf)
        for hit in np.flatnonzero((before >= ALONE_SEC) & (after >= ALONE_SEC)):
            name = str(pair.drum_map.articulation(int(performance.pitch[hit])))
            gap = float(model[hit] - sampler[hit])
            found[name].append((int(performance.velocity[hit]), gap))
    return found


if __name__ == "__main__":
    main()
