"""What stems of the model are worth: bleed of each, and what their sum loses, on held-out grooves.

    OMP_NUM_THREADS=1 python benchmarks/stems.py [--solo] [--grooves 10] [--seconds 8] [--kit KIT]

Stems as `render --stems` gives them: the mix, shared out by what the sampler would play. With
--solo also the other way, where the model renders each group alone. Printed for each stem:

bleed: its level, against the mix, in the 50 ms after hits of other groups at which the sampler's
own stem is at least 30 dB below the sampler's mix; in dB, lower is better.
mel L1: distance from the sampler's stem on the same kit, which is what the model was trained to
sound like; in dB, beside that of the mix.

The sum: its error against the mix (dB of the mix), and its mel L1 to the mix and to the sampler's.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drum_reading import keep_hits
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.kits.sampler import STEMS
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Silent
from midigroove_core.rendering.config import Engine, RenderConfig
from midigroove_core.rendering.render import from_performance, open_engine, open_played, read_drums

Audio = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--solo", action="store_true", help="also render each group alone")
    parser.add_argument("--grooves", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--kit", default="standard")
    args = parser.parse_args()
    config = RenderConfig(kit=args.kit, tail_sec=0.5)
    engine = open_engine(config)
    rate = engine.sample_rate
    plain = RenderConfig(engine="sampler", kit=args.kit, tail_sec=0.5, sample_rate=rate)
    sampler = open_engine(plain)
    figures: dict[str, list[float]] = {}
    held_out = [groove for groove in builtin_grooves() if groove.split == "test"]
    for groove in held_out[: args.grooves]:
        performance = load_midi(groove.path).slice(0.0, args.seconds)
        performance = read_drums(performance, engine.drum_map, False, Silent())
        stems = rows(performance, config, engine)
        true = rows(performance, plain, sampler)
        mix = stems.sum(axis=0)
        add(figures, "mix: mel L1 to the sampler's", mel_l1(true.sum(axis=0), mix, rate))
        ways = {"shared out": stems}
        if args.solo:
            ways["solo"] = alone(performance, config, engine, len(mix))
        for way, parts in ways.items():
            score(figures, way, parts, true, mix, performance, engine, rate)
        print(".", end="", flush=True)
    print()
    for name, values in sorted(figures.items()):
        print(f"{name:45} {np.mean(values):8.2f}   worst {np.max(values):8.2f}  n {len(values)}")


def rows(performance: DrumPerformance, config: RenderConfig, engine: Engine) -> Audio:
    """Stems [G, S]."""
    played = open_played(performance, config, engine, Silent(), groups=True)
    return np.concatenate([*played.blocks], axis=1)


def alone(performance: DrumPerformance, config: RenderConfig, engine: Engine, length: int) -> Audio:
    """Each group rendered by the model without the others: [G, S]."""
    out = np.zeros((len(STEMS), length), dtype=np.float32)
    for row, members in enumerate(STEMS.values()):
        kept = keep_hits(performance, plays(performance, engine, members))
        if kept.num_hits:
            out[row] = from_performance(kept, replace(config), engine=engine).audio[0, :length]
    return out


def plays(performance: DrumPerformance, engine: Engine, members: tuple[str, ...]) -> NDArray:
    return np.array([engine.drum_map.articulation(p) in members for p in performance.pitch])


def score(
    figures: dict[str, list[float]],
    way: str,
    parts: Audio,
    true: Audio,
    mix: Audio,
    performance: DrumPerformance,
    engine: Engine,
    rate: int,
) -> None:
    total = parts.sum(axis=0)
    error = np.square(total - mix).sum() / np.square(mix).sum()
    add(figures, f"{way}: sum: error, dB", 10 * float(np.log10(error + 1e-15)))
    add(figures, f"{way}: sum: mel L1 to the mix", mel_l1(mix, total, rate))
    add(figures, f"{way}: sum: mel L1 to the sampler's", mel_l1(true.sum(axis=0), total, rate))
    for row, (name, members) in enumerate(STEMS.items()):
        own = plays(performance, engine, members)
        if not own.any():
            continue
        add(figures, f"{way}: {name}: mel L1", mel_l1(true[row], parts[row], rate))
        leaked = whole = 0.0
        for onset in performance.onset_sec[~own]:
            part = slice(round(onset * rate), round((onset + 0.05) * rate))
            if energy(true[row, part]) < 1e-3 * energy(true[:, part].sum(axis=0)):
                leaked += energy(parts[row, part])
                whole += energy(mix[part])
        if whole:
            add(figures, f"{way}: {name}: bleed, dB", 10 * float(np.log10(leaked / whole + 1e-15)))


def energy(audio: Audio) -> float:
    return float(np.square(audio, dtype=np.float64).sum())


def add(figures: dict[str, list[float]], name: str, value: float) -> None:
    figures.setdefault(name, []).append(value)


if __name__ == "__main__":
    main()
