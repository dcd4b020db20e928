"""A kit that a model has no name for, as it hears one: in a sketch of what it is to play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from midigroove_core.coding.encode import EncodingPlan, encode_take
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits import sampler
from midigroove_core.kits.library import load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress

if TYPE_CHECKING:
    from midigroove_core.checkpoint import Checkpoint
    from midigroove_core.drums import DrumMap
    from midigroove_core.rendering.config import RenderConfig

PEAK = 0.45
"""Recordings are brought to this peak before they are heard: the median of takes that `data synth`
makes, so that a level means the velocities that it meant in training."""

HEADROOM = 0.7
"""What a kit of one-shots is multiplied with for the same reason: 3 dB below its own level."""


@dataclass(frozen=True, eq=False)
class HeardKit:
    """What a model is given of a kit.

    Attributes:
        kit: that sketches.
        gain: what its sketches are multiplied with; what is played in its likeness is divided by
            it, to be as loud.
    """

    kit: Kit
    gain: float

    def sketch(
        self, performance: DrumPerformance, drum_map: DrumMap, codec: Codec, num_frames: int
    ) -> NDArray[np.int64]:
        """Codes [K, num_frames] of what the kit makes of a performance."""
        clock = codec.clock
        played = sampler.render(
            performance, self.kit, sample_rate=clock.sample_rate, drum_map=drum_map,
            num_samples=num_frames * clock.hop_length,
        )  # fmt: skip
        audio = np.repeat(played[None] * np.float32(self.gain), codec.channels, axis=0)
        return encode_take(codec, audio, EncodingPlan.for_codec(codec)).astype(np.int64)


def hear_kit(config: RenderConfig, checkpoint: Checkpoint, progress: Progress) -> HeardKit:
    """The kit of the recording, or the one-shots, that `config` names.

    Raises:
        InputError: the model hears no kits, or this one cannot be used.
    """
    if not checkpoint.model.uses_sketch:
        name = checkpoint.path.name
        raise InputError(f"{name}: hears no kits it has no name for; `engine` sampler plays them")
    if config.like is None:
        assert config.kit is not None
        return HeardKit(load_kit(config.kit), HEADROOM)
    from midigroove_core.recordings.like import kit_like  # scipy.signal takes longer than a render

    found, heard = kit_like(config.like, config.like_midi, drum_map=config.read_drum_map())
    for line in heard.doubts:
        progress.message(line)
    progress.message(f"{config.like}: {heard.how}; {heard.performance.num_hits} hits")
    if found.borrowed:
        progress.message(found.borrowed)
    return HeardKit(found.kit, PEAK / float(np.abs(heard.audio).max()))
