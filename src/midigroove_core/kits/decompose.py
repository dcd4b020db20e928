"""What each hit of a recording sounds like by itself, where it is known what is struck when.

The power spectrogram of the recording is taken for a sum: each hit adds the template of its drum,
as strong as its velocity says. A template begins as what is the least after any hit of the drum,
since that much can be its own and no more, and is brought nearer to the recording by a few
multiplicative updates (Kullback-Leibler). More of them fit the recording better and the drums
worse: what the drums do not explain goes wherever it fits. A struck drum only decays, so templates
may not rise again once the attack is over.

Non-negative matrix factor deconvolution (Smaragdis, "Non-negative Matrix Factor Deconvolution",
ICA 2004, https://doi.org/10.1007/978-3-540-30110-3_63) with hits that are known, as Dittmar and
Mueller, "Reverse Engineering the Amen Break: Score-informed Separation and Restoration Applied to
Drum Recordings", IEEE/ACM TASLP 24(9), 2016, https://doi.org/10.1109/TASLP.2016.2567645.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from midigroove_core.kits.oneshots import SAMPLE_RATE, VELOCITY_POWER, Audio

_FFT, _HOP = 2048, 512
_LEAD = _FFT // (2 * _HOP)
"""Frames before an onset's own whose window reaches it."""

_ATTACK = round(0.1 * SAMPLE_RATE / _HOP)
"""Frames after the onset in which a drum may still get louder."""

_NEAR = (3, 3)
"""Frames and bins over which powers are averaged before the least is taken, or what decays: noise
has powers that are now and then next to nothing, which tells nothing of its level."""

_UPDATES = 3
_FLOOR = 1e-12
"""Of power, against the loudest of the recording."""

_MARGIN = 4

Power = NDArray[np.float32]


@dataclass(frozen=True)
class Struck:
    """A hit of a recording.

    Attributes:
        drum: which template it has; any name.
        onset_sec: from the recording's start.
        velocity: 1 to 127.
        ring_sec: until when it is heard at most, from its onset.
    """

    drum: str
    onset_sec: float
    velocity: int
    ring_sec: float


class Decomposition:
    """A recording as the sum of its hits.

    Args:
        audio: [S] float32 at `oneshots.SAMPLE_RATE`; memory is 4 MB a second.
        hits: all that is struck in it.

    Attributes:
        hits: as given.
    """

    def __init__(self, audio: Audio, hits: Sequence[Struck]) -> None:
        self.hits = hits
        self._audio = audio = _stretch(audio, 0, max(len(audio), _FFT))
        self._power = np.square(np.abs(_spectrum(audio)))  # [T, F]
        self._floor = np.float32(max(float(self._power.max()) * _FLOOR, 1e-20))
        self._places = [self._place(hit) for hit in hits]
        self._templates = self._least()
        for _ in range(_UPDATES):
            self._update()
        self._sum = self._played()

    def is_whole(self, hit: int) -> bool:
        """Whether the recording goes on for as long as the hit rings."""
        struck = self.hits[hit]
        return struck.onset_sec + struck.ring_sec <= len(self._audio) / SAMPLE_RATE

    def share(self, hit: int) -> float:
        """How much of the power in its attack is a hit's own, 0 to 1."""
        place = self._places[hit].until(_LEAD + _ATTACK)
        own, both = self._own(hit, place), self._sum[place.frames]
        return float(own.sum(dtype=np.float64) / max(both.sum(dtype=np.float64), 1e-30))

    def alone(self, hit: int, lead_sec: float) -> Audio:
        """A hit as it sounds by itself [S], from so long before its onset on.

        It has the phases of the recording, and no more power than the recording has there.
        """
        place = self._places[hit]
        first = place.frames.start - _MARGIN
        count = place.frames.stop - first + _MARGIN
        heard = _spectrum(_stretch(self._audio, first * _HOP, (count - 1) * _HOP))[:count]
        gain = np.zeros(heard.shape, np.float32)
        own = self._own(hit, place)
        gain[_MARGIN : _MARGIN + len(own)] = np.sqrt(
            np.minimum(own / np.maximum(self._power[place.frames], self._floor), 1.0)
        )
        _, audio = scipy.signal.istft((heard * gain).T, nperseg=_FFT, noverlap=_FFT - _HOP)
        start = round((self.hits[hit].onset_sec - lead_sec) * SAMPLE_RATE) - first * _HOP
        return np.asarray(audio[max(0, start) :], np.float32)

    def _place(self, hit: Struck) -> _Place:
        """Its frames of the recording, and which of its template's they are."""
        start = round(hit.onset_sec * SAMPLE_RATE / _HOP) - _LEAD
        skipped = max(0, -start)
        stop = min(start + _frames(hit.ring_sec), len(self._power))
        return _Place(slice(start + skipped, max(stop, start + skipped)), skipped)

    def _least(self) -> dict[str, Power]:
        """Drum -> [L, F] the least power after any hit of it, as strong as at velocity 127."""
        bins = self._power.shape[1]
        least: dict[str, Power] = {}
        power = _averaged(self._power)
        for hit, place in zip(self.hits, self._places, strict=True):
            if hit.drum not in least:
                longest = max(_frames(h.ring_sec) for h in self.hits if h.drum == hit.drum)
                least[hit.drum] = np.full((longest, bins), np.inf, np.float32)
            rows = least[hit.drum][place.rows]
            np.minimum(rows, power[place.frames] / _strength(hit), out=rows)
        for rows in least.values():
            rows[~np.isfinite(rows)] = 0.0
            self._settle(rows)
        return least

    def _update(self) -> None:
        """Brings the templates nearer to the recording."""
        ratio = self._power / self._played()
        gained = {drum: np.zeros_like(rows) for drum, rows in self._templates.items()}
        weight = {drum: np.zeros(len(rows), np.float32) for drum, rows in self._templates.items()}
        for hit, place in zip(self.hits, self._places, strict=True):
            gained[hit.drum][place.rows] += _strength(hit) * ratio[place.frames]
            weight[hit.drum][place.rows] += _strength(hit)
        for drum, rows in self._templates.items():
            rows *= gained[drum] / np.maximum(weight[drum], 1e-20)[:, None]
            self._settle(rows)

    def _settle(self, template: Power) -> None:
        """No frame is silent, and after the attack none is louder than the one before."""
        np.maximum(template, self._floor, out=template)
        level, first = _averaged(template), _LEAD + _ATTACK
        loudest = level[:first].max(axis=0)
        decaying = np.minimum(np.minimum.accumulate(level[first:]), loudest)
        template[first:] *= decaying / level[first:]

    def _played(self) -> Power:
        """What all hits together come to: [T, F]."""
        total = np.full_like(self._power, self._floor)
        for n, place in enumerate(self._places):
            total[place.frames] += self._own(n, place)
        return total

    def _own(self, hit: int, place: _Place) -> Power:
        template = self._templates[self.hits[hit].drum][place.rows]
        return template * np.float32(_strength(self.hits[hit]))


@dataclass(frozen=True)
class _Place:
    """Where a hit is: frames of the recording, and the first row of its template there."""

    frames: slice
    first: int

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + self.frames.stop - self.frames.start)

    def until(self, row: int) -> _Place:
        """As much of it as lies before a row of the template, at least one."""
        count = max(1, row - self.first)
        return _Place(
            slice(self.frames.start, min(self.frames.stop, self.frames.start + count)), self.first
        )


def _strength(hit: Struck) -> float:
    """Power of a hit against velocity 127."""
    return float((hit.velocity / 127.0) ** (2 * VELOCITY_POWER))


def _frames(ring_sec: float) -> int:
    return _LEAD + int(np.ceil(ring_sec * SAMPLE_RATE / _HOP))


def _spectrum(audio: Audio) -> NDArray[np.complex64]:
    """[T, F]; frame t is centred at sample t * _HOP."""
    _, _, bins = scipy.signal.stft(audio, nperseg=_FFT, noverlap=_FFT - _HOP)
    return np.ascontiguousarray(bins.T, np.complex64)


def _averaged(power: Power) -> Power:
    return np.asarray(scipy.ndimage.uniform_filter(power, _NEAR), np.float32)


def _stretch(audio: Audio, start: int, num_samples: int) -> Audio:
    """Samples of the audio, silence beyond its ends."""
    out = np.zeros(num_samples, np.float32)
    first, last = max(0, start), min(len(audio), start + num_samples)
    if last > first:
        out[first - start : last - start] = audio[first:last]
    return out
