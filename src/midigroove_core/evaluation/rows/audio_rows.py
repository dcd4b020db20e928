"""Audio that needs no codec: the recordings themselves, silence, and the sampler."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import load_mono, resample
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.kits import sampler
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.takes import open_dataset

SAMPLER_LEAD_SEC = 8.0
"""Hits so long before a clip are left out of it: even a crash has died away."""


class Recordings:
    """Clips of the dataset's own audio, resampled as whole takes so that no clip has an edge.

    Args:
        dataset: folder or csv.
        sample_rate: of the clips.

    Attributes:
        sample_rate: of the clips.
        fingerprint: of the dataset.

    Raises:
        InputError: not a dataset.
    """

    def __init__(self, dataset: Path, sample_rate: int) -> None:
        self._dataset = open_dataset(dataset)
        self._takes = {take.key: take for take in self._dataset.takes}
        self.sample_rate = sample_rate
        self._key = ""
        self._audio: NDArray[np.float32] = np.zeros(0, np.float32)
        self.fingerprint = self._dataset.fingerprint()

    def take(self, key: str) -> NDArray[np.float32]:
        """The whole take `[S]`; the last one asked for is kept.

        Raises:
            InputError: no such take, or an audio file that cannot be read.
        """
        if key != self._key:
            take = self._takes.get(key)
            if take is None:
                raise InputError("recording missing: the dataset has no such take")
            self._audio = load_mono(self._dataset.audio_path(take), self.sample_rate)
            self._key = key
        return self._audio

    def audio(self, clip: EvalClip) -> NDArray[np.float32]:
        """The clip `[S]`.

        Raises:
            InputError: no such take, or an audio file that cannot be read or is too short.
        """
        first, count = clip.samples(self.sample_rate)
        found = self.take(clip.entry.key)[first : first + count]
        if len(found) < count - self.sample_rate // 50:  # codecs round the end up by a frame
            raise InputError(f"recording too short: it ends {count - len(found)} samples early")
        return np.pad(found, (0, count - len(found)))


class SamplerRow:
    """The built-in sampler, for takes whose kit is one of the built-in kits.

    A dataset may have been recorded at another level, so each kit's level is set once, on the first
    clip that it plays, to the level of the reference.
    """

    name = "sampler"

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._known = {info.id.casefold() for info in list_kits()}
        self._kits: dict[str, Kit] = {}
        self._gains: dict[str, float] = {}

    def kit(self, name: str) -> Kit | None:
        """The built-in kit of that name, or None."""
        folded = name.casefold()
        if folded not in self._known:
            return None
        if folded not in self._kits:
            self._kits[folded] = load_kit(folded)
        return self._kits[folded]

    def audio(self, clip: EvalClip, reference: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The clip `[S]` as the sampler plays it, hits of before still ringing; None if unknown."""
        kit = self.kit(clip.entry.kit)
        if kit is None:
            return None
        audio = self._play(clip, kit)
        gain = self._gains.get(kit.name)
        if gain is None:
            gain = rms(reference) / max(rms(audio), 1e-9)
            if not 0.01 < gain < 100.0:  # a clip without sound says nothing about the level
                return audio
            self._gains[kit.name] = gain
        return audio * np.float32(gain)

    def _play(self, clip: EvalClip, kit: Kit) -> NDArray[np.float32]:
        # At the kit's own rate and from a whole second on, so that every hit starts on the very
        # sample on which it starts in a render of the whole take, and then resampled.
        rate = kit.sample_rate
        start_sec = max(0, math.floor(clip.start_sec - SAMPLER_LEAD_SEC))
        stop_sec = math.ceil(clip.end_sec) + 1  # a hit after the clip may choke one inside it
        part = clip.performance.slice(start_sec, stop_sec)
        audio = sampler.render(
            part, kit, sample_rate=rate, num_samples=(stop_sec - start_sec) * rate
        )
        first, count = clip.samples(self._sample_rate)
        offset = first - start_sec * self._sample_rate
        return resample(audio, rate, self._sample_rate)[offset : offset + count]


def rms(audio: NDArray[np.float32]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
