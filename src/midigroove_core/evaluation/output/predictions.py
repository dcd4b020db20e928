"""Audio of some clips kept on disk, with what the report needs to draw beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import write_json
from midigroove_core.audio import save_audio
from midigroove_core.drums import ROLAND_TD_MAP
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.selection import spread
from midigroove_core.scorecard.kept import INDEX, Kept, KeptAudio, KeptClip

LEAST_HITS = 4
"""Clips with fewer hits are not worth keeping to listen to, where there are others."""


class PredictionStore:
    """Keeps the audio of chosen clips as 16-bit WAV.

    Args:
        folder: where to; `<folder>/<clip number>/<row>.wav` and an index.
        clips: all clips.
        wanted: how many of them to keep, or "all".
        sample_rate: of the audio.
    """

    def __init__(
        self,
        folder: Path,
        clips: Sequence[EvalClip],
        wanted: int | Literal["all"],
        sample_rate: int,
    ) -> None:
        self._folder = folder
        self._sample_rate = sample_rate
        found = list(clips)
        if wanted != "all":
            busy = [clip for clip in clips if len(clip.onsets_sec) >= LEAST_HITS] or found
            found = [busy[place] for place in spread(len(busy), wanted)]
        self._chosen = {clip.index: clip for clip in found}
        self._rows: dict[int, dict[str, KeptAudio]] = {i: {} for i in self._chosen}

    def wants(self, clip: EvalClip) -> bool:
        """Whether the clip was chosen."""
        return clip.index in self._chosen

    def add(self, row: str, clip: EvalClip, audio: NDArray[np.float32]) -> None:
        """Keeps the audio if the clip was chosen; scaled down where 16 bits would clip it."""
        if not self.wants(clip):
            return
        peak = float(np.abs(audio).max(initial=0.0))
        gain = 0.999 / peak if peak > 1.0 else 1.0
        name = f"{clip.index:05d}/{row}.wav"
        save_audio(self._folder / name, audio * np.float32(gain), self._sample_rate)
        self._rows[clip.index][row] = KeptAudio(name, float(f"{gain:.6g}"))

    def write_index(self) -> None:
        """Writes `preds.json`: the kept clips with their hits, tempo and files."""
        if not self._chosen:
            return
        clips = tuple(
            replace(describe_clip(clip), rows=self._rows[index])
            for index, clip in self._chosen.items()
        )
        write_json(self._folder / INDEX, asdict(Kept(self._sample_rate, clips)))


def describe_clip(clip: EvalClip) -> KeptClip:
    """Where a clip is from, and every hit in it."""
    take = clip.take
    names = [ROLAND_TD_MAP.get(int(pitch)) for pitch in clip.pitches]
    beats = clip.performance.seconds_to_beats([clip.start_sec, clip.end_sec])
    whole = np.arange(np.ceil(beats[0]), beats[1])
    return KeptClip(
        index=clip.index,
        clip=clip.clip_id,
        kit=take.kit,
        drummer=take.drummer,
        style=take.style,
        bpm=round(float(clip.performance.bpm_at(clip.start_sec)), 2),
        start_sec=round(clip.start_sec, 6),
        duration_sec=round(clip.duration_sec, 6),
        beats_sec=tuple(
            round(float(t) - clip.start_sec, 6) for t in clip.performance.beats_to_seconds(whole)
        ),
        hits=tuple(
            (round(float(sec), 6), name, int(velocity))
            for sec, name, velocity in zip(clip.onsets_sec, names, clip.velocities, strict=True)
            if name is not None
        ),
    )
