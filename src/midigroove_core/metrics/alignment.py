"""Does a recording belong to its MIDI, and how late is it? Onsets heard against onsets played.

All differences between a detected onset and a MIDI onset within a second form a histogram: the
cross-correlation of the two trains. Its peak is the offset; the spread of the matched pairs around
it the residual. Detectors find hits a few milliseconds late on soft attacks, so an offset of some
milliseconds is not an error yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import match_onsets
from midigroove_core.metrics.onset_detection import merge_onsets

MAX_OFFSET_SEC = 1.0
EXCERPT_SEC = 30.0
"""Of longer takes the first and the last so many seconds are heard."""

_BIN_SEC = 0.001
_SMOOTH_SEC = 0.006
_MATCH_SEC = 0.05
_FEWEST_ONSETS = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Alignment:
    """How a recording lies against its MIDI.

    Attributes:
        offset_ms: median lateness of the audio (negative: early).
        residual_ms: standard deviation of the matched onsets around the offset.
        match: F1 at 50 ms after the offset is taken off; 1 when all onsets find each other.
        drift_ms: offset at the end less offset at the start; 0 for takes heard whole.
        num_onsets: MIDI onsets compared (hits within 30 ms count once).
    """

    offset_ms: float
    residual_ms: float
    match: float
    drift_ms: float
    num_onsets: int

    def to_json(self) -> dict[str, float]:
        """Rounded to what the measurement is good for."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def align(onset_sec: Floats, audio: NDArray[np.float32], sample_rate: int) -> Alignment | None:
    """Compares MIDI onsets with those heard in the audio.

    Args:
        onset_sec: [N] raw MIDI times.
        audio: [S] mono.
        sample_rate: of the audio.

    Returns:
        None with fewer than four onsets, too few to tell an offset from chance.
    """
    length_sec = len(audio) / sample_rate
    starts = [0.0]
    if length_sec > 2 * EXCERPT_SEC:
        last_sec = min(length_sec, float(onset_sec.max(initial=0.0)) + 1.0)
        starts.append(max(EXCERPT_SEC, last_sec - EXCERPT_SEC))
    stop_sec = EXCERPT_SEC if len(starts) > 1 else length_sec
    parts = [_heard(onset_sec, audio, sample_rate, start, start + stop_sec) for start in starts]
    played = np.concatenate([p for p, _ in parts])
    heard = np.concatenate([h for _, h in parts])
    if len(played) < _FEWEST_ONSETS:
        return None
    offset, late, match = _offset(played, heard)
    drift = 0.0
    if len(parts) > 1 and min(len(p) for p, _ in parts) >= _FEWEST_ONSETS:
        drift = _offset(*parts[1])[0] - _offset(*parts[0])[0]
    residual = float(np.std(late)) if len(late) else MAX_OFFSET_SEC  # nothing matched
    return Alignment(offset * 1e3, residual * 1e3, match, drift * 1e3, len(played))


def _heard(
    onset_sec: Floats, audio: NDArray[np.float32], rate: int, start_sec: float, stop_sec: float
) -> tuple[Floats, Floats]:
    """Onsets played and onsets heard between two times, both on the take's clock."""
    played = merge_onsets(onset_sec[(onset_sec >= start_sec) & (onset_sec < stop_sec)])
    first, last = round(start_sec * rate), min(len(audio), round(stop_sec * rate))
    if last - first < rate // 100:
        return played, np.zeros(0)
    excerpt = AudioFeatures.from_audio(np.ascontiguousarray(audio[first:last]), rate)
    return played, excerpt.onsets_sec + first / rate


def _offset(played: Floats, heard: Floats) -> tuple[float, Floats, float]:
    """Offset in seconds, lateness of each matched pair beyond it, and F1."""
    size = round(2 * MAX_OFFSET_SEC / _BIN_SEC) + 1
    counts = np.zeros(size)
    for onset in played:
        low, high = np.searchsorted(heard, [onset - MAX_OFFSET_SEC, onset + MAX_OFFSET_SEC])
        bins = np.rint((heard[low:high] - onset + MAX_OFFSET_SEC) / _BIN_SEC).astype(np.int64)
        np.add.at(counts, bins, 1.0)
    density = scipy.ndimage.gaussian_filter1d(counts, _SMOOTH_SEC / _BIN_SEC, mode="constant")
    lags = (np.arange(size) * _BIN_SEC) - MAX_OFFSET_SEC
    # Grooves repeat: a shift by a beat matches nearly as well, so the nearer peak wins a tie.
    coarse = float(lags[np.argmax(density * (1.0 - 0.2 * np.abs(lags)))])
    pairs = match_onsets(played + coarse, heard, _MATCH_SEC)
    if len(pairs) == 0:
        return coarse, np.zeros(0), 0.0
    late = heard[pairs[:, 1]] - played[pairs[:, 0]]
    offset = float(np.median(late))
    return offset, late - offset, 2 * len(pairs) / (len(played) + len(heard))
