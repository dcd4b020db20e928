"""What every row is compared with: the recordings, or without them the first codec's oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midigroove_core.audio import downmix
from midigroove_core.coding.decode import decode_whole
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.hearing import features_of
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.recordings import Recordings
from midigroove_core.evaluation.rows.source import Audio, ClipBatch
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.scorecard.records import Reference
from midigroove_core.scorecard.rows import RowKind


@dataclass(frozen=True)
class References:
    """Gives the reference of clips and of whole stretches.

    Attributes:
        recordings: None when the oracle stands in.
        group: whose oracle; None where there are recordings and no codec.
        sample_rate: of the audio that it gives.
        journal: notes what cannot be had.
    """

    recordings: Recordings | None
    group: CodecGroup | None
    sample_rate: int
    journal: Journal

    @property
    def facts(self) -> Reference:
        """Which reference this is."""
        if self.recordings is not None:
            name = RowKind.RECORDING.value
            return Reference(name, name, self.recordings.fingerprint, None)
        assert self.group is not None
        return Reference(self.group.oracle, RowKind.ORACLE.value, None, self.group.facts)

    def batch(self, number: int, clips: Sequence[EvalClip]) -> ClipBatch:
        """The clips with their references; a clip without one is noted as left out for all."""
        found, recorded = {}, {}
        for clip in clips:
            try:
                audio = self._audio(clip)
                found[clip.index] = self._features(audio)
                if self.recordings is not None:
                    recorded[clip.index] = audio
            except InputError as error:
                self.journal.skip(clip.clip_id, "", str(error))
        return ClipBatch(number, tuple(clips), found, recorded)

    def clip(self, clip: EvalClip) -> AudioFeatures:
        """The reference of one clip.

        Raises:
            InputError: there is none.
        """
        return self._features(self._audio(clip))

    def stretch(self, stretch: EvalClip) -> Audio:
        """The reference of a long stretch `[C, S]`, codes decoded as one.

        Raises:
            InputError: there is none.
        """
        if self.recordings is not None:
            return self.recordings.audio(stretch)
        group = self.group
        assert group is not None and group.codec is not None
        window = group.window(stretch)
        codes = group.cache.codes(window.entry, window.left, window.num_frames).astype(np.int64)
        audio = decode_whole(group.codec, codes) / np.float32(window.entry.gain)
        return group.at_rate(stretch, audio, self.sample_rate)

    def _audio(self, clip: EvalClip) -> Audio:
        return self._oracle(clip) if self.recordings is None else self.recordings.audio(clip)

    def _features(self, audio: Audio) -> AudioFeatures:
        return features_of(downmix(audio), self.sample_rate, "reference")

    def _oracle(self, clip: EvalClip) -> Audio:
        group = self.group
        assert group is not None
        window = group.window(clip)
        codes = group.cache.codes(window.entry, window.left, window.num_frames)
        (audio,) = group.decode([clip], [window], [codes.astype(np.int64)])
        return group.at_rate(clip, audio, self.sample_rate)
