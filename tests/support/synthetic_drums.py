"""Small honest drums for the metric tests: decaying tones and noises, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 32000

# Per class: tone in Hz, share of noise, noise band in Hz, decay in seconds.
KITS = {
    "wood": {
        "kick": (55.0, 0.05, (1000.0, 4000.0), 0.10),
        "snare": (190.0, 0.70, (1500.0, 9000.0), 0.08),
        "tom": (110.0, 0.05, (500.0, 2000.0), 0.16),
        "hat": (0.0, 1.00, (7000.0, 15000.0), 0.03),
        "crash": (0.0, 1.00, (3000.0, 15000.0), 0.60),
        "ride": (5200.0, 0.60, (4000.0, 7000.0), 0.30),
    },
    "metal": {
        "kick": (75.0, 0.20, (2000.0, 6000.0), 0.06),
        "snare": (260.0, 0.45, (2500.0, 13000.0), 0.14),
        "tom": (150.0, 0.10, (500.0, 2000.0), 0.10),
        "hat": (0.0, 1.00, (5000.0, 9000.0), 0.05),
        "crash": (0.0, 1.00, (2000.0, 9000.0), 0.40),
        "ride": (6800.0, 0.40, (6000.0, 12000.0), 0.20),
    },
}
CLASSES = tuple(KITS["wood"])


@dataclass(frozen=True)
class Hit:
    onset_sec: float
    drum: str
    velocity: int


def one_shot(
    drum: str, kit: str = "wood", velocity: int = 100, seed: int = 0
) -> NDArray[np.float32]:
    """One hit `[S]`, 0.5 s, peak about velocity / 127; another seed is another round robin."""
    return np.float32(velocity / 127.0) * _full_velocity(drum, kit, seed)


@lru_cache(maxsize=100)
def _full_velocity(drum: str, kit: str, seed: int) -> NDArray[np.float32]:
    tone_hz, noise_share, (low_hz, high_hz), decay_sec = KITS[kit][drum]
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    generator = np.random.default_rng([seed, *map(ord, drum + kit)])
    spectrum = np.fft.rfft(generator.normal(size=time.size))
    frequency = np.fft.rfftfreq(time.size, 1.0 / SAMPLE_RATE)
    spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0.0
    noise = np.fft.irfft(spectrum, time.size)
    noise /= np.abs(noise).max()
    sweep = 2.0 * np.pi * tone_hz * (time - 0.02 * np.exp(-time / 0.02))
    shot = (1.0 - noise_share) * np.sin(sweep) + noise_share * noise
    return (shot * np.exp(-time / decay_sec)).astype(np.float32)


def groove(seed: int = 0, duration_sec: float = 4.0) -> list[Hit]:
    """A rock groove with human timing and velocities; the crash, tom and ride come once a bar."""
    generator = np.random.default_rng(seed)
    pattern = [(0, "kick"), (2, "snare"), (3, "kick"), (4, "kick"), (6, "snare"), (7, "tom")]
    pattern += [(step, "hat") for step in range(1, 8, 2)] + [(0, "crash"), (5, "ride")]
    hits = []
    for bar in range(int(duration_sec // 2)):
        for step, drum in pattern:
            onset_sec = 0.1 + 2.0 * bar + 0.24 * step + generator.normal(0.0, 0.004)
            hits.append(Hit(float(onset_sec), drum, int(generator.integers(40, 120))))
    return sorted(hits, key=lambda hit: hit.onset_sec)


def play(
    hits: list[Hit], duration_sec: float = 4.0, kit: str = "wood", seed: int = 0
) -> NDArray[np.float32]:
    """The hits on one kit `[S]`, at half scale, over a noise floor of -80 dB."""
    size = round(duration_sec * SAMPLE_RATE)
    floor = np.random.default_rng(seed).normal(0.0, 1e-4, size)
    audio = np.concatenate([floor, np.zeros(SAMPLE_RATE)]).astype(np.float32)
    for index, hit in enumerate(hits):
        shot = one_shot(hit.drum, kit, hit.velocity, seed=seed + index % 3)
        start = round(hit.onset_sec * SAMPLE_RATE)
        audio[start : start + shot.size] += 0.5 * shot
    return audio[:size]


def onsets_sec(hits: list[Hit]) -> NDArray[np.float64]:
    return np.array([hit.onset_sec for hit in hits])
