"""What every metric has to do, as a pytest class to subclass."""

from __future__ import annotations

import re

import numpy as np
import pytest

from midigroove_core.interfaces.metric import Metric
from midigroove_core.performance import DrumPerformance
from midigroove_core.testing.embedding_contract import drum_clip


def _hits(number: int) -> DrumPerformance:
    """Eight a second, as `drum_clip` has them."""
    return DrumPerformance(
        onset_sec=np.arange(number) / 8,
        duration_sec=np.full(number, 0.1),
        pitch=np.full(number, 38),
        velocity=np.full(number, 90),
        end_sec=2.0,
    )


class MetricContract:
    """Subclass with a fixture `metric`."""

    @pytest.fixture
    def metric(self) -> Metric:
        raise NotImplementedError("a subclass of MetricContract needs a fixture metric")

    def test_facts(self, metric: Metric) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", metric.metric_id)
        assert metric.label and metric.note
        assert "\n" not in metric.label + metric.unit + metric.note
        assert metric.better in ("higher", "lower", "zero")

    def test_it_is_made_without_arguments(self, metric: Metric) -> None:
        assert type(metric)().metric_id == metric.metric_id

    @pytest.mark.parametrize("sample_rate", [16000, 44100])
    def test_a_number_at_any_rate(self, metric: Metric, sample_rate: int) -> None:
        clip = drum_clip(sample_rate)
        assert np.isfinite(float(metric.measure(clip, clip.copy(), sample_rate, _hits(16))))

    def test_same_clip_same_figure(self, metric: Metric) -> None:
        """Bit for bit: whatever came before, and whatever the global generators hold."""
        clip, other = drum_clip(32000), drum_clip(32000, seed=1)
        np.random.seed(0)
        first = metric.measure(clip, other, 32000, _hits(16))
        metric.measure(other, other, 32000, _hits(3))
        np.random.seed(1)
        assert metric.measure(clip, other, 32000, _hits(16)) == first

    def test_the_recording_itself_is_better_than_noise(self, metric: Metric) -> None:
        clip = drum_clip(32000)
        noise = np.random.default_rng(0).normal(0, clip.std(), len(clip)).astype(np.float32)
        own, other = (float(metric.measure(a, clip, 32000, _hits(16))) for a in (clip, noise))
        if metric.better == "higher":
            assert own > other
        elif metric.better == "lower":
            assert own < other
        else:
            assert abs(own) < abs(other)

    @pytest.mark.parametrize("hits", [0, 16])
    def test_silence_raises_nothing(self, metric: Metric, hits: int) -> None:
        """A row is silence, and clips may be: a number, or NaN where there is none to give."""
        clip = drum_clip(32000)
        silence = np.zeros_like(clip)
        for audio, reference in ((silence, clip), (clip, silence), (silence, silence)):
            assert not np.isinf(float(metric.measure(audio, reference, 32000, _hits(hits))))
