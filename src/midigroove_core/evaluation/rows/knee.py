"""The oracle with its first 1, 2, ... levels, where the codec decodes prefixes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.source import Audio, ClipBatch


@dataclass(frozen=True, eq=False)
class KneePlayed:
    """A clip from the first so many levels of its true codes.

    Attributes:
        oracle: name of the row.
        levels: how many.
        bits_per_second: what they cost.
        clip: what is played.
        audio: `[C, S]` at the evaluation's rate.
    """

    oracle: str
    levels: int
    bits_per_second: float
    clip: EvalClip
    audio: Audio


class KneeSource:
    """Plays chosen clips of one codec.

    Args:
        group: the codec and its cache.
        chosen: indices of clips.
        sample_rate: of the clips that come out.
    """

    def __init__(self, group: CodecGroup, chosen: frozenset[int], sample_rate: int) -> None:
        self._group = group
        self._chosen = chosen
        self._sample_rate = sample_rate

    def play(self, batch: ClipBatch) -> Iterator[KneePlayed]:
        """Each chosen clip, once per number of levels."""
        for clip in batch.clips:
            if clip.index in self._chosen and clip.index in batch.references:
                yield from self._clip(clip)

    def _clip(self, clip: EvalClip) -> Iterator[KneePlayed]:
        group = self._group
        if group.codec is None or not group.codec.decodes_prefix:
            return
        try:
            window = group.window(clip)
        except InputError:  # the codec's own rows have noted it
            return
        codes = group.cache.codes(window.entry, window.left, window.num_frames).astype(np.int64)
        for count in range(1, group.codec.num_levels + 1):
            (audio,) = group.decode([clip], [window], [codes], count)
            at_rate = group.at_rate(clip, audio, self._sample_rate)
            yield KneePlayed(group.oracle, count, group.bits_per_second(count), clip, at_rate)
