"""Who plays what: hits per drum class of a clip, and templates to hear them with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import CLASS_OF_ARTICULATION, ROLAND_TD_MAP
from midigroove_core.kits import list_kits, load_kit
from midigroove_core.metrics.drums import DRUM_CLASSES, DrumTemplates, build_templates
from midigroove_core.oneshots import Kit
from midigroove_core.pipelines.evaluate.clipset import EvalClip

TEMPLATE_VELOCITY = 80
TEMPLATE_SEC = 0.5
SHARED_KITS = 2
"""Kits whose one-shots are the templates for a kit that is not a built-in one."""

_ARTICULATIONS = {
    name: [a for a, drum_class in CLASS_OF_ARTICULATION.items() if drum_class == name]
    for name in DRUM_CLASSES
}
_CLASS_OF_PITCH = np.array(
    [CLASS_OF_ARTICULATION[ROLAND_TD_MAP.get(pitch, "other")] for pitch in range(128)]
)

Hits = dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]


def clip_classes(clip: EvalClip) -> NDArray[np.str_]:
    """The drum class of each hit inside the clip."""
    return _CLASS_OF_PITCH[clip.pitches]


def class_hits(clip: EvalClip) -> Hits:
    """Drum class -> (onsets from the clip's start, velocities) of the hits inside the clip."""
    names = clip_classes(clip)
    return {
        name: (clip.onsets_sec[names == name], clip.velocities[names == name])
        for name in DRUM_CLASSES
    }


class Transcribers:
    """Templates per kit: its own one-shots where it is a built-in kit, else those of others.

    Args:
        sample_rate: of the audio to be transcribed.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._known = [info.id for info in list_kits()]
        self._templates: dict[str, DrumTemplates] = {}

    def has_own(self, kit: str) -> bool:
        """Whether that kit is heard with its own one-shots."""
        return kit.casefold() in self._known

    def templates(self, kit: str) -> DrumTemplates:
        """What to hear that kit with."""
        folded = kit.casefold()
        name = folded if folded in self._known else ""
        if name not in self._templates:
            names = [name] if name else self._known[:SHARED_KITS]
            shots: dict[str, list[NDArray[np.float32]]] = {}
            for kit_id in names:
                self._add_shots(load_kit(kit_id), shots)
            self._templates[name] = build_templates(shots, self._sample_rate)
        return self._templates[name]

    def _add_shots(self, kit: Kit, shots: dict[str, list[NDArray[np.float32]]]) -> None:
        at_rate = kit.at_rate(self._sample_rate)
        for drum_class, articulations in _ARTICULATIONS.items():
            for articulation in articulations:
                voice = at_rate.voice(articulation, -1)
                if articulation not in kit.articulations or voice is None:
                    continue
                audio, gain = voice.at(TEMPLATE_VELOCITY)
                length = round(TEMPLATE_SEC * self._sample_rate)
                shots.setdefault(drum_class, []).append(audio[:length] * np.float32(gain))
