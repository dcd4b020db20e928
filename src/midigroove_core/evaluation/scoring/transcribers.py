"""Who plays what: hits per drum class of a clip, and templates to hear them with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import classes_of_pitches, load_drum_map
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.scoring.kit_recordings import (
    NO_EXCERPTS,
    VOICES,
    KitRecordings,
)
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.metrics.drum_fitting import TooFewHits, fit_templates
from midigroove_core.metrics.drums import HEARD_DRUMS, DrumTemplates, build_templates
from midigroove_core.scorecard.records import HeardWith

TEMPLATE_VELOCITY = 80
TEMPLATE_SEC = 0.5
SHARED_KITS = 2
"""Kits whose one-shots are the templates of a kit of which nothing else is known."""

_CLASS_OF_PITCH = np.array(classes_of_pitches(load_drum_map()))

Hits = dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]


def clip_classes(clip: EvalClip) -> NDArray[np.str_]:
    """The drum class of each hit inside the clip; "" for what is no drum."""
    return _CLASS_OF_PITCH[clip.pitches]


def class_hits(clip: EvalClip) -> Hits:
    """Drum class -> (onsets from the clip's start, velocities) of the hits inside the clip."""
    names = clip_classes(clip)
    return {
        name: (clip.onsets_sec[names == name], clip.velocities[names == name])
        for name in HEARD_DRUMS
    }


class Transcribers:
    """Templates per kit, made when first asked for.

    Fitted to recordings of the kit where there are some. Otherwise its own one-shots where it is a
    built-in kit, else those of other kits, which is much worse. Recordings go first also for
    built-in kits: they hear as well as the one-shots do, and a dataset's kit may share no more than
    its name with a built-in one.

    Args:
        sample_rate: of the audio to be transcribed.
        recordings: of the kits; None where there are none.
    """

    def __init__(self, sample_rate: int, recordings: KitRecordings | None = None) -> None:
        self._sample_rate = sample_rate
        self._recordings = recordings
        self._known = [info.id for info in list_kits()]
        self._shots: dict[str, DrumTemplates] = {}
        self._templates: dict[str, DrumTemplates] = {}
        self._heard: dict[str, HeardWith] = {}

    @property
    def heard_with(self) -> list[HeardWith]:
        """A line for each kit so far, by name."""
        return [self._heard[kit] for kit in sorted(self._heard)]

    @property
    def heard(self) -> dict[str, HeardWith]:
        """The same by kit, to be told to another process."""
        return self._heard

    def absorb(self, heard: dict[str, HeardWith]) -> None:
        """What another process has heard kits with."""
        self._heard |= heard

    def templates(self, kit: str) -> DrumTemplates:
        """What to hear that kit with."""
        if kit not in self._templates:
            found = self._recordings.excerpts(kit) if self._recordings is not None else NO_EXCERPTS
            try:
                templates = fit_templates(found.recordings, self._sample_rate, VOICES)
                seconds, judged = found.seconds, found.judged
                source = "the judged recordings themselves" if judged else "other recordings"
                how = f"fitted to {seconds:.0f} s of {source}"
            except TooFewHits:
                templates, how = self._one_shots(kit)
                seconds, judged = 0.0, False
            absent = [name for name in HEARD_DRUMS if name not in templates.classes]
            self._templates[kit] = templates
            self._heard[kit] = HeardWith(
                kit, how, round(seconds, 3), judged, absent, found.unusable
            )
        return self._templates[kit]

    def _one_shots(self, kit: str) -> tuple[DrumTemplates, str]:
        folded = kit.casefold()
        own = folded in self._known
        name = folded if own else ""
        if name not in self._shots:
            shots: dict[str, list[NDArray[np.float32]]] = {}
            for kit_id in [name] if own else self._known[:SHARED_KITS]:
                self._add_shots(load_kit(kit_id), shots)
            self._shots[name] = build_templates(shots, self._sample_rate)
        return self._shots[name], "own one-shots" if own else "one-shots of other kits"

    def _add_shots(self, kit: Kit, shots: dict[str, list[NDArray[np.float32]]]) -> None:
        at_rate = kit.at_rate(self._sample_rate)
        for articulation, drum_class in VOICES.items():
            voice = at_rate.voice(articulation, -1)
            if articulation not in kit.articulations or voice is None:
                continue
            audio, gain = voice.at(TEMPLATE_VELOCITY)
            length = round(TEMPLATE_SEC * self._sample_rate)
            shots.setdefault(drum_class, []).append(audio[:length] * np.float32(gain))
