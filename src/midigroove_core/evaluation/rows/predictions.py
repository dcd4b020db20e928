"""Audio of some clips kept on disk, with what the report needs to draw beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import write_json
from midigroove_core.audio import save_audio
from midigroove_core.drums import ARTICULATIONS, ROLAND_TD_MAP
from midigroove_core.evaluation.base.clipset import EvalClip

INDEX = "preds.json"

LEAST_HITS = 4
"""Clips with fewer hits are not worth keeping to listen to, where there are others."""


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` of `count` indices, evenly spread and always the same."""
    if wanted <= 0 or count == 0:
        return []
    return sorted({round(place) for place in np.linspace(0, count - 1, min(wanted, count))})


class PredictionStore:
    """Keeps the audio of chosen clips as 16-bit WAV.

    Args:
        folder: where to; `<folder>/<clip number>/<row>.wav` and an index.
        clips: all clips.
        wanted: how many of them to keep.
        sample_rate: of the audio.
    """

    def __init__(
        self, folder: Path, clips: Sequence[EvalClip], wanted: int, sample_rate: int
    ) -> None:
        self._folder = folder
        self._sample_rate = sample_rate
        busy = [clip for clip in clips if len(clip.onsets_sec) >= LEAST_HITS] or list(clips)
        found = [busy[place] for place in spread(len(busy), wanted)]
        self._chosen = {clip.index: clip for clip in found}
        self._rows: dict[int, dict[str, dict[str, Any]]] = {i: {} for i in self._chosen}

    def add(self, row: str, clip: EvalClip, audio: NDArray[np.float32]) -> None:
        """Keeps the audio if the clip was chosen; scaled down where 16 bits would clip it."""
        if clip.index not in self._chosen:
            return
        peak = float(np.abs(audio).max(initial=0.0))
        gain = 0.999 / peak if peak > 1.0 else 1.0
        name = f"{clip.index:05d}/{row}.wav"
        save_audio(self._folder / name, audio * np.float32(gain), self._sample_rate)
        self._rows[clip.index][row] = {"file": name, "gain": float(f"{gain:.6g}")}

    def write_index(self) -> None:
        """Writes `preds.json`: the kept clips with their hits, tempo and files."""
        if not self._chosen:
            return
        listed = [
            {**describe_clip(clip), "rows": self._rows[index]}
            for index, clip in self._chosen.items()
        ]
        write_json(self._folder / INDEX, {"sample_rate": self._sample_rate, "clips": listed})


def describe_clip(clip: EvalClip) -> dict[str, Any]:
    """A clip as JSON: where it is from, and every hit in it."""
    entry = clip.entry
    lanes = [ARTICULATIONS.index(ROLAND_TD_MAP.get(int(p), "other")) for p in clip.pitches]
    beats = clip.performance.seconds_to_beats([clip.start_sec, clip.end_sec])
    whole = np.arange(np.ceil(beats[0]), beats[1])
    return {
        "index": clip.index,
        "clip": clip.clip_id,
        "kit": entry.kit,
        "drummer": entry.drummer,
        "style": entry.style,
        "bpm": round(float(clip.performance.bpm_at(clip.start_sec)), 2),
        "start_sec": round(clip.start_sec, 6),
        "duration_sec": round(clip.duration_sec, 6),
        "beats_sec": [
            round(float(t) - clip.start_sec, 6) for t in clip.performance.beats_to_seconds(whole)
        ],
        "hits": [
            [round(float(sec), 6), ARTICULATIONS[lane], int(velocity)]
            for sec, lane, velocity in zip(clip.onsets_sec, lanes, clip.velocities, strict=True)
        ],
    }
