"""Where in its MIDI a recording begins."""

from __future__ import annotations

import numpy as np
import pytest

from midigroove_core.kits import sampler
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.metrics.placement import place
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance

RATE = 44_100


def groove(number: int) -> DrumPerformance:
    return load_midi(builtin_grooves()[number].path)


@pytest.fixture(scope="module")
def jazz() -> np.ndarray:
    return sampler.render(groove(3).slice(0.0, 40.0), load_kit("jazz"))


def test_a_part_is_found_to_five_milliseconds(jazz: np.ndarray) -> None:
    performance = groove(3)
    part = jazz[round(7.3 * RATE) : round(22.3 * RATE)]
    found = place(performance.onset_sec, performance.velocity, part, RATE)
    assert found.offset_sec == pytest.approx(7.3, abs=0.005)
    assert found.match > 0.75
    assert found.next_best < 0.9


def test_a_recording_that_begins_before_its_midi_has_a_negative_offset(jazz: np.ndarray) -> None:
    performance = groove(3)
    late = np.concatenate([np.zeros(RATE // 2, np.float32), jazz[: 15 * RATE]])
    found = place(performance.onset_sec, performance.velocity, late, RATE)
    assert found.offset_sec == pytest.approx(-0.5, abs=0.005)


def test_another_performance_fits_nowhere(jazz: np.ndarray) -> None:
    for number in (10, 25, 41):
        other = groove(number)
        assert place(other.onset_sec, other.velocity, jazz[: 20 * RATE], RATE).match < 0.5


def test_no_hits_is_an_error(jazz: np.ndarray) -> None:
    with pytest.raises(ValueError, match="without hits"):
        place(np.zeros(0), np.zeros(0, np.int64), jazz, RATE)
