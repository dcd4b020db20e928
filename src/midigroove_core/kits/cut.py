"""A kit cut from one recording of it whose MIDI is known: the drums that were played, as one-shots.

For each articulation, and for some velocities of it, the hit that rings longest by itself is taken.
Nearly no hit of a groove is alone, so the cut is made twice. The first cut ends where the next hit
begins; with these one-shots the sampler plays everything but the hit, and what it plays is taken
out of the recording's spectrogram by a Wiener mask (magnitudes alone, so the takes of a real drum
need not be alike to the sample). The second cut is made from what is left, at full length.
Score-informed masking after Ewert et al., "Score-informed source separation for musical audio
recordings", IEEE Signal Processing Magazine 31(3), 2014, https://doi.org/10.1109/MSP.2013.2296076.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile
import soxr

from midigroove_core.audio import SILENCE
from midigroove_core.drum_reading import keep_hits, read_with
from midigroove_core.drums import ARTICULATIONS, DrumMap, load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits import sampler
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit, Layer
from midigroove_core.kits.separate import decaying, power, without
from midigroove_core.kits.soundfont import trim
from midigroove_core.performance import DrumPerformance

T = TypeVar("T")

RING_SEC: Mapping[str, float] = {
    "kick": 0.6, "snare": 0.6, "rimshot": 0.6, "xstick": 0.4,
    "tom_high": 1.0, "tom_mid": 1.0, "tom_low": 1.2,
    "hat_closed": 0.4, "hat_pedal": 0.4, "hat_open": 1.2,
    "crash_1": 2.5, "crash_2": 2.5, "splash_china": 1.5, "ride": 1.5, "ride_bell": 1.5,
    "other": 0.6,
}  # fmt: skip
"""How long a one-shot is at most, in seconds; what rings longer is mostly other drums."""

FEWEST_SEC = 0.03
"""A hit that is followed by another within this time has no sound of its own in the first cut."""

_LEAD_SEC = 0.002
_TOGETHER_SEC = 0.03
_MOMENT_SEC = 0.05
_CLEAR_DB = 40.0
_PASSES = 2
_CANDIDATES = 4
"""Hits of each band of velocities that are tried."""

_PURE = 0.7
"""A layer whose first moment is less its own than this is left out, unless there is none better."""

_FLOOR = 1e-12
_MOST_GAIN = 4.0


@dataclass(frozen=True)
class CutDrum:
    """One articulation as it was found.

    Attributes:
        articulation: its id.
        hits: how often the recording plays it.
        velocities: of the hits that became layers, rising.
        alone_sec: how long the one that rings longest by itself does so.
    """

    articulation: str
    hits: int
    velocities: tuple[int, ...]
    alone_sec: float


@dataclass(frozen=True, eq=False)
class CutKit:
    """A kit and what it was made of."""

    kit: Kit
    drums: tuple[CutDrum, ...]


@dataclass(frozen=True)
class _Hit:
    """A hit that could become a one-shot.

    Attributes:
        index: of the hit in the performance.
        start: sample at which its cut begins.
        alone_sec: seconds until the next hit, at most the articulation's `RING_SEC`.
        rise_db: how far its first moment stands above the moment before it.
    """

    index: int
    start: int
    alone_sec: float
    rise_db: float


def cut_kit(
    audio: Audio,
    sample_rate: int,
    performance: DrumPerformance,
    *,
    drum_map: DrumMap | None = None,
    layers: int = 4,
    name: str = "cut",
) -> CutKit:
    """Cuts a kit out of a recording.

    Args:
        audio: [S] mono float32.
        sample_rate: of the audio.
        performance: what is played in it, times from the start of the audio. Hits that lie outside
            the audio are left out.
        drum_map: what the pitches mean; Roland TD if not given.
        layers: velocity layers of a drum at most.
        name: of the kit.

    Returns:
        The kit at 44.1 kHz; its levels are the recording's.

    Raises:
        InputError: no hit lies in the audio, or none is heard there.
    """
    drum_map = drum_map or load_drum_map()
    if sample_rate != SAMPLE_RATE:
        audio = soxr.resample(audio, sample_rate, SAMPLE_RATE)
    read = read_with(performance, drum_map).performance
    drum_map = drum_map.plain
    inside = _inside(read, len(audio) / SAMPLE_RATE)
    if inside.num_hits == 0:
        raise InputError("no hit of the MIDI lies inside the recording; do they belong together?")
    recording = _Recording(audio, inside, drum_map)
    kit = Kit(name, recording.first_cut())
    if not kit.articulations:
        raise InputError("nothing is heard where the MIDI has hits; do they belong together?")
    for _ in range(_PASSES):
        kit = Kit(name, recording.next_cut(kit, layers), source="cut from a recording")
    return CutKit(kit, recording.describe(kit))


def levelled(
    kit: Kit, audio: Audio, performance: DrumPerformance, *, drum_map: DrumMap | None = None
) -> Kit:
    """The kit with one gain, by which it plays the recording it was cut from as loud as that is.

    Args:
        kit: from `cut_kit`.
        audio: [S] mono float32 at 44.1 kHz, the recording.
        performance, drum_map: as `cut_kit` was given them.
    """
    inside = _inside(performance, len(audio) / SAMPLE_RATE)
    played = sampler.render(inside, kit, drum_map=drum_map, num_samples=len(audio))
    ratio = (power(audio) / max(power(played), _FLOOR)) ** 0.5
    gain = np.float32(min(max(ratio, 1 / _MOST_GAIN), _MOST_GAIN))
    louder = {
        articulation: [replace(layer, audio=layer.audio * gain) for layer in layers]
        for articulation, layers in kit.articulations.items()
    }
    return replace(kit, articulations=louder)


def save_kit(kit: Kit, folder: Path) -> None:
    """Writes a kit as a folder that `load_kit` reads: ARTICULATION_VELOCITY.wav, 44.1 kHz float.

    Raises:
        InputError: the folder has something in it.
    """
    check_new_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for articulation, shots in kit.articulations.items():
        for layer in shots:
            path = folder / f"{articulation}_{layer.max_velocity:03d}.wav"
            soundfile.write(path, layer.audio, kit.sample_rate, "FLOAT")


def check_new_folder(folder: Path) -> None:
    """Raises InputError unless a folder is new or empty."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InputError(f"{folder}: exists and is not empty; name a new folder for the kit")


def _inside(performance: DrumPerformance, length_sec: float) -> DrumPerformance:
    """The hits that have at least `FEWEST_SEC` of audio."""
    onset = performance.onset_sec
    return keep_hits(performance, (onset >= 0) & (onset < length_sec - FEWEST_SEC))


class _Recording:
    """A recording at 44.1 kHz with the hits that it plays, by articulation."""

    def __init__(self, audio: Audio, performance: DrumPerformance, drum_map: DrumMap) -> None:
        self.audio = audio
        self.performance = performance
        self.drum_map = drum_map
        names = [drum_map.articulation(pitch) for pitch in performance.pitch]
        self.hits = {
            articulation: [
                self._hit(i, articulation) for i, n in enumerate(names) if n == articulation
            ]
            for articulation in ARTICULATIONS
            if articulation in names
        }

    def first_cut(self) -> dict[str, list[Layer]]:
        """Of each articulation the hit that is clearest by itself, up to where the next begins."""
        found = {}
        for articulation, hits in self.hits.items():
            alone = [hit for hit in hits if hit.alone_sec >= FEWEST_SEC]
            if alone:
                best = max(alone, key=lambda hit: min(hit.rise_db, _CLEAR_DB) * hit.alone_sec)
                length = round((best.alone_sec + _LEAD_SEC) * SAMPLE_RATE)
                shots = self._layer(best, self.audio[best.start : best.start + length])
                if shots:
                    found[articulation] = shots
        return found

    def next_cut(self, kit: Kit, layers: int) -> dict[str, list[Layer]]:
        """Hits at full length, without what `kit` says the others sound like meanwhile."""
        found = {}
        for articulation, hits in self.hits.items():
            cuts = [self._cleaned(hit, articulation, kit) for hit in self._candidates(hits, layers)]
            bands = _bands(
                [cut for cut in cuts if cut is not None], layers, lambda cut: cut.layer.max_velocity
            )
            best = [max(band, key=lambda cut: cut.purity) for band in bands]
            top = max((cut.purity for cut in best), default=0.0)
            pure = [cut.layer for cut in best if cut.purity >= min(_PURE, top)]
            if pure or articulation in kit.articulations:
                found[articulation] = _rising(pure) or list(kit.articulations[articulation])
        return found

    def describe(self, kit: Kit) -> tuple[CutDrum, ...]:
        """What the kit was made of."""
        return tuple(
            CutDrum(
                articulation=articulation,
                hits=len(self.hits[articulation]),
                velocities=tuple(layer.max_velocity for layer in layers),
                alone_sec=max(hit.alone_sec for hit in self.hits[articulation]),
            )
            for articulation, layers in kit.articulations.items()
        )

    def _hit(self, index: int, articulation: str) -> _Hit:
        onset = self.performance.onset_sec
        after = np.delete(onset, index)
        after = after[after >= onset[index] - _TOGETHER_SEC]
        alone = float(after.min() - onset[index]) if len(after) else RING_SEC[articulation]
        start = max(0, round((onset[index] - _LEAD_SEC) * SAMPLE_RATE))
        moment = round(_MOMENT_SEC * SAMPLE_RATE)
        now = self.audio[start : start + moment]
        before = self.audio[max(0, start - moment) : start]
        rise = 10 * np.log10((power(now) + _FLOOR) / (power(before) + _FLOOR))
        return _Hit(index, start, max(0.0, min(alone, RING_SEC[articulation])), float(rise))

    def _candidates(self, hits: Sequence[_Hit], layers: int) -> list[_Hit]:
        """The most promising hits of each band of velocities."""
        chosen = []
        for band in _bands(hits, layers, self._velocity):
            ranked = sorted(band, key=lambda hit: hit.rise_db + 20 * hit.alone_sec, reverse=True)
            chosen += ranked[:_CANDIDATES]
        return chosen

    def _velocity(self, hit: _Hit) -> int:
        return int(self.performance.velocity[hit.index])

    def _cleaned(self, hit: _Hit, articulation: str, kit: Kit) -> _Cut | None:
        length = round(RING_SEC[articulation] * SAMPLE_RATE)
        heard = self.audio[hit.start : hit.start + length]
        others = self._others(hit, kit, len(heard))
        left = without(heard, others)
        moment = round(_MOMENT_SEC * SAMPLE_RATE)
        both = power(left[:moment]) + power(others[:moment]) + _FLOOR
        purity = power(left[:moment]) / both
        layer = self._layer(hit, left)
        return _Cut(purity, layer[0]) if layer else None

    def _others(self, hit: _Hit, kit: Kit, num_samples: int) -> Audio:
        """All that sounds in a stretch except the hit, as the kit plays it: [num_samples]."""
        onset = self.performance.onset_sec
        first_sec = max(0.0, hit.start / SAMPLE_RATE - max(RING_SEC.values()))
        end_sec = (hit.start + num_samples) / SAMPLE_RATE
        keep = (onset >= first_sec) & (onset < end_sec)
        keep[hit.index] = False
        first = round(first_sec * SAMPLE_RATE)
        meanwhile = keep_hits(self.performance, keep)
        meanwhile = replace(meanwhile, onset_sec=meanwhile.onset_sec - first / SAMPLE_RATE)
        lead = hit.start - first
        played = sampler.render(
            meanwhile,
            kit,
            sample_rate=SAMPLE_RATE,
            drum_map=self.drum_map,
            num_samples=lead + num_samples,
        )
        return played[lead:]

    def _layer(self, hit: _Hit, shot: Audio) -> list[Layer]:
        """The hit as a layer, or nothing when it is silent."""
        if len(shot) == 0 or float(np.abs(shot).max()) < SILENCE:
            return []
        shot = decaying(shot)
        fade = min(len(shot), round(0.02 * SAMPLE_RATE))
        shot[len(shot) - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
        return [Layer(self._velocity(hit), trim(shot))]


@dataclass(frozen=True, eq=False)
class _Cut:
    """A cleaned hit, and the share of its first moment's power that is its own."""

    purity: float
    layer: Layer


def _bands(items: Sequence[T], layers: int, velocity: Callable[[T], int]) -> list[list[T]]:
    """The items by rising velocity in at most so many parts of equal number."""
    ordered = sorted(items, key=velocity)
    parts = np.array_split(np.arange(len(ordered)), max(1, min(layers, len(ordered))))
    return [[ordered[i] for i in part] for part in parts if len(part)]


def _rising(layers: Sequence[Layer]) -> list[Layer]:
    """Layers by rising velocity, one for each."""
    return [
        *{
            layer.max_velocity: layer for layer in sorted(layers, key=lambda x: x.max_velocity)
        }.values()
    ]
