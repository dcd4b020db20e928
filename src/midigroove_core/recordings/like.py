"""The kit in a recording: what it plays is cut from it, and a kit that ships lends the rest.

found, recording = kit_like("loop.wav", midi="loop.mid")
midigroove_core.kits.sampler.render(performance, found.kit)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import DrumMap
from midigroove_core.kits import sampler
from midigroove_core.kits.cut import CutDrum, cut_kit, levelled, power
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import SAMPLE_RATE, Kit
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.performance import DrumPerformance
from midigroove_core.recordings.hearing import Recording, listen

COMPARED_SEC = 30.0
"""So much of a recording decides which kit that ships comes nearest."""

_ALIKE: Mapping[str, tuple[str, ...]] = {
    "snare": ("rimshot",), "rimshot": ("snare",),
    "tom_high": ("tom_mid", "tom_low"), "tom_mid": ("tom_low", "tom_high"),
    "tom_low": ("tom_mid", "tom_high"),
    "hat_closed": ("hat_pedal",), "hat_pedal": ("hat_closed",),
    "crash_1": ("crash_2", "splash_china"), "crash_2": ("crash_1", "splash_china"),
    "splash_china": ("crash_1", "crash_2"),
    "ride": ("ride_bell",), "ride_bell": ("ride",),
}  # fmt: skip
"""What of the recording stands in for a drum that it does not play, before any other kit does."""

_FAINT = 1e-18

Audio = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class KitLike:
    """A kit and where its drums are from.

    Attributes:
        kit: at `oneshots.SAMPLE_RATE`, as loud as the recording.
        drums: what was cut.
        lent: articulations that are another kit's.
        lender: id of that kit; empty when nothing was lent.
    """

    kit: Kit
    drums: tuple[CutDrum, ...]
    lent: tuple[str, ...] = ()
    lender: str = ""

    @property
    def borrowed(self) -> str:
        """For the user: what the recording does not play and another kit does; may be empty."""
        if not self.lent:
            return ""
        return f"not in the recording, so of the kit {self.lender}: {', '.join(self.lent)}"


def kit_like(
    recording: str | Path,
    midi: str | Path | None = None,
    *,
    drum_map: DrumMap | None = None,
    lenders: Sequence[str | Path] | None = None,
) -> tuple[KitLike, Recording]:
    """The kit that a recording was played on; see `hearing.listen` and `kit_in`.

    The drum map is that of the MIDI: hits that are heard have pitches of our own.
    """
    heard = listen(recording, midi)
    kit = kit_in(
        heard.audio, heard.performance, drum_map=None if heard.transcribed else drum_map,
        lenders=lenders, name=Path(recording).stem,
    )  # fmt: skip
    return kit, heard


def kit_in(
    audio: Audio,
    performance: DrumPerformance,
    *,
    drum_map: DrumMap | None = None,
    lenders: Sequence[str | Path] | None = None,
    name: str = "cut",
) -> KitLike:
    """Cuts the kit of a recording, as loud as there.

    Args:
        audio: [S] mono at `oneshots.SAMPLE_RATE`.
        performance: what is played in it.
        drum_map: what the pitches mean; Roland TD if not given.
        lenders: kits of which the nearest lends what the recording does not play and nothing in
            it resembles; None are all that ship. Of no kits, such drums are played as a kit plays
            what it lacks.
        name: of the kit.

    Raises:
        InputError: as `kits.cut.cut_kit`.
    """
    found = cut_kit(audio, SAMPLE_RATE, performance, drum_map=drum_map, name=name)
    kit = levelled(found.kit, audio, performance, drum_map=drum_map)
    cut = KitLike(kit, found.drums)
    if lenders is None:
        lenders = [info.id for info in list_kits()]
    lender = _nearest(audio, performance, drum_map, lenders) if lenders else None
    return cut if lender is None else _completed(cut, lender, audio, performance, drum_map)


def _completed(
    cut: KitLike,
    lender: Kit,
    audio: Audio,
    performance: DrumPerformance,
    drum_map: DrumMap | None,
) -> KitLike:
    own = cut.kit.articulations
    lent = [
        name
        for name in lender.articulations
        if name not in own and not any(other in own for other in _ALIKE.get(name, ()))
    ]
    if not lent:
        return cut
    ours, theirs = (
        power(sampler.render(performance, kit, drum_map=drum_map, num_samples=len(audio)))
        for kit in (cut.kit, lender)
    )
    gain = np.float32((ours / max(theirs, _FAINT)) ** 0.5)
    lender = lender.map(lambda layer: layer.map(lambda shot: shot * gain))
    kit = replace(
        cut.kit,
        articulations={**own, **{name: lender.articulations[name] for name in lent}},
        variants={name: by_pitch for name, by_pitch in lender.variants.items() if name in lent},
    )
    return replace(cut, kit=kit, lent=tuple(lent), lender=lender.name)


def _nearest(
    audio: Audio,
    performance: DrumPerformance,
    drum_map: DrumMap | None,
    lenders: Sequence[str | Path],
) -> Kit:
    """The kit that plays the recording most alike, by mel L1 at its level."""
    audio = audio[: round(COMPARED_SEC * SAMPLE_RATE)]
    heard = AudioFeatures.from_audio(audio, SAMPLE_RATE)

    def distance(kit: Kit) -> float:
        played = sampler.render(performance, kit, drum_map=drum_map, num_samples=len(audio))
        played *= np.float32((power(audio) / max(power(played), _FAINT)) ** 0.5)
        return mel_l1(heard, AudioFeatures.from_audio(played, SAMPLE_RATE))

    return min(map(load_kit, lenders), key=distance)
