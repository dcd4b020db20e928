"""`data synth --augment`: a kit as it would sound faster or slower, elsewhere, recorded otherwise.

An `Alteration` holds for all takes of one version of a kit, so that a version is heard as a kit of
its own. It is made with `kits.shaping`, as random kits are, and equal seeds give equal bytes. No
part of it moves a hit but `speed`, which the MIDI follows.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from midigroove_core.kits import shaping
from midigroove_core.kits.draw import Draw
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio
from midigroove_core.kits.shaping import Band, Room
from midigroove_core.performance import DrumPerformance

DRIVEN_PEAK = 0.9
"""What the drums of a kit, struck together, peak at: from there drive counts."""

_SALT = 0x616C7465


@dataclass(frozen=True)
class Alteration:
    """What is done to the takes of one version of a kit, in this order.

    Attributes:
        speed: how many times as fast; the pitch follows, as a tape's.
        bands: of the equaliser.
        drive_db: how far a peak of `DRIVEN_PEAK` is driven into saturation; 0 is not at all.
        room: where the kit stands; None leaves it where it is.
        snr_db: steady noise so far below the take's mean power; None is none.
        noise_hz: above which the noise is duller.
        level_db: of the loudest drums, against those of the kit itself.
    """

    speed: float
    bands: tuple[Band, ...]
    drive_db: float
    room: Room | None
    snr_db: float | None
    noise_hz: float
    level_db: float

    def to_json(self) -> dict[str, Any]:
        """For the state of a dataset: numbers and strings only."""
        return {**asdict(self), "bands": [asdict(band) for band in self.bands]}

    def describe(self) -> str:
        """One line for the dataset's csv."""
        parts = [f"speed={self.speed}"]
        parts += [f"{b.kind}={b.hz:.0f}Hz:{b.db:+.1f}dB" for b in self.bands]
        if self.drive_db > 0:
            parts.append(f"drive={self.drive_db}dB")
        if self.room is not None:
            parts.append(f"room={self.room.rt60_sec}s:{self.room.wet_db}dB")
        if self.snr_db is not None:
            parts.append(f"snr={self.snr_db}dB")
        return " ".join([*parts, f"level={self.level_db}dB"])


def version_name(kit: str, version: int) -> str:
    """What the dataset calls a version of a kit."""
    return f"{kit} altered {version}"


def draw_alteration(seed: int, kit: str, version: int) -> Alteration:
    """The alteration of a version, counted from 1, of a kit of this name."""
    draw = Draw(_SALT, seed, _number(kit), version)
    speed = 1.0 if draw.chance(0.25) else draw.between(0.92, 1.08)
    bands = (
        Band("low_shelf", draw.log_between(80.0, 300.0), draw.between(-6.0, 4.0)),
        Band("bell", draw.log_between(250.0, 5000.0), draw.between(-6.0, 6.0)),
        Band("high_shelf", draw.log_between(3000.0, 9000.0), draw.between(-9.0, 3.0)),
    )
    drive_db = draw.between(3.0, 15.0) if draw.chance(0.35) else 0.0
    room = None
    if draw.chance(0.75):
        room = Room(
            rt60_sec=draw.log_between(0.15, 1.2), wet_db=draw.between(-24.0, -4.0),
            delay_sec=draw.between(0.001, 0.02), bright_hz=draw.log_between(1500.0, 9000.0),
            seed=draw.below(2**31),
        )  # fmt: skip
    return Alteration(
        speed=speed, bands=bands, drive_db=drive_db, room=room,
        snr_db=draw.between(20.0, 50.0) if draw.chance(0.5) else None,
        noise_hz=draw.log_between(1500.0, 9000.0), level_db=draw.between(-9.0, 0.0),
    )  # fmt: skip


def alter(audio: Audio, alteration: Alteration, noise_of: str | None = None) -> Audio:
    """Audio [S] as a version of its kit has it, [about S / speed, and what rings on].

    Args:
        audio: of the kit itself, at its gain.
        alteration: of which version; its `level_db` is not applied here.
        noise_of: name of the take, which has noise of its own; None leaves noise out.
    """
    audio = shaping.pitched(audio, 12 * float(np.log2(alteration.speed)))
    audio = shaping.equalised(audio, alteration.bands)
    audio = shaping.driven(audio, alteration.drive_db, DRIVEN_PEAK)
    if alteration.room is not None:
        response = shaping.room_response(alteration.room)
        audio = shaping.in_room(audio, response, alteration.room.wet_db)
    if noise_of is None or alteration.snr_db is None:
        return audio
    return shaping.with_hiss(audio, alteration.snr_db, alteration.noise_hz, _number(noise_of))


def num_samples_before(num_samples: int, alteration: Alteration) -> int:
    """How many samples `alter` needs for so many."""
    return round(num_samples * alteration.speed) + SAMPLE_RATE // 100


def at_speed(performance: DrumPerformance, speed: float) -> DrumPerformance:
    """The performance so many times as fast: all times are divided, tempi multiplied by it."""
    p = performance
    return replace(
        p,
        onset_sec=p.onset_sec / speed,
        duration_sec=p.duration_sec / speed,
        cc4_sec=p.cc4_sec / speed,
        choke_sec=p.choke_sec / speed,
        tempo_sec=p.tempo_sec / speed,
        tempo_bpm=p.tempo_bpm * speed,
        end_sec=p.end_sec / speed,
    )


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
