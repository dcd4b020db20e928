"""`DrumPerformance`: beats, bars, slices, arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.performance import DrumPerformance


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("onset_sec", np.nan), ("duration_sec", np.inf), ("pitch", 128), ("velocity", 0),
        ("tempo_bpm", np.nan), ("meter_denominator", 0), ("end_sec", np.nan),
    ],
)  # fmt: skip
def test_values_that_are_none(name: str, value: float) -> None:
    fields: dict[str, Any] = {
        "onset_sec": np.zeros(1), "duration_sec": np.zeros(1), "pitch": np.full(1, 36),
        "velocity": np.full(1, 100),
    }  # fmt: skip
    fields[name] = value if name == "end_sec" else np.array([value])
    with pytest.raises(InputError, match=name):
        DrumPerformance(**fields)


def make(onsets: list[float], **fields: object) -> DrumPerformance:
    n = len(onsets)
    values = {
        "onset_sec": np.array(onsets), "duration_sec": np.full(n, 0.1),
        "pitch": np.full(n, 36), "velocity": np.arange(1, n + 1), "end_sec": 100.0,
    }  # fmt: skip
    return DrumPerformance(**{**values, **fields})  # type: ignore[arg-type]


TWO_TEMPI = {
    "tempo_sec": np.array([0.0, 2.0]),
    "tempo_beats": np.array([0.0, 4.0]),
    "tempo_bpm": np.array([120.0, 60.0]),
}
CHANGING_METER = {
    "meter_beats": np.array([0.0, 6.0, 9.0]),  # 4/4 cut short after 6 beats, one 3/4 bar, 6/8
    "meter_numerator": np.array([4, 3, 6]),
    "meter_denominator": np.array([4, 4, 8]),
}


def test_beats_and_seconds_are_inverse_over_a_tempo_change() -> None:
    p = make([], **TWO_TEMPI)
    seconds = np.array([-1.0, 0.0, 1.0, 2.0, 3.5, 50.0])
    beats = p.seconds_to_beats(seconds)
    assert beats.tolist() == [-2.0, 0.0, 2.0, 4.0, 5.5, 52.0]
    np.testing.assert_allclose(p.beats_to_seconds(beats), seconds, atol=1e-12)
    assert p.bpm_at(seconds).tolist() == [120, 120, 120, 60, 60, 60]
    assert p.mean_bpm == pytest.approx(102 * 60 / 100)
    assert float(p.seconds_to_beats(1.0)) == 2.0


def test_bar_position_follows_the_meter() -> None:
    p = make([], tempo_bpm=np.array([60.0]), **CHANGING_METER)
    bar, position = p.bar_position(np.array([0.0, 3.0, 4.0, 5.9, 6.0, 7.5, 9.0, 10.5, 12.0]))
    assert bar.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    np.testing.assert_allclose(position, [0, 0.75, 0, 0.475, 0, 0.5, 0, 0.5, 0], atol=1e-9)


def test_downbeats_are_downbeats_whatever_the_rounding() -> None:
    p = make([], tempo_bpm=np.array([97.3]))
    downbeats = p.beats_to_seconds(np.arange(2000) * 4.0)
    bar, position = p.bar_position(downbeats)
    np.testing.assert_array_equal(bar, np.arange(2000))
    assert position.max() < 1e-6


def test_a_slice_keeps_hits_tempo_pedal_and_place_in_the_bar() -> None:
    p = make(
        [0.5, 1.4, 1.5, 3.0, 4.0], cc4_sec=np.array([0.1, 1.0, 2.0]),
        cc4_value=np.array([10, 90, 40]), **TWO_TEMPI, **CHANGING_METER,
    )  # fmt: skip
    part = p.slice(1.45, 4.0)
    np.testing.assert_allclose(part.onset_sec, [0.05, 1.55])
    assert part.velocity.tolist() == [3, 4]
    assert part.cc4_value.tolist() == [90, 40]
    np.testing.assert_allclose(part.cc4_sec, [0.0, 0.55])
    assert part.end_sec == pytest.approx(2.55)
    times = np.array([0.0, 0.3, 0.55, 1.0, 2.5])
    np.testing.assert_allclose(
        part.seconds_to_beats(times), p.seconds_to_beats(times + 1.45) - p.seconds_to_beats(1.45)
    )
    np.testing.assert_allclose(part.bar_position(times)[1], p.bar_position(times + 1.45)[1])


def test_a_slice_has_no_phantom_hit_of_a_note_still_sounding() -> None:
    part = make([0.95, 1.0]).slice(1.0, 2.0)
    assert part.onset_sec.tolist() == [0.0]
    assert make([0.95]).slice(1.0, 2.0).num_hits == 0


def test_slices_of_slices_agree() -> None:
    p = make(list(np.arange(40) * 0.37), **TWO_TEMPI, **CHANGING_METER)
    once, twice = p.slice(3.0, 9.0), p.slice(1.0, 12.0).slice(2.0, 8.0)
    for name, array in once.to_arrays().items():
        np.testing.assert_allclose(twice.to_arrays()[name], array, atol=1e-9, err_msg=name)


def test_arrays_round_trip_exactly() -> None:
    p = make([0.1, 1 / 3], **TWO_TEMPI, **CHANGING_METER)
    arrays = p.to_arrays()
    again = DrumPerformance.from_arrays(arrays)
    for name, array in arrays.items():
        assert array.ndim == 1
        np.testing.assert_array_equal(again.to_arrays()[name], array)
    del arrays["pitch"]
    with pytest.raises(InputError, match="pitch"):
        DrumPerformance.from_arrays(arrays)


def test_wrong_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="onset_sec is not sorted"):
        make([1.0, 0.5])
    with pytest.raises(InputError, match="differ in length"):
        make([1.0], pitch=np.array([36, 38]))
