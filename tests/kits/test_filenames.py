"""What the names of one-shots say."""

from __future__ import annotations

import pytest

from midigroove_core.drums import ARTICULATIONS
from midigroove_core.kits.filenames import ShotName, read_name


@pytest.mark.parametrize("articulation", ARTICULATIONS)
def test_the_exact_form_of_every_articulation(articulation: str) -> None:
    assert read_name(articulation) == ShotName(articulation, None, 127, exact=True)
    assert read_name(f"{articulation}_p50_064") == ShotName(articulation, 50, 64, exact=True)


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("Kick-Hard", "kick, up to velocity 120"), ("808Kick", "kick"), ("BD0050", "kick"),
        ("Snare-Rim", "rimshot"), ("SideStick", "xstick"),
        ("sidestick soft", "xstick, up to velocity 64"),
        ("OpenHat", "hat_open"), ("HHClosed", "hat_closed"), ("hihat", "hat_closed"),
        ("drum_cymbal_pedal", "hat_pedal"), ("LowTom", "tom_low"), ("FloorTom", "tom_low"),
        ("hi_tom", "tom_high"), ("tom2", "tom_mid"),
        ("drum_tom_lo_hard", "tom_low, up to velocity 120"),
        ("crash_left", "crash_1"), ("Crash Right", "crash_2"), ("24Ride-1", "ride"),
        ("CrashRide", "ride"), ("RideBell", "ride_bell"), ("china", "splash_china"),
        ("drum_cowbell", "other, pitch 56"), ("Clap", "other, pitch 39"),
    ],
)  # fmt: skip
def test_words_of_sample_libraries(stem: str, expected: str) -> None:
    read = read_name(stem)
    assert str(read) == expected and read is not None and not read.exact


@pytest.mark.parametrize("stem", ["custom", "override", "notes", "take 3", "", "2024-01-01", "hit"])
def test_what_names_no_drum(stem: str) -> None:
    assert read_name(stem) is None


@pytest.mark.parametrize("stem", ["snare_0", "snare_128", "kick_p200"])
def test_exact_forms_that_midi_does_not_have(stem: str) -> None:
    with pytest.raises(ValueError, match=stem):
        read_name(stem)
