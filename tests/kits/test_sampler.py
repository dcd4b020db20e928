"""The sampler: onsets to the sample, velocity, chokes, levels."""

from __future__ import annotations

import numpy as np
import pytest

from midigroove_core.drums import load_drum_map
from midigroove_core.kits import sampler
from midigroove_core.kits.library import Kit, Layer, builtin_grooves, list_kits, load_kit
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance

RATE = 44_100
KIT_IDS = [info.id for info in list_kits()]


@pytest.fixture(scope="module")
def kits() -> dict[str, Kit]:
    return {name: load_kit(name) for name in KIT_IDS}


def perform(
    hits: list[tuple[float, int, int]], cc4: list[tuple[float, int]] = (), end_sec: float = 1.0
) -> DrumPerformance:
    """Hits (seconds, pitch, velocity) and pedal positions (seconds, value)."""
    onset, pitch, velocity = (np.array(column) for column in zip(*hits, strict=True))
    return DrumPerformance(
        onset.astype(float), np.full(len(hits), 0.1), pitch, velocity,
        np.array([t for t, _ in cc4], dtype=float), np.array([v for _, v in cc4], dtype=int),
        end_sec=end_sec,
    )  # fmt: skip


def click_kit(length: int = 4) -> Kit:
    shot = np.linspace(1.0, 0.25, length, dtype=np.float32)
    return Kit("clicks", {"snare": [Layer(127, shot)], "hat_open": [Layer(127, shot)],
                          "hat_closed": [Layer(127, shot * 0.5)]})  # fmt: skip


def high_energy(audio: np.ndarray) -> np.ndarray:
    """Energy of the second difference in windows of 2 ms: a click stands out in it."""
    second = np.diff(audio.astype(np.float64), 2)
    return (second[: len(second) // 88 * 88].reshape(-1, 88) ** 2).sum(axis=1)


@pytest.mark.parametrize("rate", [16_000, 32_000, 44_100, 48_000])
def test_hits_start_at_their_sample(rate: int) -> None:
    times = [0.0, 0.1234567, 0.5, 0.7300001]
    audio = sampler.render(
        perform([(t, 38, 127) for t in times]), click_kit(1000), sample_rate=rate, num_samples=rate
    )
    shot = click_kit(1000).at_rate(rate).articulations["snare"][0].audio
    expected = np.zeros(rate, dtype=np.float32)
    for t in times:
        start = round(t * rate)
        expected[start : start + len(shot)] += shot[: rate - start]
    np.testing.assert_allclose(audio, expected, atol=1e-6)


def test_onsets_do_not_drift_over_ten_minutes() -> None:
    audio = sampler.render(perform([(599.9999, 38, 127)], end_sec=600.0), click_kit())
    assert np.flatnonzero(audio)[0] == round(599.9999 * RATE)


def test_resampled_shots_keep_their_length_and_level() -> None:
    kit = load_kit("jazz")
    low = kit.at_rate(32_000)
    assert low is kit.at_rate(32_000)
    whole, resampled = kit.articulations["tom_low"][0].audio, low.articulations["tom_low"][0].audio
    assert abs(len(resampled) / 32_000 - len(whole) / RATE) < 1e-4
    energies = np.square(whole).sum() / RATE, np.square(resampled).sum() / 32_000
    assert energies[0] == pytest.approx(energies[1], rel=0.02)


@pytest.mark.parametrize("name", KIT_IDS)
def test_energy_rises_with_velocity_on_every_voice(kits: dict[str, Kit], name: str) -> None:
    kit = kits[name]
    for articulation in kit.articulations:
        voice = kit.voice(articulation, -1)
        assert voice is not None
        energy = [
            gain**2 * float(np.square(audio, dtype=np.float64).sum())
            for audio, gain in (voice.at(velocity) for velocity in range(1, 128))
        ]
        assert np.all(np.diff(energy) > 0), articulation
        dynamics_db = 10 * np.log10(energy[126] / energy[31])
        assert (
            20 < dynamics_db < 32
        )  # SoundFont curve: 24 dB, more where harder layers are brighter


def test_layers_follow_velocity() -> None:
    soft, hard = np.full(8, 0.25, np.float32), np.array([1, -1] * 4, np.float32)
    kit = Kit("two", {"snare": [Layer(60, soft), Layer(127, hard)]})
    voice = kit.voice("snare", 38)
    assert voice is not None
    assert voice.at(60)[0] is soft and voice.at(61)[0] is hard
    assert voice.at(60)[1] == pytest.approx(1.0) and voice.at(127)[1] == pytest.approx(1.0)
    assert voice.at(30)[1] == pytest.approx(0.25)


def test_a_weaker_hard_layer_is_raised() -> None:
    kit = Kit("odd", {"snare": [Layer(60, np.ones(8, np.float32)),
                                Layer(127, np.full(8, 0.1, np.float32))]})  # fmt: skip
    voice = kit.voice("snare", 38)
    assert voice is not None
    levels = [gain * audio.max() for audio, gain in map(voice.at, range(1, 128))]
    assert np.all(np.diff(levels) > -1e-6)


@pytest.mark.parametrize("name", KIT_IDS)
@pytest.mark.parametrize("closing", [42, 44, 22])
def test_closed_and_pedal_hats_cut_the_open_one(
    kits: dict[str, Kit], name: str, closing: int
) -> None:
    kit = kits[name]
    both = sampler.render(perform([(0.0, 46, 110), (0.2, closing, 60)]), kit)
    alone = sampler.render(perform([(0.2, closing, 60)]), kit)
    opened = sampler.render(perform([(0.0, 46, 110)]), kit)
    after = round(0.2 * RATE) + round(sampler.CHOKE_FADE_SEC * RATE)
    np.testing.assert_array_equal(both[after:], alone[after:])
    np.testing.assert_array_equal(both[: round(0.2 * RATE)], opened[: round(0.2 * RATE)])
    assert np.square(opened[after : after + RATE // 10]).sum() > 1e-6


def test_pedal_alone_cuts_the_open_hat_without_a_click(kits: dict[str, Kit]) -> None:
    kit = kits["standard"]
    pedal = [(0.0, 0), (0.3, 60), (0.31, 90), (0.6, 20)]
    cut = sampler.render(perform([(0.1, 26, 120)], pedal), kit)
    free = sampler.render(perform([(0.1, 26, 120)], [(0.0, 0), (0.3, 80)]), kit)
    stop = round(0.31 * RATE)
    assert not cut[stop + round(sampler.CHOKE_FADE_SEC * RATE) :].any()
    assert free[stop + 4000 : stop + 8000].any()
    window = stop // 88
    assert (
        high_energy(cut)[window : window + 8].max() <= 1.5 * high_energy(free)[window - 20 :].max()
    )


def test_pedal_held_down_before_the_hit_does_not_cut_it(kits: dict[str, Kit]) -> None:
    kit = kits["standard"]
    held = sampler.render(perform([(0.1, 46, 100)], [(0.0, 90), (0.2, 92), (0.3, 127)]), kit)
    np.testing.assert_array_equal(held, sampler.render(perform([(0.1, 46, 100)]), kit))


def test_other_drums_ring_on(kits: dict[str, Kit]) -> None:
    kit = kits["standard"]
    hits = [(0.0, 49, 120), (0.1, 49, 80), (0.2, 48, 90), (0.25, 48, 100), (0.3, 42, 80)]
    together = sampler.render(perform(hits), kit, num_samples=2 * RATE)
    alone = sum(sampler.render(perform([hit]), kit, num_samples=2 * RATE) for hit in hits)
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_length_tail_and_hits_past_the_end() -> None:
    performance = perform([(0.0, 38, 100), (0.9999, 38, 100)], end_sec=1.0)
    assert len(sampler.render(performance, click_kit(), tail_sec=0.5)) == round(1.5 * RATE)
    short = sampler.render(performance, click_kit(), num_samples=RATE // 2)
    assert len(short) == RATE // 2 and short.dtype == np.float32
    assert not sampler.render(performance, click_kit(), num_samples=0).size


def test_a_file_that_ends_while_drums_ring_fades(kits: dict[str, Kit]) -> None:
    audio = sampler.render(perform([(0.9, 49, 127)]), kits["standard"], tail_sec=0.1)
    assert abs(audio[-1]) < 1e-5 and np.abs(audio[-2000:-800]).max() > 1e-3


def test_levels_do_not_depend_on_the_rest_of_the_file(kits: dict[str, Kit]) -> None:
    quiet = sampler.render(perform([(0.0, 38, 30)]), kits["power"], num_samples=RATE)
    among = sampler.render(perform([(0.0, 38, 30), (1.0, 38, 127)]), kits["power"])
    np.testing.assert_array_equal(among[: RATE // 2], quiet[: RATE // 2])


@pytest.mark.parametrize("name", KIT_IDS)
def test_a_groove_sounds_and_does_not_clip(kits: dict[str, Kit], name: str) -> None:
    grooves = {info.num_hits / info.duration_sec: info for info in builtin_grooves()}
    performance = load_midi(grooves[max(grooves)].path).slice(0.0, 15.0)
    audio = sampler.render(performance, kits[name])
    assert np.isfinite(audio).all()
    assert 0.1 < np.abs(audio).max() < 1.0
    assert -40 < 20 * np.log10(np.sqrt(np.mean(np.square(audio)))) < -15


def test_the_drum_map_decides(kits: dict[str, Kit]) -> None:
    performance = perform([(0.0, 40, 110)])
    rim = sampler.render(performance, kits["power"], drum_map=load_drum_map("roland_td"))
    snare = sampler.render(perform([(0.0, 38, 110)]), kits["power"])
    assert not np.allclose(rim, snare)
    cymbals = [
        sampler.render(perform([(0.0, 55, 110)]), kits["jazz"], drum_map=load_drum_map(name))
        for name in ("gm", "roland_td")
    ]
    assert not np.allclose(*cymbals)  # a splash in General MIDI, the edge of a crash on a Roland
