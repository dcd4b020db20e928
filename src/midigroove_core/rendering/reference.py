"""A recording to sound like, as a model hears it: its grid and its codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
import torch

from midigroove_core.checkpoint import Checkpoint
from midigroove_core.coding.encode import EncodingPlan, encode_take
from midigroove_core.drums import DrumMap
from midigroove_core.errors import InputError
from midigroove_core.interfaces.batch import GridBatch, Reference
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits.oneshots import SAMPLE_RATE
from midigroove_core.kits.remap import remap
from midigroove_core.progress import Progress

LONGEST_SEC = 30.0
"""Of longer recordings the model hears so much, from where the first hit is."""

PEAK = 0.45
"""Recordings are brought to this peak before they are heard: the median of takes that `data synth`
makes, so that a level means the velocities that it meant in training."""


@dataclass(frozen=True)
class HeardKit:
    """What a model is given of a recording.

    Attributes:
        reference: of one clip.
        gain: what the recording was multiplied with; what is played in its likeness is divided by
            it, to be as loud.
    """

    reference: Reference
    gain: float

    def given_to(self, batch: GridBatch) -> GridBatch:
        """The batch with this reference for every clip."""
        rows, one = len(batch.grid), self.reference
        reference = Reference(
            grid=one.grid.expand(rows, -1, -1),
            codes=one.codes.expand(rows, -1, -1),
            mask=one.mask.expand(rows, -1),
        )
        return replace(batch, reference=reference)


def hear_kit(
    recording: Path,
    midi: Path | None,
    checkpoint: Checkpoint,
    codec: Codec,
    maps: tuple[DrumMap, DrumMap],
    progress: Progress,
) -> HeardKit:
    """Encodes a recording and lays what is played in it on the grid.

    Args:
        recording, midi: see `like.listen`.
        checkpoint, codec: the model and the codec of its codes.
        maps: what the pitches of `midi` mean, and how the grid reads pitches.
        progress: told of doubts, and how the hits were found.

    Raises:
        InputError: the model hears no recordings, or this one cannot be used.
    """
    from midigroove_core.rendering.like import listen  # scipy.signal takes longer than a render

    if not checkpoint.model.uses_reference:
        name = checkpoint.path.name
        raise InputError(f"{name}: hears no recordings; `engine` sampler plays like one")
    heard = listen(recording, midi)
    for line in heard.doubts:
        progress.message(line)
    progress.message(f"{recording}: {heard.how}; {len(heard.performance.pitch)} hits")
    first = float(heard.performance.onset_sec.min()) if heard.performance.num_hits else 0.0
    start = max(0.0, first - 0.1)
    audio = heard.audio[round(start * SAMPLE_RATE) :][: round(LONGEST_SEC * SAMPLE_RATE)]
    gain = PEAK / float(np.abs(audio).max())
    performance = heard.performance.slice(start, start + len(audio) / SAMPLE_RATE)
    performance, _ = remap(performance, maps[0].plain, maps[1].plain)
    clock = codec.clock
    audio = soxr.resample(audio * np.float32(gain), SAMPLE_RATE, clock.sample_rate)
    whole = np.repeat(np.asarray(audio, np.float32)[None], codec.channels, axis=0)
    codes = encode_take(codec, whole, EncodingPlan.for_codec(codec))
    frames = codes.shape[1]
    grid = checkpoint.featurizer.featurize(performance, clock, 0, frames).values
    reference = Reference(
        grid=torch.from_numpy(grid)[None],
        codes=torch.from_numpy(codes.astype(np.int64))[None],
        mask=torch.ones(1, frames, dtype=torch.bool),
    )
    return HeardKit(reference, gain)
