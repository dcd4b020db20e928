"""A mix taken apart into groups of drums, and put where they stand, by what a sampler would play.

A model draws all drums at once. What each group contributes to a moment and a frequency is taken
from a guide: the same performance played on the same kit, group by group, by the sampler. The mix
is shared out in these proportions (a Wiener mask), so that the parts add up to it whatever the
guide is, and each has the sound of the mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from midigroove_core.audio import Audio

_WINDOW_SEC = 0.064
_OVERLAP = 4
_MEMORY_SHARE = 1e-4
"""What rang last gets what rings on after the guide has ended: weighed 40 dB below the guide."""

_MEMORY_DB_PER_SEC = 60.0
_FLOOR = 1e-16


@dataclass(frozen=True, eq=False)
class Guide:
    """What the sampler plays, to take a mix apart by.

    Attributes:
        blocks: [G * P, n] float32: P channels of each of G groups, as long as the mix.
        present: [G] whether the group has a hit; what has none gets nothing of the mix.
        channels: P; with 2, the parts of a mono mix are panned as the guide is.
    """

    blocks: Iterable[Audio]
    present: Sequence[bool]
    channels: int


def part(mix: Audio, guide: Guide, sample_rate: int) -> Iterator[Audio]:
    """The groups of a mix [C, S], in blocks.

    Yields:
        [G * max(C, P), n] float32; in mono, and where C is P, the groups add up to the mix.
    """
    size = 2 ** round(np.log2(_WINDOW_SEC * sample_rate))
    hop = size // _OVERLAP
    masks = _Masks(guide, size, hop / sample_rate)
    lead = size - hop
    rows = len(guide.present) * max(len(mix), guide.channels)
    heard = np.zeros((len(guide.present) * guide.channels, lead), dtype=np.float32)
    ahead = np.zeros((rows, size), dtype=np.float32)
    padded = np.pad(mix, ((0, 0), (lead, 2 * size)))
    at, done, skip = 0, 0, lead
    for block in _with_silence(guide.blocks, 2 * size):
        heard = np.concatenate([heard, block], axis=1)
        count = max(0, (heard.shape[1] - size) // hop + 1)
        if count == 0:
            continue
        window = masks.window
        frames = _frames(padded[:, at * hop :], count, size, hop) * window
        spectra = scipy.fft.rfft(frames, axis=2)
        made = masks.of(_frames(heard, count, size, hop) * window, spectra)
        out = _overlapped(scipy.fft.irfft(made, size, axis=2) * (window * 2 / _OVERLAP), hop)
        out[:, : ahead.shape[1]] += ahead
        ready, ahead = out[:, : count * hop], out[:, count * hop :]
        heard, at = heard[:, count * hop :], at + count
        ready, skip = ready[:, skip:], max(0, skip - ready.shape[1])
        ready = ready[:, : mix.shape[1] - done]
        done += ready.shape[1]
        if ready.shape[1]:
            yield ready


class _Masks:
    """What share of each frame and frequency is whose."""

    def __init__(self, guide: Guide, size: int, hop_sec: float) -> None:
        self._guide = guide
        self.window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size))
        self.window = self.window.astype(np.float32)
        self._present = np.array(guide.present)[:, None, None]
        self._memory = np.zeros((len(guide.present), size // 2 + 1))
        self._forget = 10 ** (-_MEMORY_DB_PER_SEC * hop_sec / 10)

    def of(self, guide: Audio, mix: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Spectra [G * max(C, P), frames, bins] from frames of the guide and spectra of the mix."""
        channels, groups = self._guide.channels, len(self._guide.present)
        power = np.square(np.abs(scipy.fft.rfft(guide, axis=2)))
        power = power.reshape(groups, channels, *power.shape[1:])
        whole = power.sum(axis=1)
        weight = whole.copy()
        for frame in range(whole.shape[1]):
            self._memory = np.maximum(whole[:, frame], self._forget * self._memory)
            weight[:, frame] += _MEMORY_SHARE * self._memory
        weight = np.where(self._present, weight + _FLOOR, 0.0)
        shares = weight / np.maximum(weight.sum(axis=0), _FLOOR)
        if channels == 1 or len(mix) > 1:
            made = shares[:, None] * mix[None]
        else:  # in the middle where the guide is silent
            sides = np.sqrt((power + _FLOOR) / (whole + channels * _FLOOR)[:, None])
            made = shares[:, None] * sides * mix[None]
        return made.reshape(-1, *made.shape[2:]).astype(np.complex64)


def _with_silence(blocks: Iterable[Audio], length: int) -> Iterator[Audio]:
    rows = 0
    for block in blocks:
        rows = len(block)
        yield block
    yield np.zeros((rows, length), dtype=np.float32)


def _frames(audio: Audio, count: int, size: int, hop: int) -> Audio:
    """[rows, count, size]"""
    view = np.lib.stride_tricks.sliding_window_view(audio, size, axis=1)
    return view[:, : count * hop : hop][:, :count]


def _overlapped(frames: Audio, hop: int) -> Audio:
    """Frames [rows, count, size] added up, `hop` apart: [rows, count * hop + size - hop]."""
    rows, count, size = frames.shape
    out = np.zeros((rows, (count - 1) * hop + size), dtype=np.float32)
    steps = size // hop
    for step in range(steps):
        part = frames[:, :, step * hop : (step + 1) * hop].reshape(rows, count * hop)
        out[:, step * hop : step * hop + count * hop] += part
    return out
