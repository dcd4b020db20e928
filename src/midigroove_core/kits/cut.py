"""A kit cut from one recording of it whose MIDI is known: the drums that were played, as one-shots.

Nearly no hit of a groove is alone. What each sounds like by itself is worked out for all of them
together (`decompose`); for each articulation, and for some velocities of it, the hit that owns most
of its attack becomes a one-shot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from midigroove_core.kits.decompose import Decomposition, Struck
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit, Layer
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

PART_SEC = 120.0
"""Longer recordings are taken apart in parts of this length."""

SHORTEST_SEC = 0.03
"""A hit with less of the recording left is not heard."""

_LEAD_SEC = 0.002
_FADE_SEC = 0.02
_CLOSED_SEC = 0.03
"""An open hat that is closed is heard so much longer."""

_PURE = 0.7
"""A layer that owns less of its attack than this is left out, unless there is none better."""

_SILENT_POWER = 1e-12
_MOST_GAIN = 4.0


@dataclass(frozen=True)
class CutDrum:
    """One articulation as it was found.

    Attributes:
        articulation: its id.
        hits: how often the recording plays it.
        velocities: of the hits that became layers, rising.
        own: share of the power in the attack that is its own, in the purest of them.
    """

    articulation: str
    hits: int
    velocities: tuple[int, ...]
    own: float


@dataclass(frozen=True, eq=False)
class CutKit:
    """A kit and what it was made of."""

    kit: Kit
    drums: tuple[CutDrum, ...]


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
    hits = _struck(_inside(read, len(audio) / SAMPLE_RATE), drum_map.plain)
    if not hits:
        raise InputError("no hit of the MIDI lies inside the recording; do they belong together?")
    if power(audio) < _SILENT_POWER:
        raise InputError("nothing is heard where the MIDI has hits; do they belong together?")
    played = [hit.drum for hit in hits]
    found: dict[str, list[_Shot]] = {drum: [] for drum in ARTICULATIONS if drum in played}
    for part, struck in _parts(audio, hits):
        _add_shots(found, Decomposition(part, struck), layers)
    articulations: dict[str, list[Layer]] = {}
    drums: list[CutDrum] = []
    for drum, shots in found.items():
        if shots:
            chosen = _purest(shots, layers)
            articulations[drum] = _rising([shot.layer for shot in chosen])
            velocities = tuple(layer.max_velocity for layer in articulations[drum])
            own = max(shot.own for shot in chosen)
            drums.append(CutDrum(drum, played.count(drum), velocities, own))
    if not articulations:
        raise InputError("nothing is heard where the MIDI has hits; do they belong together?")
    return CutKit(Kit(name, articulations, source="cut from a recording"), tuple(drums))


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
    ratio = (power(audio) / max(power(played), _SILENT_POWER)) ** 0.5
    gain = np.float32(min(max(ratio, 1 / _MOST_GAIN), _MOST_GAIN))
    louder = {
        articulation: [replace(layer, audio=layer.audio * gain) for layer in layers]
        for articulation, layers in kit.articulations.items()
    }
    return replace(kit, articulations=louder)


def save_kit(kit: Kit, folder: Path) -> None:
    """Writes a kit as a folder that `load_kit` reads: ARTICULATION[_pPITCH]_VELOCITY.wav, float.

    Raises:
        InputError: the folder has something in it.
    """
    check_new_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    named = dict(kit.articulations)
    for articulation, by_pitch in kit.variants.items():
        named |= {f"{articulation}_p{pitch}": layers for pitch, layers in by_pitch.items()}
    for name, layers in named.items():
        for layer in layers:
            path = folder / f"{name}_{layer.max_velocity:03d}.wav"
            soundfile.write(path, layer.audio, kit.sample_rate, "FLOAT")


def check_new_folder(folder: Path) -> None:
    """Raises InputError unless a folder is new or empty."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InputError(f"{folder}: exists and is not empty; name a new folder for the kit")


def power(audio: Audio) -> float:
    """Mean square; 0 without samples."""
    return float(np.square(audio, dtype=np.float64).mean()) if len(audio) else 0.0


def _inside(performance: DrumPerformance, length_sec: float) -> DrumPerformance:
    """The hits that have at least `SHORTEST_SEC` of audio."""
    onset = performance.onset_sec
    return keep_hits(performance, (onset >= 0) & (onset < length_sec - SHORTEST_SEC))


def _struck(performance: DrumPerformance, drum_map: DrumMap) -> list[Struck]:
    """The hits by articulation; an open hat rings until the next closed one."""
    names = [drum_map.articulation(pitch) for pitch in performance.pitch.tolist()]
    closed = performance.onset_sec[[name in ("hat_closed", "hat_pedal") for name in names]]
    hits = []
    for name, onset, velocity in zip(
        names, performance.onset_sec.tolist(), performance.velocity.tolist(), strict=True
    ):
        if name is None or velocity == 0:
            continue
        ring = RING_SEC[name]
        if name == "hat_open":
            ring = min([ring, *(closed[closed > onset] - onset + _CLOSED_SEC)[:1].tolist()])
        hits.append(Struck(name, onset, velocity, ring))
    return hits


@dataclass(frozen=True, eq=False)
class _Shot:
    """A hit by itself, and the share of the power in its attack that is its own."""

    own: float
    layer: Layer

    @property
    def velocity(self) -> int:
        return self.layer.max_velocity


def _parts(audio: Audio, hits: Sequence[Struck]) -> Iterator[tuple[Audio, list[Struck]]]:
    """The recording in parts of `PART_SEC`, so that memory follows no length."""
    for number in range(-(-len(audio) // round(PART_SEC * SAMPLE_RATE))):
        start_sec = number * PART_SEC
        start, stop = (round((start_sec + sec) * SAMPLE_RATE) for sec in (0.0, PART_SEC))
        inside = [
            replace(hit, onset_sec=hit.onset_sec - start_sec)
            for hit in hits
            if start_sec <= hit.onset_sec < start_sec + PART_SEC
        ]
        if inside:
            yield audio[start:stop], inside


def _add_shots(found: Mapping[str, list[_Shot]], decomposition: Decomposition, layers: int) -> None:
    """Of each drum and each band of its velocities the hit that owns most of its attack.

    Not one that the end of the recording cuts short, often the purest, if there is another.
    """
    for drum, shots in found.items():
        hits = [n for n, hit in enumerate(decomposition.hits) if hit.drum == drum]
        hits = [n for n in hits if decomposition.is_whole(n)] or hits
        for band in _bands(hits, layers, lambda n: decomposition.hits[n].velocity):
            best = max(band, key=decomposition.share)
            shot = _Shot(decomposition.share(best), _layer(decomposition, best))
            if float(np.abs(shot.layer.audio).max(initial=0.0)) >= SILENCE:
                shots.append(shot)


def _purest(shots: Sequence[_Shot], layers: int) -> list[_Shot]:
    """Of each band of velocities the purest, if it is pure enough."""
    best = [
        max(band, key=lambda shot: shot.own)
        for band in _bands(shots, layers, lambda shot: shot.velocity)
    ]
    enough = min(_PURE, max(shot.own for shot in best))
    return [shot for shot in best if shot.own >= enough]


def _layer(decomposition: Decomposition, hit: int) -> Layer:
    shot = decomposition.alone(hit, _LEAD_SEC)
    fade = min(len(shot), round(_FADE_SEC * SAMPLE_RATE))
    shot[len(shot) - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return Layer(decomposition.hits[hit].velocity, trim(shot))


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
