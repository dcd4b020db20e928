"""New kits, mixed from the one-shots of others: as many as a training needs.

"random_0007" is the seventh such kit, the same bytes wherever it is made: its number is the seed of
a `Recipe`, which says for each family of drums what is mixed, at what pitch, decay, equaliser,
drive, noise, level and velocity layers, and in what room all of them stand. "random_0007+FOLDER"
mixes in a folder of one-shots beside the kits that ship; it is another kit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.kits import shaping
from midigroove_core.kits.draw import Draw
from midigroove_core.kits.level import LEVEL_DB, level_db
from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio, Kit, Layer, Voice
from midigroove_core.kits.shaping import Band, Room
from midigroove_core.kits.soundfont import trim

EDITION = 1
"""Of `draw` and `mix`: whatever changes what a number sounds like changes this too."""

LARGEST = 999_999

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "kick": ("kick",), "snare": ("snare", "rimshot", "xstick"),
    "toms": ("tom_high", "tom_mid", "tom_low"),
    "hats": ("hat_closed", "hat_open", "hat_pedal"),
    "crashes": ("crash_1", "crash_2", "splash_china"), "rides": ("ride", "ride_bell"),
    "percussion": ("other",),
}  # fmt: skip
"""Family -> articulations that are mixed and shaped alike; each articulation is in one."""

_LONGEST_SEC = {
    "kick": 1.2, "snare": 1.2, "toms": 2.0, "hats": 2.0, "crashes": 3.5, "rides": 2.5,
    "percussion": 1.0,
}  # fmt: skip
_SEMITONES = {"kick": 5.0, "snare": 5.0, "toms": 5.0, "hats": 6.0, "crashes": 5.0, "rides": 5.0}
_FASTEST_DECAY = {"hats": -40.0, "crashes": -20.0, "rides": -20.0}
_NOISY = ("snare", "hats", "crashes", "rides")
_FEWEST_LAYERS, _MOST_LAYERS = 2, 6
_LOUDEST_SUM = 1.0
_SALT = 0x6B697473


@dataclass(frozen=True)
class Mixed:
    """How the drums of one family are made.

    Attributes:
        kits: (name of the kit, dB) of what is mixed.
        semitones, decay_db_per_sec, drive_db, noise_db, level_db: see `shaping`; no noise at -inf.
        bands: of the equaliser.
        velocities: one layer for each, rising, the last 127.
        power: amplitude goes with velocity to this power.
        soft_db: how much duller a drum is at velocity 1 than at 127, above 2 kHz.
    """

    kits: tuple[tuple[str, float], ...]
    semitones: float
    decay_db_per_sec: float
    bands: tuple[Band, ...]
    drive_db: float
    noise_db: float
    level_db: float
    velocities: tuple[int, ...]
    power: float
    soft_db: float


@dataclass(frozen=True)
class Recipe:
    """All that decides how a kit sounds, given the kits that are mixed; `room` None is dry."""

    number: int
    families: Mapping[str, Mixed]
    room: Room | None
    edition: int = field(default=EDITION)

    def to_json(self) -> dict[str, Any]:
        """For the state of a dataset: numbers and strings only; no noise is null."""
        facts = asdict(self)
        for family in facts["families"].values():
            family["noise_db"] = family["noise_db"] if np.isfinite(family["noise_db"]) else None
            family["kits"] = [list(part) for part in family["kits"]]
            family["bands"] = list(family["bands"])
            family["velocities"] = list(family["velocities"])
        return facts


def kit_name(number: int) -> str:
    """What a kit is called, "random_0007"."""
    return f"random_{number:04d}"


def parse_name(name: str) -> tuple[int, tuple[str, ...]] | None:
    """The number and the folders of "random_0007+FOLDER"; None for any other name.

    Raises:
        InputError: a number that is too large.
    """
    match = re.fullmatch(r"random_(\d+)((?:\+[^+]+)*)", name, re.IGNORECASE)
    if match is None:
        return None
    number = int(match[1])
    if number > LARGEST:
        raise InputError(f"kit {name!r}: random kits are numbered from 0 to {LARGEST}")
    return number, tuple(part for part in match[2].split("+") if part)


def draw(number: int, kits: Sequence[str]) -> Recipe:
    """The recipe of a number, from kits of these names."""
    rng = Draw(_SALT, number)
    families = {name: _draw_family(name, kits, rng) for name in FAMILIES}
    room = None
    if not rng.chance(0.25):
        room = Room(
            rt60_sec=rng.log_between(0.12, 0.9), wet_db=rng.between(-24.0, -6.0),
            delay_sec=rng.between(0.001, 0.02), bright_hz=rng.log_between(1500.0, 9000.0),
            seed=rng.below(2**31),
        )  # fmt: skip
    return Recipe(number, families, room)


def _draw_family(name: str, kits: Sequence[str], rng: Draw) -> Mixed:
    first = (rng.pick(kits), 0.0)
    second = (rng.pick(kits), rng.between(-12.0, 0.0))
    semitones = _SEMITONES.get(name, 4.0)
    bands = (
        Band("low_shelf", rng.log_between(80.0, 300.0), rng.between(-6.0, 6.0)),
        Band("bell", rng.log_between(250.0, 5000.0), rng.between(-9.0, 9.0)),
        Band("high_shelf", rng.log_between(3000.0, 9000.0), rng.between(-9.0, 6.0)),
    )
    layers = rng.below(_MOST_LAYERS - _FEWEST_LAYERS + 1) + _FEWEST_LAYERS
    if name == "percussion":
        layers = 1
    return Mixed(
        kits=(first, second) if rng.chance(0.4) and second[0] != first[0] else (first,),
        semitones=rng.between(-semitones, semitones),
        decay_db_per_sec=rng.between(_FASTEST_DECAY.get(name, -60.0), 4.0),
        bands=bands,
        drive_db=rng.between(3.0, 18.0) if rng.chance(0.35) else 0.0,
        noise_db=rng.between(-24.0, -9.0) if name in _NOISY and rng.chance(0.5) else -np.inf,
        level_db=rng.between(-4.0, 4.0),
        velocities=tuple(round(127 * (i + 1) / layers) for i in range(layers)),
        power=rng.between(1.4, 2.2),
        soft_db=rng.between(-15.0, 0.0),
    )


def mix(recipe: Recipe, kits: Mapping[str, Kit], name: str) -> Kit:
    """The kit of a recipe.

    It has every articulation that one of `kits` has, and every pitch of its own that the mixed ones
    have; it is as loud as the kits that ship.

    Args:
        recipe: from `draw`.
        kits: by the names that were drawn from; at 44.1 kHz.
        name: of the new kit.
    """
    response = None if recipe.room is None else shaping.room_response(recipe.room)
    articulations: dict[str, list[Layer]] = {}
    variants: dict[str, dict[int, list[Layer]]] = {}
    for family, members in FAMILIES.items():
        making = _Making(recipe.families[family], family, recipe, response)
        sources = [(kits[kit], db) for kit, db in making.mixed.kits]
        for articulation in members:
            layers = making.layers(_voices(sources, kits, articulation, -1))
            if layers:
                articulations[articulation] = layers
            pitches = sorted({p for kit, _ in sources for p in kit.variants.get(articulation, {})})
            if pitches:
                variants[articulation] = {
                    pitch: making.layers(_voices(sources, kits, articulation, pitch))
                    for pitch in pitches
                }
    kit = Kit(name, articulations, variants)
    scaled = _scaled(kit, _gain(kit))
    license_ = ", ".join(sorted({kit.license for kit in kits.values()}))
    return replace(scaled, license=license_, source=f"mixed from {', '.join(sorted(kits))}")


def _voices(
    sources: Sequence[tuple[Kit, float]], kits: Mapping[str, Kit], articulation: str, pitch: int
) -> list[tuple[Voice, float]]:
    """What the sources play there, or, where none has it itself, the first kit that does."""
    own = [
        (kit, db) for kit, db in sources if kit.played_as(articulation, pitch) == articulation
    ] or [(kit, 0.0) for kit in kits.values() if kit.played_as(articulation, pitch) == articulation]
    voices = [(kit.voice(articulation, pitch), db) for kit, db in own[: len(sources)]]
    return [(voice, db) for voice, db in voices if voice is not None]


@dataclass(frozen=True)
class _Making:
    """Makes the drums of a family."""

    mixed: Mixed
    family: str
    recipe: Recipe
    response: Audio | None

    def layers(self, voices: Sequence[tuple[Voice, float]]) -> list[Layer]:
        """One layer for each velocity; none without voices."""
        if not voices:
            return []
        dry = [self._dry(voices, velocity) for velocity in self.mixed.velocities]
        loudest = float(np.abs(dry[-1]).max())
        level_db = self.mixed.level_db + float(
            np.mean([_energy_db(audio) + 20 * np.log10(gain) for audio, gain in _at(voices, 127)])
        )
        made = []
        for velocity, shot in zip(self.mixed.velocities, dry, strict=True):
            shot = trim(self._wet(shot, velocity, loudest), longest_sec=_LONGEST_SEC[self.family])
            wanted_db = level_db + 20 * self.mixed.power * np.log10(velocity / 127)
            gain = 10 ** ((wanted_db - _energy_db(shot)) / 20)
            made.append(Layer(velocity, (shot * np.float32(gain)).astype(np.float32)))
        return made

    def _dry(self, voices: Sequence[tuple[Voice, float]], velocity: int) -> Audio:
        """The sources, mixed and equalised; the level is still that of `velocity`."""
        shots = [
            audio[: round(2 * _LONGEST_SEC[self.family] * SAMPLE_RATE)]
            * np.float32(gain * 10 ** (db / 20))
            for (audio, gain), (_, db) in zip(_at(voices, velocity), voices, strict=True)
        ]
        total = np.zeros(max(len(shot) for shot in shots), dtype=np.float32)
        for shot in shots:
            total[: len(shot)] += shot
        total = shaping.pitched(total, self.mixed.semitones)
        soft = Band("high_shelf", 2000.0, self.mixed.soft_db * (1 - velocity / 127))
        return shaping.equalised(total, (*self.mixed.bands, soft))

    def _wet(self, shot: Audio, velocity: int, loudest: float) -> Audio:
        seed = self.recipe.number * 1000 + velocity
        shot = shaping.with_noise(shot, self.mixed.noise_db, seed)
        shot = shaping.decayed(shot, self.mixed.decay_db_per_sec)
        shot = shaping.driven(shot, self.mixed.drive_db, loudest)
        if self.response is None or self.recipe.room is None:
            return shot
        return shaping.in_room(shot, self.response, self.recipe.room.wet_db)


def _at(voices: Sequence[tuple[Voice, float]], velocity: int) -> list[tuple[Audio, float]]:
    return [voice.at(velocity) for voice, _ in voices]


def _energy_db(audio: Audio) -> float:
    return 10 * float(np.log10(np.square(audio, dtype=np.float64).sum() + 1e-20))


def _gain(kit: Kit) -> float:
    """What brings the reference bars to `LEVEL_DB`, unless three drums at 127 would clip."""
    peaks = sorted(float(np.abs(v[-1].audio).max()) for v in kit.articulations.values())
    return min(10 ** ((LEVEL_DB - level_db(kit)) / 20), _LOUDEST_SUM / sum(peaks[-3:]))


def _scaled(kit: Kit, gain: float) -> Kit:
    return kit.map(lambda layer: layer.map(lambda audio: audio * np.float32(gain)))
