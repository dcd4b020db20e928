"""The work of one process on a cache: it encodes takes while the next ones are being read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.cache.writer import CacheWriter
from midigroove_core.coding.encode import TakeEncoder
from midigroove_core.coding.resample import resample_on
from midigroove_core.errors import InputError
from midigroove_core.progress import Progress
from midigroove_core.takes.reading import LoadedTake, Skip, TakeReader, read_ahead

if TYPE_CHECKING:
    from midigroove_core.takes import Take


@dataclass
class CacheSummary:
    """What a run did.

    Attributes:
        path: the cache.
        finished: False while other ranks have takes to encode.
        cached: takes in the finished cache; takes that this run encoded when not finished.
        encoded: takes that this run encoded.
        skipped: reason -> takes left out, of the whole cache when finished.
        downmixed: takes of this run whose files have more channels than the codec takes.
        audio_sec: seconds of audio that this run encoded.
        wall_sec: how long the run took.
        encode_sec: how much of it was spent inside the codec.
    """

    path: Path
    finished: bool = False
    cached: int = 0
    encoded: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    downmixed: int = 0
    audio_sec: float = 0.0
    wall_sec: float = 0.0
    encode_sec: float = 0.0


@dataclass
class EncodingRun:
    """Encodes takes and closes shards.

    Attributes:
        writer: of the cache.
        reader: of the dataset.
        encoder: has the codec.
        workers: processes that read and resample; 0 leaves that to threads.
        strict: stop at the first take that cannot be used.
        progress: told about every take.
        summary: of what was done.
    """

    writer: CacheWriter
    reader: TakeReader
    encoder: TakeEncoder
    workers: int
    strict: bool
    progress: Progress
    summary: CacheSummary
    _left: Counter[int] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)

    def encode(self, takes: Sequence[int]) -> None:
        """Encodes what is missing of some takes, by their places in the dataset, and closes every
        shard whose takes are all there by then, whoever encoded them."""
        missing = [number for number in takes if not self.writer.take_done(number)]
        if len(missing) < len(takes):
            self.progress.message(f"{self.writer.path}: going on with an unfinished cache")
        self.progress.start("encoding takes", len(takes))
        self.progress.advance(len(takes) - len(missing))
        self._left = Counter(self.writer.shard_of(number) for number in missing)
        for (number, take, loaded), codes in self.encoder.encode(self._readable(missing)):
            if isinstance(codes, InputError):
                self._leave_out(number, take, Skip("refused by the codec", str(codes)))
            else:
                self._add(number, take, loaded, codes)
        for shard in self.writer.missing_shards():
            self.writer.close_if_whole(shard)
        self.summary.encode_sec = self.encoder.seconds
        self.summary.skipped = dict(self._reasons)
        self.progress.finish()
        if self.summary.downmixed:
            self.progress.message(
                f"{self.summary.downmixed} takes had more channels than the codec's "
                f"{self.reader.channels}; their mean was encoded"
            )

    def _readable(self, numbers: Sequence[int]) -> Iterator[tuple[_Read, NDArray[np.float32]]]:
        takes = ((number, self.reader.dataset.takes[number]) for number in numbers)
        for number, take, found in read_ahead(self.reader, takes, workers=self.workers):
            if isinstance(found, Skip):
                self._leave_out(number, take, found)
            else:
                found = self._at_rate(found)
                yield (number, take, found), found.audio

    def _at_rate(self, loaded: LoadedTake) -> LoadedTake:
        """The take at the codec's rate, if it was not read so."""
        own, wanted = loaded.sample_rate, self.reader.sample_rate
        if own == wanted:
            return loaded
        audio = resample_on(self.encoder.codec.device, loaded.audio, own, wanted)
        return replace(loaded, audio=audio, sample_rate=wanted)

    def _leave_out(self, number: int, take: Take, skip: Skip) -> None:
        if self.strict:
            raise InputError(f"take {take.key}: {skip.reason}: {skip.detail}")
        self.writer.add_skip(number, take.key, skip.reason, skip.detail)
        self._reasons[skip.reason] += 1
        self._is_done(number)

    def _add(self, number: int, take: Take, loaded: LoadedTake, codes: NDArray[Any]) -> None:
        num_samples = loaded.audio.shape[1]
        self.summary.audio_sec += num_samples / self.reader.sample_rate
        self.summary.downmixed += loaded.file_channels > self.reader.channels
        self.summary.encoded += 1
        if not self.writer.has_performance(take.midi_path):
            self.writer.add_performance(take.midi_path, loaded.performance)
        row = {
            "key": take.key,
            "performance_key": take.performance_key,
            "midi_path": take.midi_path,
            "split": take.split,
            "kit": take.kit,
            "drummer": take.drummer,
            "style": take.style,
            "bpm": float(take.bpm),
            "beat_type": take.beat_type,
            "time_signature": take.time_signature,
            "num_frames": codes.shape[1],
            "num_samples": num_samples,
            "gain": loaded.gain,
        }
        self.writer.add_take(number, row, codes)
        self._is_done(number)

    def _is_done(self, number: int) -> None:
        shard = self.writer.shard_of(number)
        self._left[shard] -= 1
        if self._left[shard] == 0:
            self.writer.close_if_whole(shard)
        self.progress.advance(1, left_out=sum(self._reasons.values()))


_Read = tuple[int, "Take", LoadedTake]
