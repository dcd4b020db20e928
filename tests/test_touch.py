"""Swing, velocity curves and luck: what moves, what stays, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.luck import hit_luck, normal_luck
from midigroove_core.performance import DrumPerformance
from midigroove_core.touch import Humanize, Swing, Touch, VelocityCurve, read_part


def steps(count: int = 16, step_sec: float = 0.125, **fields: object) -> DrumPerformance:
    """16th notes at 120 bpm."""
    onset = np.arange(count) * step_sec
    return DrumPerformance(
        onset, np.full(count, 0.1), np.full(count, 42), np.full(count, 64),
        **({"end_sec": count * step_sec} | fields),
    )  # fmt: skip


def test_luck_is_even_and_a_hits_own() -> None:
    onset, pitch = np.arange(20_000) / 8.0, np.full(20_000, 38)
    luck = hit_luck(onset, pitch, seed=1, stream=1)
    assert luck.min() > 0 and luck.max() < 1
    assert np.histogram(luck, 10, (0, 1))[0] == pytest.approx(2000, abs=200)
    assert abs(np.corrcoef(luck[1:], luck[:-1])[0, 1]) < 0.03
    assert np.array_equal(luck[5:9], hit_luck(onset[5:9], pitch[5:9], seed=1, stream=1))
    for other in (
        hit_luck(onset, pitch, seed=2, stream=1),
        hit_luck(onset, pitch, seed=1, stream=2),
        hit_luck(onset, pitch + 1, seed=1, stream=1),
    ):
        assert abs(np.corrcoef(luck, other)[0, 1]) < 0.03
    normal = normal_luck(onset, pitch, seed=2**63 - 1, stream=1)
    assert normal.mean() == pytest.approx(0, abs=0.03) and normal.std() == pytest.approx(
        1, abs=0.03
    )


def test_humanize_moves_by_what_is_asked_and_sorts() -> None:
    played = steps(4000)
    touched = Touch(humanize=Humanize(time_ms=8, velocity=6)).apply(played, seed=3)
    shift = touched.onset_sec - played.onset_sec  # 8 ms never reach the next 16th
    assert shift[1:].std() == pytest.approx(0.008, rel=0.05) and np.abs(shift).max() <= 0.02 + 1e-9
    assert (touched.velocity - 64).std() == pytest.approx(6, rel=0.06)
    assert touched.onset_sec[0] >= 0 and touched.end_sec >= played.end_sec
    again = Touch(humanize=Humanize(time_ms=8, velocity=6)).apply(played, seed=3)
    assert np.array_equal(touched.onset_sec, again.onset_sec)
    other = Touch(humanize=Humanize(time_ms=8)).apply(played, seed=4)
    assert not np.array_equal(touched.onset_sec, other.onset_sec)
    assert np.array_equal(other.velocity, played.velocity)


def test_an_edit_leaves_the_luck_of_other_hits() -> None:
    played = steps(16)
    fewer = replace(
        played, onset_sec=played.onset_sec[1:], duration_sec=played.duration_sec[1:],
        pitch=played.pitch[1:], velocity=played.velocity[1:],
    )  # fmt: skip
    touch = Touch(humanize=Humanize(time_ms=5, velocity=9))
    whole, part = touch.apply(played, 1), touch.apply(fewer, 1)
    assert np.array_equal(whole.onset_sec[1:], part.onset_sec)
    assert np.array_equal(whole.velocity[1:], part.velocity)


def test_swing_moves_every_second_note_and_nothing_else() -> None:
    played = steps(16, cc4_sec=np.array([0.125, 0.25]), cc4_value=np.array([10, 100]))
    swung = Touch(swing=Swing(60)).apply(played)
    assert swung.onset_sec[0::2] == pytest.approx(played.onset_sec[0::2])
    assert swung.onset_sec[1::2] == pytest.approx(played.onset_sec[1::2] + 0.1 * 0.25)
    assert swung.cc4_sec == pytest.approx([0.15, 0.25])
    eighths = Touch(swing=Swing(200 / 3, notes=8)).apply(played)
    assert eighths.onset_sec[:5] == pytest.approx([0, 1 / 6, 1 / 3, 5 / 12, 0.5])
    assert np.array_equal(Touch(swing=Swing(50)).apply(played).onset_sec, played.onset_sec)


def test_swing_starts_anew_in_each_bar_and_follows_the_tempo() -> None:
    odd = steps(14, 0.25, meter_numerator=np.array([7]), meter_denominator=np.array([8]))
    swung = Touch(swing=Swing(60, notes=8)).apply(odd)  # seven 8ths: the last has no partner
    late = np.flatnonzero(swung.onset_sec - odd.onset_sec > 1e-9)
    assert late.tolist() == [1, 3, 5, 8, 10, 12]
    slower = steps(
        16, tempo_sec=np.array([0.0, 1.0]), tempo_beats=np.array([0.0, 2.0]),
        tempo_bpm=np.array([120.0, 60.0]),
    )  # fmt: skip
    onset = slower.beats_to_seconds(np.arange(16) / 4)
    swung = Touch(swing=Swing(60)).apply(replace(slower, onset_sec=onset, end_sec=4.0))
    assert swung.onset_sec[9] - onset[9] == pytest.approx(0.05)


def test_velocity_curves() -> None:
    played = replace(steps(3), velocity=np.array([1, 64, 127]))
    assert Touch(velocity_curve=VelocityCurve(0.5)).apply(played).velocity.tolist() == [11, 90, 127]
    points = VelocityCurve(points=((1, 20), (64, 80), (127, 110)))
    assert Touch(velocity_curve=points).apply(played).velocity.tolist() == [20, 80, 110]
    assert np.all(np.diff(VelocityCurve(3).table()) >= 0) and VelocityCurve(3).table()[1] == 1


def test_texts() -> None:
    assert Humanize.from_text("time=8, velocity=6") == Humanize(8, 6)
    assert Humanize.from_text("velocity=3") == Humanize(0, 3)
    assert Swing.from_text("58") == Swing(58) and Swing.from_text("62%/8th") == Swing(62, 8)
    assert VelocityCurve.from_text("0.7") == VelocityCurve(0.7)
    assert VelocityCurve.from_text("127=110,1=20") == VelocityCurve(points=((1, 20), (127, 110)))
    assert read_part(Swing, 60) == Swing(60) and read_part(Swing, None) is None


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (Humanize, "timing=8", "did you mean time"), (Humanize, "8", "time=8,velocity=6"),
        (Humanize, "time=x", "'x' is no number"), (Humanize, "time=nan", "time must be a number"),
        (Humanize, "velocity=99", "from 0 to 64"), (Swing, "40", "from 50 to 75"),
        (Swing, "60/12", "8 or 16"), (Swing, "much", "'much' is no number"),
        (VelocityCurve, "0", "from 0.1 to 10"), (VelocityCurve, "1=20,1=30", "each once"),
        (VelocityCurve, "0=20", "from 1 to 127"), (VelocityCurve, "1=,2=3", "'' is no number"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_one_line(kind: type, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        kind.from_text(text)
    with pytest.raises(InputError):
        read_part(kind, [text])
