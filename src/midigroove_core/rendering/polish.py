"""What a codec leaves around hits, taken away: noise where nothing rings, echoes ahead of hits.

A codec decodes silence to noise at -100 dB, and spreads an attack over the frame that it lies in.
Attacks themselves, and what rings, stay as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import Audio

SILENT = 10 ** (-78 / 20)
"""A peak below which, for `SILENT_SEC` or longer, nothing rings."""

SILENT_SEC = 0.06
_BLOCK_SEC = 0.01
_RAMP_SEC = 0.005

_NEAR_SEC = 0.015
"""How far from its time in the performance a hit's attack is looked for."""

_RISEN = 0.25
"""An attack begins where the envelope reaches this share of its peak."""

_PEAK_SEC = 0.025
_ECHO_SEC = 0.03
_BEFORE_SEC = 0.04
_LEAD_SEC = 0.001
_LOUDER = 1.5
"""An echo is what is louder, by this factor, than what rang before it."""

START_SEC = 0.0005
"""What is played rises from zero over so long."""


def polished(audio: Audio, sample_rate: int, onset_sec: NDArray[np.float64]) -> Audio:
    """The audio without noise in its silences and without echoes ahead of isolated hits.

    Args:
        audio: [C, S] of a performance.
        sample_rate: samples per second.
        onset_sec: [N] of its hits, sorted.

    Returns:
        [C, S]; it begins at zero. All channels are treated alike.
    """
    if audio.shape[1] == 0:
        return audio
    loud = np.abs(audio).max(axis=0)
    gain = _gate(loud, sample_rate)
    for onset in _isolated(onset_sec):
        _cut_echo(gain, loud, sample_rate, onset)
    return begun_at_zero(audio * gain, sample_rate)


def begun_at_zero(audio: Audio, sample_rate: int) -> Audio:
    """The audio [C, S], its first moment risen from zero."""
    rise = min(audio.shape[1], max(2, round(START_SEC * sample_rate)))
    audio = audio.copy()
    audio[:, :rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    return audio


def _gate(loud: Audio, sample_rate: int) -> Audio:
    """[S] 0 where nothing rings, 1 elsewhere, with ramps inside the silence."""
    block = max(1, round(_BLOCK_SEC * sample_rate))
    peaks = np.pad(loud, (0, -len(loud) % block)).reshape(-1, block).max(axis=1)
    quiet = np.concatenate([[False], peaks < SILENT, [False]])
    starts, stops = np.flatnonzero(~quiet[:-1] & quiet[1:]), np.flatnonzero(quiet[:-1] & ~quiet[1:])
    gain = np.ones(len(loud), dtype=np.float32)
    ramp = np.linspace(1.0, 0.0, max(2, round(_RAMP_SEC * sample_rate)), dtype=np.float32)
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        if (stop - start) * _BLOCK_SEC < SILENT_SEC and start > 0 and stop < len(peaks):
            continue
        first, last = start * block, min(stop * block, len(loud))
        gain[first:last] = 0.0
        if start > 0:
            head = gain[first : first + len(ramp)]
            head[:] = ramp[: len(head)]
        if stop < len(peaks):
            gain[last - len(ramp) : last] = ramp[::-1]
    return gain


def _isolated(onset_sec: NDArray[np.float64]) -> list[float]:
    """Hits with none in the time before them in which an echo, and what rang before it, are."""
    apart = np.diff(onset_sec, prepend=-1.0)
    return onset_sec[apart > _ECHO_SEC + _BEFORE_SEC + _NEAR_SEC].tolist()


def _cut_echo(gain: Audio, loud: Audio, sample_rate: int, onset: float) -> None:
    """Turns down, in `gain`, what is ahead of a hit and louder than what rang before that."""

    def at(seconds: float) -> int:
        return min(len(loud), max(0, round(seconds * sample_rate)))

    window = max(1, round(_LEAD_SEC * sample_rate))
    first = at(onset - _NEAR_SEC)
    near = _envelope(loud[first : at(onset + _PEAK_SEC)], window)
    searched = near[: at(onset + _NEAR_SEC) - first]
    if len(searched) == 0 or near.max() < SILENT:
        return
    risen = first + int(np.argmax(searched >= _RISEN * near.max()))
    attack = min(
        risen, at(onset)
    )  # a soft click may lead a slow drum: nothing after its time is cut
    stop = max(0, attack - window)
    start = max(0, stop - round(_ECHO_SEC * sample_rate))
    before = loud[max(0, start - round(_BEFORE_SEC * sample_rate)) : start]
    if stop <= start:
        return
    rang = float(before.max(initial=0.0))
    allowed = _LOUDER * rang if rang >= SILENT else 0.0
    echo = _envelope(loud[start:stop], 2 * window)
    wanted = np.minimum(1.0, allowed / np.maximum(echo, 1e-9)).astype(np.float32)
    if allowed == 0.0:
        wanted[:] = 0.0
    # The lowest gain near by, then its mean: no step is shorter than a millisecond.
    low = -_envelope(-wanted, window)
    smooth = np.convolve(
        np.pad(low, window, mode="edge"), np.ones(2 * window + 1) / (2 * window + 1)
    )
    gain[start:stop] *= smooth[2 * window : 2 * window + len(low)].astype(np.float32)
    ramp = np.linspace(float(gain[stop - 1]), 1.0, attack - stop + 2, dtype=np.float32)[1:-1]
    gain[stop:attack] *= ramp


def _envelope(values: Audio, window: int) -> Audio:
    """The largest value within `window` samples around each."""
    if len(values) == 0:
        return values
    padded = np.pad(values, (window // 2, window - 1 - window // 2), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
