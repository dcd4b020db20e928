"""Both built-in featurizers, and the baseline's known mistakes that they must not repeat."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.builtin.frame_hits import hat_steps
from midigroove_core.builtin.paper_grid import PaperGrid
from midigroove_core.clock import FrameClock
from midigroove_core.drums import ARTICULATIONS
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.featurizer import Grid, GridFeaturizer
from midigroove_core.midi import DrumPerformance
from midigroove_core.testing import FeaturizerContract

CLOCKS = [FrameClock(32000, 640), FrameClock(44100, 512)]
FEATURIZERS = [ExpressiveGrid, PaperGrid]


def performance(
    onsets: list[float], pitches: list[int] | None = None, gate_sec: float = 0.1, **more: object
) -> DrumPerformance:
    count = len(onsets)
    return DrumPerformance(
        onset_sec=np.array(onsets),
        duration_sec=np.full(count, gate_sec),
        pitch=np.array(pitches or [36] * count, dtype=np.int64),
        velocity=np.array([100] * count, dtype=np.int64),
        end_sec=max(onsets, default=0.0) + 1.0,
        **more,  # type: ignore[arg-type]
    )


def busy(seconds: float = 620.0) -> DrumPerformance:
    """Hits and pedal moves at random times, with a change of tempo and of meter."""
    rng = np.random.default_rng(7)
    hits = int(8 * seconds)
    return DrumPerformance(
        onset_sec=np.sort(rng.uniform(0, seconds, hits)),
        duration_sec=np.full(hits, 0.1),
        pitch=rng.choice([36, 38, 40, 37, 42, 46, 44, 26, 51, 53, 49, 60], hits),
        velocity=rng.integers(1, 128, hits),
        cc4_sec=np.sort(rng.uniform(1.0, seconds, 1000)),
        cc4_value=rng.integers(0, 128, 1000),
        tempo_sec=np.array([0.0, 60.0]),
        tempo_beats=np.array([0.0, 120.0]),
        tempo_bpm=np.array([120.0, 93.0]),
        meter_beats=np.array([0.0, 40.0]),
        meter_numerator=np.array([4, 7]),
        meter_denominator=np.array([4, 8]),
        end_sec=seconds,
    )


def row(grid: Grid, name: str) -> NDArray[np.float32]:
    return grid.values[grid.feature_names.index(name)]


def hit_row(grid: Grid, drum: str) -> NDArray[np.float32]:
    kind = "onset" if f"onset/{drum}" in grid.feature_names else "hit"
    return row(grid, f"{kind}/{drum}")


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("featurizer_class", FEATURIZERS)
def test_a_frame_looks_the_same_through_every_clip(
    featurizer_class: type[GridFeaturizer], clock: FrameClock
) -> None:
    featurizer, played = featurizer_class(), busy()
    ten_minutes = int(600 * clock.frame_rate)
    for first in (-7, 0, 500, ten_minutes):
        whole = featurizer.featurize(played, clock, first, 400).values
        assert np.abs(whole).sum() > 0
        for skip in (1, 13, 250):
            part = featurizer.featurize(played, clock, first + skip, 100).values
            np.testing.assert_allclose(part, whole[:, skip : skip + 100], atol=1e-6)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("featurizer_class", FEATURIZERS)
def test_no_clip_begins_with_hits_of_sounding_notes(
    featurizer_class: type[GridFeaturizer], clock: FrameClock
) -> None:
    """Known mistake 2: a note that sounds at the clip's start was laid down as a hit."""
    featurizer = featurizer_class()
    played = performance([1.0], [38], gate_sec=0.5)
    start = int(1.2 * clock.frame_rate)
    grid = featurizer.featurize(played, clock, start, 100)
    onset_rows = [i for i, n in enumerate(grid.feature_names) if n.startswith(("onset", "hit/"))]
    assert grid.values[onset_rows].sum() == 0
    assert ((played.onset_sec < 1.2) & (played.onset_sec + played.duration_sec > 1.2)).any()


@pytest.mark.parametrize("clock", CLOCKS)
def test_hits_keep_their_exact_time_after_ten_minutes(clock: FrameClock) -> None:
    """Known mistakes 1 and 4: a stretched clock, and hits rounded to frames."""
    featurizer = ExpressiveGrid()
    onsets = [0.0, 0.053, 3.9, 123.456789, 600.0, 612.3456]
    played = performance(onsets)
    for onset in onsets:
        start = max(0, int(onset * clock.frame_rate) - 37)
        grid = featurizer.featurize(played, clock, start, 60)
        found = np.flatnonzero(row(grid, "onset/kick"))
        position = start + found + row(grid, "offset/kick")[found]
        seconds = clock.frames_to_seconds(position)
        assert np.abs(seconds - onset).min() < 1e-6
    # What the baseline did with a 3.9 s window: frames per second = ceil(frames) / window.
    window_sec = 3.905
    stretched = clock.num_frames(clock.seconds_to_samples(window_sec)) / window_sec
    assert abs(3.9 * stretched - clock.seconds_to_frames(3.9)) * float(1 / clock.frame_rate) > 1e-4


def test_two_drums_in_one_frame_keep_their_order_and_distance() -> None:
    """Known mistake 4: 31 % of hits share a 20 ms frame with another one."""
    clock = CLOCKS[0]
    grid = ExpressiveGrid().featurize(performance([1.001, 1.018], [36, 38]), clock, 50, 1)
    assert row(grid, "onset/kick")[0] == row(grid, "onset/snare")[0] == 1
    flam_sec = (row(grid, "offset/snare")[0] - row(grid, "offset/kick")[0]) * 0.02
    assert flam_sec == pytest.approx(0.017, abs=1e-6)


def test_two_hits_of_one_drum_in_one_frame() -> None:
    clock = CLOCKS[0]
    played = DrumPerformance(
        onset_sec=np.array([1.002, 1.014]),
        duration_sec=np.full(2, 0.1),
        pitch=np.array([38, 38]),
        velocity=np.array([40, 110]),
        end_sec=2.0,
    )
    grid = ExpressiveGrid().featurize(played, clock, 50, 3)
    assert row(grid, "onset/snare").tolist() == [2, 0, 0]
    assert row(grid, "velocity/snare")[0] == pytest.approx(110 / 127)
    assert row(grid, "offset/snare")[0] == pytest.approx(0.1, abs=1e-6)
    assert row(grid, "last_velocity/snare")[2] == pytest.approx(110 / 127)
    paper = PaperGrid().featurize(played, clock, 50, 3)
    assert row(paper, "hit/snare").tolist() == [1, 0, 0]
    assert row(paper, "velocity/snare")[0] == pytest.approx(110 / 127)


def test_paper_grid_has_soft_hits_and_switches() -> None:
    clock = CLOCKS[0]
    played = performance([1.001, 1.021], [38, 38])
    soft = PaperGrid(soft_hits=True, velocity=False, sustain=False, pedal=False)
    assert soft.feature_names == (
        *(n for n in PaperGrid().feature_names if "hit/" in n),
        "bar_position",
    )
    bump = np.exp(-0.5 * np.array([2, 1, 0, 0, 1, 2]) ** 2.0)
    grid = soft.featurize(played, clock, 46, 10)
    np.testing.assert_allclose(row(grid, "hit/snare"), [0, 0, *bump, 0, 0], atol=1e-6)
    after = soft.featurize(played, clock, 52, 3)  # after the hits: what reaches in
    np.testing.assert_allclose(row(after, "hit/snare"), [*bump[4:], 0], atol=1e-6)
    assert PaperGrid.from_config(soft.get_config()).feature_names == soft.feature_names
    with pytest.raises(MidigrooveError, match="paper_grid: sustain must be true or false, got 1"):
        PaperGrid(sustain=1)  # type: ignore[arg-type]


def test_tails_of_hits_before_the_clip_are_visible() -> None:
    """Known mistake 3: a clip that starts on the beat must still know what rings into it."""
    clock = CLOCKS[1]
    played = performance([0.99], [49])
    grid = ExpressiveGrid().featurize(played, clock, int(1.0 * clock.frame_rate), 600)
    recency = row(grid, "recency/crash_1")
    assert row(grid, "onset/crash_1").sum() == 0
    assert recency[0] > 0.6
    assert np.all(np.diff(recency) <= 0) and recency[-1] == 0
    tail = recency > 0
    np.testing.assert_allclose(row(grid, "last_velocity/crash_1")[tail], 100 / 127, rtol=1e-6)
    assert np.all(row(grid, "last_velocity/crash_1")[~tail] == 0)


def test_articulations_keep_their_own_lanes() -> None:
    """Known mistake 5: the 9-class map merges pedal with closed hat, cross-stick with snare."""
    pitches = [36, 38, 40, 37, 48, 45, 43, 42, 46, 44, 49, 57, 52, 51, 53, 54]
    onsets = [0.5 + 0.1 * i for i in range(len(pitches))]
    played = performance(onsets, pitches)
    expressive = ExpressiveGrid(drum_map="roland_td").featurize(played, CLOCKS[0], 0, 200)
    lanes = {a for a in ARTICULATIONS if row(expressive, f"onset/{a}").sum() == 1}
    assert set(ARTICULATIONS) - lanes == {"splash_china", "crash_2"}  # 52 and 57: crash 2 on a TD
    assert row(expressive, "onset/crash_2").sum() == 2
    paper = PaperGrid().featurize(played, CLOCKS[0], 0, 200)
    assert row(paper, "hit/hat_closed").sum() == 2 and row(paper, "hit/snare").sum() == 3


def test_pedal_is_read_with_its_plateau_and_carried_into_the_clip() -> None:
    """Known mistake 6: value / 127, restarted at 0 in each window, polarity guessed."""
    played = performance(
        [0.5],
        [42],
        cc4_sec=np.array([0.1, 5.0, 9.0]),
        cc4_value=np.array([45, 127, 0]),
    )
    clock = CLOCKS[0]
    for featurizer in (ExpressiveGrid(), PaperGrid()):
        carried = row(featurizer.featurize(played, clock, 200, 10), "hat_openness")
        np.testing.assert_allclose(carried, 0.5)  # held since 0.1 s; the old way: 0
        closed = row(featurizer.featurize(played, clock, 300, 10), "hat_openness")
        np.testing.assert_allclose(closed, 0.0)  # 127 is as closed as 90; the old way: 1 = open
        opened = row(featurizer.featurize(played, clock, 449, 3), "hat_openness")
        np.testing.assert_allclose(opened, [0, 1, 1])


def test_without_a_pedal_the_hits_say_how_open_the_hat_is() -> None:
    played = performance([1.0, 2.0, 3.0, 4.0], [38, 46, 44, 26])
    grid = ExpressiveGrid().featurize(played, CLOCKS[0], 0, 250)
    openness = row(grid, "hat_openness")
    assert [openness[int(50 * t)] for t in (0.0, 1.5, 2.0, 2.9, 3.0, 3.5, 4.2)] == [
        0, 0, 1, 1, 0, 0, 1,
    ]  # fmt: skip
    time, _ = hat_steps(
        performance([1.0], [46], cc4_sec=np.array([0.5]), cc4_value=np.array([90])),
        np.array(["hat_open"], dtype=object),
    )
    assert time.tolist() == [-np.inf, 0.5]  # once the pedal speaks, the hits do not


@pytest.mark.parametrize("clock", CLOCKS)
def test_bar_position_is_that_of_the_real_bar(clock: FrameClock) -> None:
    """Known mistake 8: time from the window's start was called beat position."""
    played = performance(
        [0.0],
        tempo_bpm=np.full(1, 90.0),
        meter_numerator=np.full(1, 6),
        meter_denominator=np.full(1, 8),
    )
    bar_sec = 3 * 60 / 90
    start = int(100.3 * clock.frame_rate)
    grid = ExpressiveGrid().featurize(played, clock, start, 300)
    seconds = clock.frames_to_seconds(np.arange(start, start + 300))
    angle = np.arctan2(row(grid, "bar_sin"), row(grid, "bar_cos")) / (2 * np.pi)
    error = (angle - seconds / bar_sec + 0.5) % 1.0 - 0.5
    assert np.abs(error).max() < 1e-4
    beat = np.arctan2(row(grid, "beat_sin"), row(grid, "beat_cos")) / (2 * np.pi)
    assert np.abs((beat - seconds * 1.5 + 0.5) % 1.0 - 0.5).max() < 1e-4
    np.testing.assert_allclose(row(grid, "log_tempo"), np.log2(0.75), atol=1e-6)
    paper = row(PaperGrid().featurize(played, clock, start, 300), "bar_position")
    np.testing.assert_allclose(paper, (seconds / bar_sec) % 1.0, atol=1e-4)
    from_window = (np.arange(300) / 300) % 1.0
    assert np.abs(from_window - paper).max() > 0.1


def test_meter_rows_agree_with_the_performance_across_changes() -> None:
    played, clock = busy(100.0), CLOCKS[1]
    frames = np.arange(-50, int(90 * clock.frame_rate))
    grid = ExpressiveGrid().featurize(played, clock, -50, len(frames))
    seconds = clock.frames_to_seconds(frames)
    _, bar = played.bar_position(seconds)
    beat = played.seconds_to_beats(seconds)
    for name, phase in (("bar", bar), ("beat", beat)):
        np.testing.assert_allclose(row(grid, f"{name}_sin"), np.sin(2 * np.pi * phase), atol=1e-5)
        np.testing.assert_allclose(row(grid, f"{name}_cos"), np.cos(2 * np.pi * phase), atol=1e-5)
    np.testing.assert_allclose(row(grid, "log_tempo"), np.log2(played.bpm_at(seconds) / 120))


def test_no_hit_is_lost_and_every_value_is_bounded() -> None:
    played = busy(60.0)
    for clock in CLOCKS:
        grid = ExpressiveGrid().featurize(played, clock, 0, clock.num_frames(61 * 44100))
        onsets = sum(row(grid, f"onset/{a}").sum() for a in ARTICULATIONS)
        assert onsets == played.num_hits
        assert np.isfinite(grid.values).all()
        bounded = [i for i, n in enumerate(grid.feature_names) if not n.startswith("onset")]
        assert np.abs(grid.values[bounded]).max() <= 1.0


def test_paper_sustain_covers_the_gate() -> None:
    played = performance([1.0, 1.05], [38, 40], gate_sec=0.1)
    grid = PaperGrid().featurize(played, CLOCKS[0], 48, 12)
    assert row(grid, "sustain/snare").tolist() == [0] * 2 + [1] * 8 + [0] * 2
    inside = PaperGrid().featurize(played, CLOCKS[0], 53, 2)
    assert row(inside, "sustain/snare").tolist() == [1, 1]


@pytest.mark.parametrize("featurizer_class", FEATURIZERS)
def test_config_round_trip_and_drum_maps(featurizer_class: type[GridFeaturizer]) -> None:
    plain = featurizer_class()
    config = plain.get_config()
    assert config["drum_map"] == "roland_td"
    custom = featurizer_class.from_config({"drum_map": {"60": "kick", "61": "hat_open"}})
    assert custom.get_config() == {**config, "drum_map": {"60": "kick", "61": "hat_open"}}
    played = performance([0.5, 0.6], [60, 61])
    grid = custom.featurize(played, CLOCKS[0], 0, 50)
    assert hit_row(grid, "kick")[25] == 1 and hit_row(grid, "hat_open")[30] == 1
    assert hit_row(plain.featurize(played, CLOCKS[0], 0, 50), "kick").sum() == 0
    with pytest.raises(MidigrooveError, match="no drum map"):
        featurizer_class.from_config({"drum_map": "tablature"})
    with pytest.raises(MidigrooveError, match="no argument .resolution.; it takes drum_map"):
        featurizer_class.from_config({"resolution": 2})


@pytest.mark.parametrize("featurizer_class", FEATURIZERS)
def test_a_performance_without_hits(featurizer_class: type[GridFeaturizer]) -> None:
    grid = featurizer_class().featurize(performance([]), CLOCKS[1], -3, 20)
    onset_rows = [i for i, n in enumerate(grid.feature_names) if "/" in n]
    assert grid.values[onset_rows].sum() == 0 and grid.start_frame == -3
    assert featurizer_class().featurize(performance([1.0]), CLOCKS[1], 5, 0).values.shape[1] == 0


class TestExpressiveGrid(FeaturizerContract):
    @pytest.fixture
    def featurizer(self) -> GridFeaturizer:
        return ExpressiveGrid()


class TestPaperGrid(FeaturizerContract):
    @pytest.fixture
    def featurizer(self) -> GridFeaturizer:
        return PaperGrid(drum_map="gm")
