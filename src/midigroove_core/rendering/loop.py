"""Loops: whole bars whose end runs into their start.

The performance is played several times over and one round in the middle is taken, so what rings at
the end of the bars rings at their start, an open hat is closed by the first hit of the next round,
and a model hears what came before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from midigroove_core import bounds
from midigroove_core.audio import Audio
from midigroove_core.drum_reading import keep_hits
from midigroove_core.performance import DrumPerformance

RING_SEC = 4.0
"""So much is played before the round that is taken; shipped one-shots ring for 3 s at most."""

_SEAM_SEC = 0.01
_LATE_BARS = 1 / 32
"""A last hit so little behind a bar line closes the bars before it: players are a little late."""


@dataclass(frozen=True, eq=False)
class Loop:
    """A performance to play so that one round of it loops.

    Attributes:
        performance: the bars several times over.
        bars: in a round.
        rounds: how many times over.
        start, length: of the round to take, in samples.
        left_out: hits after the last bar.
    """

    performance: DrumPerformance
    bars: int
    rounds: int
    start: int
    length: int
    left_out: int

    def line(self, sample_rate: int) -> str:
        """How long the loop is."""
        plural = "" if self.bars == 1 else "s"
        rest = f"; {self.left_out} hits after it left out" if self.left_out else ""
        return f"loop: {self.bars} bar{plural}, {self.length / sample_rate:.3f} s{rest}"

    def cut(self, audio: Audio, sample_rate: int) -> Audio:
        """The round out of what was played [..., S]; its last moments lead into its first.

        An engine that draws by chance does not play every round alike, so the end fades over into
        what came before the round. A sampler plays them alike, and nothing changes.
        """
        seam = min(self.length, self.start, round(_SEAM_SEC * sample_rate))
        taken = audio[..., self.start : self.start + self.length].copy()
        rise = np.linspace(0.0, 1.0, seam, dtype=np.float32)
        before = audio[..., self.start - seam : self.start]
        taken[..., self.length - seam :] *= 1.0 - rise
        taken[..., self.length - seam :] += rise * before
        return taken

    def cut_blocks(self, blocks: Iterator[Audio]) -> Iterator[Audio]:
        """The round out of blocks [C, n] of an engine that plays every round alike."""
        at = 0
        for block in blocks:
            first, last = max(0, self.start - at), self.start + self.length - at
            at += block.shape[1]
            if first < min(last, block.shape[1]):
                yield block[:, first:last]


def make_loop(performance: DrumPerformance, sample_rate: int, bars: int | None = None) -> Loop:
    """The loop of a performance.

    Args:
        performance: starts on the first bar's downbeat.
        sample_rate: of what is played; a round is a whole number of its samples.
        bars: how many; None takes all up to the one with the last hit, without a last hit
            on a bar line, which belongs to the next round.

    Raises:
        InputError: `bars` is out of its bounds.
    """
    if bars is None:
        bar, place = performance.bar_position(performance.onset_sec)
        inside = bar[place > _LATE_BARS].max(initial=0) + 1
        bars = max(int(inside), int(bar.max(initial=0)))
    bounds.BARS.check("bars", bars)
    length = max(1, round(performance.bar_start_sec(bars) * sample_rate))
    length_sec = length / sample_rate
    before = -(-round(RING_SEC * sample_rate) // length)
    kept = keep_hits(performance, performance.onset_sec < length_sec - 0.5 / sample_rate)
    return Loop(
        _repeated(kept, before + 2, length_sec),
        bars,
        before + 2,
        before * length,
        length,
        performance.num_hits - kept.num_hits,
    )


def _repeated(performance: DrumPerformance, times: int, length_sec: float) -> DrumPerformance:
    """A performance so many times over, each `length_sec` long."""
    p, end_beats = performance, float(performance.seconds_to_beats(length_sec))
    inside = {
        "cc4": p.cc4_sec < length_sec,
        "choke": p.choke_sec < length_sec,
        "tempo": p.tempo_sec < length_sec,
        "meter": p.meter_beats < end_beats,
    }

    def tiled(name: str, group: str = "", step: float = 0.0) -> np.ndarray:
        values = getattr(p, name)
        values = values[inside[group]] if group else values
        return np.concatenate([values + round_ * step for round_ in range(times)] if step else
                              [values] * times)  # fmt: skip

    return replace(
        p,
        onset_sec=tiled("onset_sec", step=length_sec),
        duration_sec=tiled("duration_sec"),
        pitch=tiled("pitch"),
        velocity=tiled("velocity"),
        cc4_sec=tiled("cc4_sec", "cc4", length_sec),
        cc4_value=tiled("cc4_value", "cc4"),
        choke_sec=tiled("choke_sec", "choke", length_sec),
        choke_pitch=tiled("choke_pitch", "choke"),
        tempo_sec=tiled("tempo_sec", "tempo", length_sec),
        tempo_beats=tiled("tempo_beats", "tempo", end_beats),
        tempo_bpm=tiled("tempo_bpm", "tempo"),
        meter_beats=tiled("meter_beats", "meter", end_beats),
        meter_numerator=tiled("meter_numerator", "meter"),
        meter_denominator=tiled("meter_denominator", "meter"),
        end_sec=times * length_sec,
    )
