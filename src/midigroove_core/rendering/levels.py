"""Hits of a model as loud as the sampler plays them on the same kit.

A model has seen few very soft hits and none that are alone: it draws them too loud, or loses them.
Its mix is taken apart into groups of drums (`parting`), each group is turned up or down from hit to
hit, and the groups are added up again, so that what another drum rings beside a hit stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import Audio
from midigroove_core.rendering.parting import Guide, part

WINDOW_SEC = 0.08
"""A hit is as loud as what sounds for so long from its onset on, or up to its group's next hit."""

MOST_DB = 15.0
"""No hit is turned up or down by more: what was not drawn cannot be had by turning up."""

_LEAD_SEC = 0.004
"""Windows begin so long before the time of a hit; half of it is the ramp to another gain."""

_TOGETHER_SEC = 0.02
_SILENT = 1e-6
"""Energy (squared samples) below which there is no hit to be measured by."""

Samples = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Windows:
    """Where the hits of a group are listened to.

    Attributes:
        start, stop: [N] samples; each window ends where the next begins at the latest.
        trust: [N] in (0, 1]: windows cut short say less of a hit, whose gain is less in dB.
    """

    start: Samples
    stop: Samples
    trust: Floats

    @classmethod
    def of(cls, onset_sec: Floats, sample_rate: int) -> Windows:
        """Of hits at sorted times [N]; those that are struck together are one."""
        apart = np.diff(onset_sec, prepend=-np.inf) >= _TOGETHER_SEC
        start = np.round((onset_sec[apart] - _LEAD_SEC) * sample_rate).astype(np.int64)
        start = np.maximum(start, 0)
        longest = round(WINDOW_SEC * sample_rate)
        length = np.minimum(np.diff(start, append=np.iinfo(np.int64).max), longest)
        return cls(start, start + length, length / longest)


def leveled(
    mix: Audio, guide: Iterable[Audio], windows: Sequence[Windows], sample_rate: int
) -> Audio:
    """The mix with each hit as loud as in the guide.

    Args:
        mix: [C, S] float32, as a model plays it.
        guide: blocks [G, n] float32: what the sampler plays, group by group, as long as the mix.
        windows: [G] where the hits of each group are.
        sample_rate: of both.

    Returns:
        [C, S] float32.
    """
    heard: list[Audio] = []
    present = [len(found.start) > 0 for found in windows]
    parts = part(mix, Guide(_overheard(guide, heard), present, 1), sample_rate)
    longest = round(WINDOW_SEC * sample_rate)
    rest = np.zeros((len(present) * len(mix), longest), dtype=np.float32)
    gains = [np.ones(len(found.start) + 1) for found in windows]
    out, done = np.zeros_like(mix), 0
    own = np.zeros((len(rest), 0), dtype=np.float32)
    wanted = np.zeros((len(present), 0), dtype=np.float32)
    for block in chain(parts, [rest]):
        own = np.concatenate([own, block], axis=1)
        wanted = np.concatenate([wanted, *heard], axis=1)
        heard.clear()
        ready = max(0, own.shape[1] - longest)  # the hits until then have sounded long enough
        for group, found in enumerate(windows):
            apart = own.reshape(len(present), len(mix), -1)[group]
            first, last = np.searchsorted(found.start, (done, done + ready))
            new = slice(first, last)
            gains[group][first + 1 : last + 1] = _gains(apart, wanted[group], found, new, done)
            curve = _curve(gains[group], found.start, np.arange(done, done + ready), sample_rate)
            out[:, done : done + ready] += apart[:, :ready] * curve
        own, wanted, done = own[:, ready:], wanted[:, ready:], done + ready
    return out


def _overheard(blocks: Iterable[Audio], heard: list[Audio]) -> Iterator[Audio]:
    for block in blocks:
        heard.append(block)
        yield block


def _gains(own: Audio, wanted: Audio, windows: Windows, new: slice, done: int) -> Floats:
    """What the hits `new` are multiplied by; `own` [C, n] and `wanted` [n] begin at `done`."""
    start, stop = windows.start[new] - done, windows.stop[new] - done
    here = _energies(np.square(own, dtype=np.float64).mean(axis=0), start, stop)
    there = _energies(np.square(wanted, dtype=np.float64), start, stop)
    known = (here > 0.0) & (there > _SILENT)
    ratio_db = 10.0 * np.log10(np.where(known, there, 1.0) / np.where(known, here, 1.0))
    return 10.0 ** (np.clip(ratio_db, -MOST_DB, MOST_DB) * windows.trust[new] / 20.0)


def _energies(power: Floats, start: Samples, stop: Samples) -> Floats:
    whole = np.concatenate([[0.0], np.cumsum(power)])
    return whole[np.minimum(stop, len(power))] - whole[np.minimum(start, len(power))]


def _curve(gains: Floats, start: Samples, at: Samples, sample_rate: int) -> Audio:
    """The gain at samples `at`: `gains` [N + 1] begin with what is before the first hit."""
    ramp = max(1, round(_LEAD_SEC / 2 * sample_rate))
    times = np.stack([start, start + ramp], axis=1).ravel()
    values = np.stack([gains[:-1], gains[1:]], axis=1).ravel()
    curve = np.interp(at, times, values) if len(times) else np.ones(len(at))
    return curve.astype(np.float32)
