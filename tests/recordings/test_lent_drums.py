"""The kit in a recording, and what another lends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.drum_reading import keep_hits
from midigroove_core.drums import load_drum_map
from midigroove_core.kits import sampler
from midigroove_core.kits.cut import save_kit
from midigroove_core.kits.library import builtin_grooves, list_kits, load_kit
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.recordings.like import KitLike, kit_in

RATE = 44_100
MAP = load_drum_map()


def groove(name: str, sec: float) -> DrumPerformance:
    path = next(info.path for info in builtin_grooves() if info.name.startswith(name))
    return load_midi(path).slice(0.0, sec)


def only(performance: DrumPerformance, wanted: Callable[[str], bool]) -> DrumPerformance:
    names = [str(MAP.articulation(pitch)) for pitch in performance.pitch]
    return keep_hits(performance, np.array([wanted(name) for name in names]))


PLAYED = groove("drummer4_s1_1_rock", 12.0)


def heard(performance: DrumPerformance, kit: str = "brush", **settings: Sequence[str]) -> KitLike:
    audio = sampler.render(performance, load_kit(kit), num_samples=12 * RATE)
    return kit_in(audio, replace(performance, end_sec=12.0), **settings)


def test_what_the_recording_lacks_is_lent_and_said() -> None:
    found = heard(PLAYED)
    assert found.lender in {info.id for info in list_kits()}
    assert {"ride", "tom_mid", "xstick", "splash_china"} & set(found.lent) == {
        "ride", "tom_mid", "xstick",
    }  # fmt: skip
    assert not {drum.articulation for drum in found.drums} & set(found.lent)
    assert set(found.kit.articulations) == {d.articulation for d in found.drums} | set(found.lent)
    assert f"of the kit {found.lender}: " in found.borrowed and "ride" in found.borrowed


def test_a_kit_with_what_was_lent_is_kept_whole(tmp_path: Path) -> None:
    found = heard(PLAYED)
    save_kit(found.kit, tmp_path / "kit")
    loaded = load_kit(tmp_path / "kit")
    assert set(loaded.articulations) == set(found.kit.articulations)
    assert set(loaded.variants["other"]) == set(found.kit.variants["other"])


def test_a_drum_that_is_alike_is_not_lent() -> None:
    found = heard(only(PLAYED, lambda name: name not in ("rimshot", "hat_pedal")))
    assert "snare" in found.kit.articulations and "hat_closed" in found.kit.articulations
    assert not {"rimshot", "hat_pedal"} & set(found.kit.articulations)


def test_nothing_is_lent_when_only_the_cut_is_wanted() -> None:
    found = heard(PLAYED, lenders=())
    assert found.lent == () and found.lender == "" and found.borrowed == ""
    assert set(found.kit.articulations) == {drum.articulation for drum in found.drums}


@pytest.mark.parametrize("kit", ["power", "tr808"])
def test_the_lender_is_the_kit_that_is_nearest_and_as_loud(kit: str) -> None:
    """Where the recording is of a kit that ships, that is the lender, at the recording's level."""
    found = heard(only(PLAYED, lambda name: name in ("kick", "snare")), kit)
    assert found.lender == kit
    true, gain = load_kit(kit).voice("hat_closed", -1).at(100)
    ours, own_gain = found.kit.voice("hat_closed", -1).at(100)
    level = np.sqrt(np.square(ours * own_gain).sum() / np.square(true * gain).sum())
    assert abs(20 * np.log10(level)) < 1.5


def test_a_kit_that_is_completed_is_nearer() -> None:
    """A groove with a ride, on the kit of a recording without one."""
    other = groove("drummer8_s2_15_funk", 8.0)
    true = sampler.render(other, load_kit("brush"))
    far, near = (
        mel_l1(true, sampler.render(other, heard(PLAYED, **settings).kit), RATE)
        for settings in ({"lenders": ()}, {})
    )
    assert near < 0.9 * far


def test_other_kits_may_lend() -> None:
    assert heard(PLAYED, lenders=["jazz", "tr808"]).lender in ("jazz", "tr808")
