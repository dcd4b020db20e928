"""A recording taken apart into its hits."""

from __future__ import annotations

import numpy as np
import pytest

from midigroove_core.kits.decompose import Decomposition, Struck
from midigroove_core.kits.library import load_kit

RATE = 44_100
PATTERN = [
    *((0.5 * n, "hat", 60 + 20 * (n % 3)) for n in range(16)),
    *((1.0 * n, "kick", 100) for n in range(8)),
    *((1.0 * n + 0.25, "crash", 90) for n in range(0, 8, 4)),
]
RING_SEC = {"hat": 0.4, "kick": 0.6, "crash": 2.5}
VOICES = {"hat": "hat_closed", "kick": "kick", "crash": "crash_1"}


def shot(drum: str, velocity: int) -> np.ndarray:
    voice = load_kit("jazz").voice(VOICES[drum], -1)
    assert voice is not None
    audio, gain = voice.at(velocity)
    return audio[: round(RING_SEC[drum] * RATE)] * np.float32(gain)


def recording() -> tuple[np.ndarray, list[Struck]]:
    """8 s in which kick and hat are always struck together, and a crash rings over both."""
    out = np.zeros(9 * RATE, np.float32)
    hits = []
    for onset, drum, velocity in sorted(PATTERN):
        audio = shot(drum, velocity)
        out[round(onset * RATE) :][: len(audio)] += audio
        hits.append(Struck(drum, onset, velocity, RING_SEC[drum]))
    return out, hits


@pytest.fixture(scope="module")
def apart() -> Decomposition:
    return Decomposition(*recording())


def level_db(audio: np.ndarray) -> float:
    return float(10 * np.log10(np.square(audio, dtype=np.float64).mean() + 1e-12))


@pytest.mark.parametrize(
    ("drum", "start", "end"),
    [("hat", 0.0, 0.05), ("kick", 0.0, 0.05), ("crash", 0.0, 0.05), ("crash", 0.15, 0.3)],
)
def test_a_hit_by_itself_is_as_loud_as_the_drum_is(
    apart: Decomposition, drum: str, start: float, end: float
) -> None:
    """At its attack, and the crash while others are struck."""
    n = next(i for i, hit in enumerate(apart.hits) if hit.drum == drum)
    span = slice(round(start * RATE), round(end * RATE))
    true, found = shot(drum, apart.hits[n].velocity)[span], apart.alone(n, 0.0)[span]
    assert abs(level_db(found) - level_db(true)) < 5.0


def test_a_ringing_crash_does_not_stay_in_the_hats(apart: Decomposition) -> None:
    audio, _ = recording()
    n = next(
        i for i, hit in enumerate(apart.hits) if hit.drum == "hat" and 0.4 < hit.onset_sec < 0.6
    )
    span = slice(round(0.25 * RATE), round(0.4 * RATE))
    heard = audio[round(0.5 * RATE) :][span]
    assert level_db(apart.alone(n, 0.0)[span]) < level_db(heard) - 10.0


def test_hits_share_what_is_heard(apart: Decomposition) -> None:
    shares = [apart.share(n) for n in range(len(apart.hits))]
    assert all(0.0 <= share <= 1.0 + 1e-5 for share in shares)
    together = [n for n, hit in enumerate(apart.hits) if hit.onset_sec == 2.0]
    assert 0.8 < sum(shares[n] for n in together) <= 1.0 + 1e-5


def test_less_than_a_window_is_enough() -> None:
    audio = shot("hat", 90)[: RATE // 25]
    found = Decomposition(audio, [Struck("hat", 0.0, 90, 0.4)]).alone(0, 0.0)
    assert abs(level_db(found[: len(audio)]) - level_db(audio)) < 1.0


def test_what_lies_at_the_ends_has_its_place() -> None:
    audio = np.concatenate([shot("kick", 100), np.zeros(RATE // 2, np.float32), shot("hat", 90)])
    at = len(audio) - len(shot("hat", 90))
    hits = [Struck("kick", 0.0, 100, 0.6), Struck("hat", at / RATE, 90, 2.0)]
    apart = Decomposition(audio[: at + RATE // 20], hits)
    assert apart.share(0) > 0.95 and apart.share(1) > 0.95
    first, last = apart.alone(0, 0.002), apart.alone(1, 0.002)
    assert abs(level_db(first[:4410]) - level_db(shot("kick", 100)[:4410])) < 1.0
    assert np.isfinite(last).all() and np.abs(last).max() > 0.0
