"""What every grid featurizer has to do, as a pytest class to subclass."""

from __future__ import annotations

import json
from collections import Counter
from typing import ClassVar

import numpy as np
import pytest

from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.featurizer import GridFeaturizer
from midigroove_core.midi import DrumPerformance

CLOCKS = (FrameClock(32000, 640), FrameClock(44100, 512))


def performance(start_sec: float = 0.0, seconds: float = 12.0, seed: int = 0) -> DrumPerformance:
    """A dense performance with hat pedal, a tempo change and a change of meter at 4 s."""
    rng = np.random.default_rng(seed)
    pitches = (22, 26, 36, 37, 38, 40, 42, 43, 44, 45, 46, 48, 49, 51, 53, 55, 57)
    hits, pedals = int(12 * seconds), int(20 * seconds)
    onset = np.sort(rng.uniform(0, seconds, hits)) + start_sec
    return DrumPerformance(
        onset_sec=onset,
        duration_sec=np.full(hits, 0.1),
        pitch=rng.choice(pitches, hits),
        velocity=rng.integers(1, 128, hits),
        cc4_sec=np.sort(rng.uniform(0, seconds, pedals)) + start_sec,
        cc4_value=rng.integers(0, 128, pedals),
        tempo_sec=np.array([0.0, 4.0]),
        tempo_beats=np.array([0.0, 8.0]),
        tempo_bpm=np.array([120.0, 97.0]),
        meter_beats=np.array([0.0, 8.0]),
        meter_numerator=np.array([4, 6]),
        meter_denominator=np.array([4, 8]),
        end_sec=start_sec + seconds + 0.5,
    )


class FeaturizerContract:
    """Subclass with a fixture `featurizer`.

    Attributes:
        tolerance: largest difference between the values of one frame seen through two clips.
    """

    tolerance: ClassVar[float] = 1e-5

    @pytest.fixture
    def featurizer(self) -> GridFeaturizer:
        raise NotImplementedError("a subclass of FeaturizerContract needs a fixture featurizer")

    @pytest.fixture(params=CLOCKS, ids=["50 Hz", "86.13 Hz"])
    def clock(self, request: pytest.FixtureRequest) -> FrameClock:
        """The clocks on which the grids are laid."""
        return request.param

    def assert_same_frames(self, featurizer: GridFeaturizer, clock: FrameClock, at: float) -> None:
        """Clips that start anywhere show the same values in the frames that they share."""
        played = performance(start_sec=at)
        first = int(clock.split(at)[0]) - 20
        whole = featurizer.featurize(played, clock, first, 600).values
        assert np.abs(whole).max() > 0
        for offset in (1, 7, 30, 111, 256):
            clip = featurizer.featurize(played, clock, first + offset, 90).values
            difference = np.abs(clip - whole[:, offset : offset + 90])
            worst = featurizer.feature_names[int(difference.max(axis=1).argmax())]
            assert difference.max() <= self.tolerance, (
                f"row {worst} depends on where the clip starts (offset {offset})"
            )

    def test_shape_and_type(self, featurizer: GridFeaturizer, clock: FrameClock) -> None:
        grid = featurizer.featurize(performance(), clock, 5, 100)
        assert grid.values.shape == (len(featurizer.feature_names), 100)
        assert grid.values.dtype == np.float32 and np.isfinite(grid.values).all()
        assert grid.feature_names == featurizer.feature_names
        assert (grid.clock, grid.start_frame) == (clock, 5)

    def test_feature_names_are_unique(self, featurizer: GridFeaturizer) -> None:
        assert [n for n, count in Counter(featurizer.feature_names).items() if count > 1] == []
        assert featurizer.feature_names

    def test_config_round_trip(self, featurizer: GridFeaturizer) -> None:
        config = json.loads(json.dumps(featurizer.get_config()))
        again = type(featurizer).from_config(config)
        assert again.get_config() == featurizer.get_config()
        assert again.feature_names == featurizer.feature_names
        one, two = (f.featurize(performance(), CLOCKS[0], 0, 50) for f in (featurizer, again))
        assert np.array_equal(one.values, two.values)

    def test_unknown_argument_is_refused(self, featurizer: GridFeaturizer) -> None:
        with pytest.raises(MidigrooveError, match="no_such_argument"):
            type(featurizer).from_config({**featurizer.get_config(), "no_such_argument": 1})

    def test_same_frame_through_any_clip(
        self, featurizer: GridFeaturizer, clock: FrameClock
    ) -> None:
        """No stretched clock, no phantom hits at a clip's start, no state that restarts there."""
        self.assert_same_frames(featurizer, clock, at=0.0)

    def test_same_frame_after_ten_minutes(
        self, featurizer: GridFeaturizer, clock: FrameClock
    ) -> None:
        self.assert_same_frames(featurizer, clock, at=600.0)

    def test_a_hit_changes_its_own_frame_first(
        self, featurizer: GridFeaturizer, clock: FrameClock
    ) -> None:
        """A grid may know the past; the earliest frame that a hit changes is its own."""
        for onset in (0.0, 1.2345, 3.99, 601.0):
            with_hit, without = (
                DrumPerformance(
                    onset_sec=np.full(count, onset),
                    duration_sec=np.full(count, 0.1),
                    pitch=np.full(count, 38),
                    velocity=np.full(count, 90),
                    end_sec=onset + 1,
                )
                for count in (1, 0)
            )
            frame = int(clock.split(onset)[0])
            grids = [
                featurizer.featurize(p, clock, frame - 10, 30).values for p in (with_hit, without)
            ]
            changed = np.flatnonzero(np.abs(grids[0] - grids[1]).max(axis=0))
            assert changed.size and changed[0] == 10, f"hit at {onset} s, frame {frame}"

    def test_around_the_take(self, featurizer: GridFeaturizer, clock: FrameClock) -> None:
        """Clips may start before the take and end after it, and a take may have no hits."""
        before = featurizer.featurize(performance(), clock, -40, 20).values
        after = featurizer.featurize(performance(), clock, 5000, 20).values
        empty = DrumPerformance(
            onset_sec=np.zeros(0),
            duration_sec=np.zeros(0),
            pitch=np.zeros(0, dtype=np.int64),
            velocity=np.zeros(0, dtype=np.int64),
            end_sec=1.0,
        )
        none = featurizer.featurize(empty, clock, 0, 20).values
        for values in (before, after, none):
            assert values.shape[1] == 20 and np.isfinite(values).all()

    def test_performance_is_left_alone(self, featurizer: GridFeaturizer) -> None:
        played, kept = performance(), performance()
        featurizer.featurize(played, CLOCKS[0], 0, 200)
        for name in ("onset_sec", "pitch", "velocity", "cc4_sec", "cc4_value"):
            assert np.array_equal(getattr(played, name), getattr(kept, name))
