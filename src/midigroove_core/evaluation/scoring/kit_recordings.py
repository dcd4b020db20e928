"""Which recordings of a kit its drum templates are fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import CLASS_OF_ARTICULATION, ROLAND_TD_MAP
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.takes import JudgedTake
from midigroove_core.evaluation.rows.recordings import Recordings
from midigroove_core.metrics.drum_fitting import Recording
from midigroove_core.metrics.drums import HEARD_DRUMS, TOLERANCE_SEC
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import match_onsets
from midigroove_core.metrics.onset_detection import merge_onsets
from midigroove_core.midi import DrumPerformance

VOICES = {a: name for a, name in CLASS_OF_ARTICULATION.items() if name in HEARD_DRUMS}
"""Articulation -> drum class: what gets templates of its own."""
FIT_SEC = 120.0
"""Recordings that a kit is fitted to: 30 s do for kick, snare and hat, two minutes for rides."""
PIECE_SEC = 10.0
_PIECES_PER_TAKE = 3
_MOST_TAKES = 200
_WANTED_HITS = 12
_LEAST_ONSET_F1 = 0.4
"""Below it a recording is not of this MIDI, or silent."""

_VOICE_OF_PITCH = np.array([ROLAND_TD_MAP.get(pitch, "") for pitch in range(128)])

VoiceHits = dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]
Audio = NDArray[np.float32]


@dataclass(frozen=True)
class KitExcerpts:
    """What was found for a kit.

    Attributes:
        recordings: audio and hits per voice, for `fit_templates`.
        seconds: of audio.
        judged: the evaluation judges these takes too, there being no others.
        unusable: takes that were passed over, and why.
    """

    recordings: list[Recording]
    seconds: float
    judged: bool
    unusable: dict[str, str]


NO_EXCERPTS = KitExcerpts([], 0.0, False, {})


@dataclass(frozen=True)
class _Piece:
    take: JudgedTake
    start_sec: float
    end_sec: float


class KitRecordings:
    """Excerpts of a dataset's recordings, kit by kit.

    Takes of performances that are not judged come first; where a kit has none, those that are are
    used. The choice depends on the takes' names and hits alone.

    Args:
        recordings: the dataset and its audio, at the rate at which clips are scored.
        judged: performances that are judged.
    """

    def __init__(self, recordings: Recordings, judged: frozenset[str]) -> None:
        self._source = recordings.takes
        self._judged = judged
        self._recordings = recordings

    def excerpts(self, kit: str) -> KitExcerpts:
        """About `FIT_SEC` in which every voice of the kit occurs, or all there is."""
        unusable: dict[str, str] = {}
        of_kit = [take for take in self._source.takes if take.kit == kit]
        for judged in (False, True):
            takes = [t for t in of_kit if (t.performance_key in self._judged) == judged]
            found = list(self._read(takes, unusable))
            if found:
                break
        seconds = sum(len(audio) for audio, _ in found) / self._recordings.sample_rate
        return KitExcerpts([*found], seconds, judged, unusable)

    def _read(
        self, takes: Sequence[JudgedTake], unusable: dict[str, str]
    ) -> Iterator[tuple[Audio, VoiceHits]]:
        """Excerpts one after the other, each the one that shows most of what is still missing."""
        pieces = self._pieces(takes, unusable)
        counts = np.array([self._counts(piece) for piece in pieces]).reshape(-1, len(VOICES))
        lengths = np.array([piece.end_sec - piece.start_sec for piece in pieces])
        missing = np.full(len(VOICES), _WANTED_HITS)
        left = np.flatnonzero(counts.sum(axis=1))
        total_sec = 0.0
        while left.size and total_sec < FIT_SEC:
            gains = np.minimum(counts[left], missing).sum(axis=1) / lengths[left]
            chosen = int(left[np.argmax(gains)])
            piece = pieces[chosen]
            try:
                found = self._excerpt(piece)
            except InputError as error:
                key = piece.take.key
                unusable[key] = _without_folder(error, key)
                left = np.array([i for i in left if pieces[i].take.key != key], int)
                continue
            left = left[left != chosen]
            missing = np.maximum(0, missing - counts[chosen])
            total_sec += float(lengths[chosen])
            yield found

    def _pieces(self, takes: Sequence[JudgedTake], unusable: dict[str, str]) -> list[_Piece]:
        by_hash = sorted(takes, key=lambda t: hashlib.sha256(t.key.encode("utf-8")).digest())
        pieces = []
        for take in by_hash[:_MOST_TAKES]:
            try:
                self._source.performance(take)
                duration_sec = self._source.duration_sec(take)
            except InputError as error:
                unusable[take.key] = _without_folder(error, take.key)
                continue
            for number in range(min(_PIECES_PER_TAKE, max(1, int(duration_sec / PIECE_SEC)))):
                start_sec = number * PIECE_SEC
                end_sec = min(start_sec + PIECE_SEC, duration_sec)
                pieces.append(_Piece(take, start_sec, end_sec))
        return pieces

    def _counts(self, piece: _Piece) -> list[int]:
        hits = self._hits(piece)
        return [hits[voice][0].size for voice in VOICES]

    def _hits(self, piece: _Piece) -> VoiceHits:
        performance = self._source.performance(piece.take)
        return voice_hits(performance, piece.start_sec, piece.end_sec)

    def _excerpt(self, piece: _Piece) -> tuple[Audio, VoiceHits]:
        """Audio and hits of a piece.

        Raises:
            InputError: it cannot be read, or is not of its MIDI.
        """
        rate = self._recordings.sample_rate
        whole = self._recordings.mono(piece.take.key)
        audio = whole[round(piece.start_sec * rate) : round(piece.end_sec * rate)]
        hits = self._hits(piece)
        try:
            features = AudioFeatures.from_audio(audio, rate, "recording")
        except ValueError as error:
            raise InputError(str(error)) from error
        onsets = merge_onsets(np.concatenate([onsets for onsets, _ in hits.values()]))
        found = features.onsets_sec
        matched = len(match_onsets(onsets, found, TOLERANCE_SEC))
        if 2 * matched < _LEAST_ONSET_F1 * (onsets.size + found.size):
            raise InputError("recording has other onsets than its MIDI")
        return audio, hits


def _without_folder(error: InputError, key: str) -> str:
    """What went wrong, without the folder, which is another on another machine."""
    return str(error).rpartition(key)[2].removeprefix(": ")


def voice_hits(performance: DrumPerformance, start_sec: float, end_sec: float) -> VoiceHits:
    """Articulation -> (onsets from `start_sec`, velocities) of the hits from there to `end_sec`."""
    first, last = np.searchsorted(performance.onset_sec, [start_sec, end_sec])
    onset_sec = performance.onset_sec[first:last] - start_sec
    velocity = performance.velocity[first:last]
    names = _VOICE_OF_PITCH[performance.pitch[first:last]]
    return {name: (onset_sec[names == name], velocity[names == name]) for name in VOICES}
