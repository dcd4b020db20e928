"""Encodes a dataset once, into a cache that training and evaluation read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core import bounds
from midigroove_core.allocator import keep_freed_memory
from midigroove_core.cache import Cache, CacheWriter
from midigroove_core.cache.format import HEADER, PLAN, REPLACEMENT, SKIPPED, SkippedTake
from midigroove_core.cache.header import make_header
from midigroove_core.cache.replace import check_replaceable, discard, move_in
from midigroove_core.cache.schema import read_plan
from midigroove_core.coding.encode import EncodingPlan, encode_take
from midigroove_core.device import choose_device
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.lock import lock_folder
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.structured import read_json_lines_as
from midigroove_core.takes.dataset import refuse_overlap
from midigroove_core.takes.reading import LoadedTake, Skip, TakeReader, read_ahead

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec
    from midigroove_core.takes import Dataset, Take

TAKES_PER_SHARD = 64


@dataclass
class CacheSummary:
    """What a run did.

    Attributes:
        path: the cache.
        finished: False while other ranks have shards to write.
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


def build_cache(
    dataset: Dataset,
    codec: Codec,
    out: str | Path,
    *,
    device: str = "auto",
    batch: int | None = None,
    rank: int = 0,
    world: int = 1,
    strict: bool = False,
    normalize: bool = False,
    overwrite: bool = False,
    takes_per_shard: int = TAKES_PER_SHARD,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> CacheSummary:
    """Encodes every take of a dataset; goes on where an earlier run was killed.

    Args:
        dataset: what to encode.
        codec: with what.
        out: folder of the cache.
        device: "cpu", "cuda", ..., or "auto": a GPU where there is one.
        batch: windows of one take that are encoded together; None chooses by device.
        rank, world: this process is number `rank` of `world` that build the cache together; the
            last one to end completes it.
        strict: stop at the first take that cannot be used, instead of counting it.
        normalize: bring each take's peak to -1 dBFS; the factor is in the index as `gain`.
        overwrite: make the cache in `out` again; the old one stays until the new one is whole.
        takes_per_shard: takes in one file of codes; ranks share the work by shards.
        progress: told about every take.
        registry: says which distribution the codec came from.

    Raises:
        MismatchError: `out` is a cache of something else; names the field.
        InputError: nothing cached, a performance in two splits, or (strict) a take of no use.
        MidigrooveError: the disk is full or cannot be written to; the same call goes on later.
    """
    began, progress, out = time.perf_counter(), progress or Silent(), Path(out)
    summary = CacheSummary(out)
    _check_ranks(out, rank, world, overwrite)
    _check_counts(batch=batch, takes_per_shard=takes_per_shard)
    _check_takes(dataset, progress)
    keep_freed_memory()
    codec = codec.to(choose_device(device))
    plan = EncodingPlan.for_codec(codec, batch)
    encoding = plan.to_json() | {"segment_frames": codec.segment_frames, "normalize": normalize}
    encoding["takes_per_shard"] = takes_per_shard
    header = make_header(dataset, codec, encoding, registry or Registry())
    with lock_folder(out, f"cache as rank {rank}", name=f".rank-{rank}.lock"):
        writer = _replacing_writer(out, header) if overwrite else _writer(out, header)
        if not writer.complete:
            rate, channels = codec.clock.sample_rate, codec.channels
            reader = TakeReader(dataset, rate, channels, normalize=normalize)
            _Run(writer, reader, codec, plan, strict, progress, summary).encode_share(rank, world)
        if overwrite and move_in(out):
            writer.path = out
        _add_totals(summary, writer, strict)
    summary.wall_sec = time.perf_counter() - began
    return summary


def _check_ranks(out: Path, rank: int, world: int, overwrite: bool) -> None:
    if not 0 <= rank < world:
        raise MidigrooveError(f"rank is {rank}, expected a number from 0 to {world - 1}")
    if overwrite and world > 1:
        raise MidigrooveError(f"`overwrite` is for one process; remove {out} before starting ranks")
    if out.exists() and not out.is_dir():
        raise MidigrooveError(f"{out}: is a file; a cache is a folder")


def _check_counts(**counts: int | None) -> None:
    for name, value in counts.items():
        if value is not None:
            bounds.AT_LEAST_ONE.check(f"`{name}`", value)


def _check_takes(dataset: Dataset, progress: Progress) -> None:
    refuse_overlap(dataset.takes, dataset.name)
    if dataset.unpaired:
        progress.message(
            f"{len(dataset.unpaired)} audio files have no MIDI beside them and are left out "
            f"(the first is {dataset.unpaired[0]})"
        )


def _writer(out: Path, header: dict[str, Any]) -> CacheWriter:
    if not (out / HEADER).exists():
        move_in(out)  # where an earlier run was killed while it did that
    return CacheWriter(out, header)


def _replacing_writer(out: Path, header: dict[str, Any]) -> CacheWriter:
    """A writer beside the cache that is there, which stays as it is until the new one is whole."""
    check_replaceable(out)
    if not (out / HEADER).exists() and not move_in(out):
        discard(out)
        discard(out / REPLACEMENT)
        return CacheWriter(out, header)
    try:
        return CacheWriter(out / REPLACEMENT, header)
    except MismatchError:  # begun with another codec, dataset or other options
        discard(out / REPLACEMENT)
        return CacheWriter(out / REPLACEMENT, header)


def finish_cache(out: str | Path) -> CacheSummary:
    """Completes a cache whose shards are all written.

    Raises:
        InputError: there is no unfinished cache, or nothing could be cached.
        MidigrooveError: shards are missing; names the first.
    """
    out = Path(out)
    summary = CacheSummary(out)
    if not (out / HEADER).exists():
        if not (out / PLAN).exists():
            raise InputError(f"{out}: no cache was begun here; make one with midigroove cache")
        writer = CacheWriter(out, read_plan(out / PLAN))
        _finish(writer)
    cache = Cache.open(out)
    summary.finished, summary.cached = True, len(cache.entries)
    summary.skipped = dict(cache.header["counts"]["skipped"])
    return summary


def _finish(writer: CacheWriter) -> None:
    try:
        writer.finish()
    except MidigrooveError:
        # Another rank may have finished in this moment and cleared the working files away.
        if not (writer.path / HEADER).exists():
            raise


def _add_totals(summary: CacheSummary, writer: CacheWriter, strict: bool) -> None:
    summary.cached = summary.encoded
    if not writer.complete:
        return
    summary.finished = True
    if not (writer.path / HEADER).exists():
        rows = read_json_lines_as(writer.path / SKIPPED, SkippedTake)
        skipped = Counter(row.reason for _, row in rows)
        reasons = ", ".join(f"{name}: {count}" for name, count in skipped.items())
        raise InputError(
            f"{writer.path}: nothing was cached; all {writer.num_takes} takes were left out "
            f"({reasons}); skipped.jsonl there names each"
        )
    header = Cache.open(writer.path).header
    summary.cached = header["counts"]["takes"]
    summary.skipped = header["counts"]["skipped"]
    if strict and summary.skipped:
        raise InputError(f"{writer.path}: takes were left out before; `overwrite` to try again")


@dataclass
class _Run:
    """Encodes shard after shard while the next takes are being read."""

    writer: CacheWriter
    reader: TakeReader
    codec: Codec
    plan: EncodingPlan
    strict: bool
    progress: Progress
    summary: CacheSummary

    def encode_share(self, rank: int, world: int) -> None:
        """Encodes this rank's shards, and completes the cache if they were the last."""
        self.encode(range(rank, self.writer.num_shards, world))
        if not self.writer.missing_shards():
            _finish(self.writer)
            self.writer.complete = True

    def encode(self, shards: range) -> None:
        """Encodes what is missing of the shards."""
        missing = [shard for shard in shards if not self.writer.shard_done(shard)]
        takes = [take for shard in missing for take in self.writer.takes_of(shard)]
        done = sum(self.writer.take_done(take) for take in takes)
        if done or len(missing) < len(shards):
            self.progress.message(f"{self.writer.path}: going on with an unfinished cache")
        self.progress.start("encoding takes", len(takes))
        self.progress.advance(done)
        reasons: Counter[str] = Counter()
        threads = 1 if self.codec.device.type == "cpu" else 4
        reads = read_ahead(self.reader, self._todo(missing), threads=threads, ahead=threads + 1)
        left = Counter({shard: sum(1 for _ in self._todo([shard])) for shard in missing})
        for shard in [shard for shard in missing if left[shard] == 0]:
            self.writer.close_shard(shard)
        for number, take, found in reads:
            self._add(number, take, found, reasons)
            shard = number // self.writer.takes_per_shard
            left[shard] -= 1
            if left[shard] == 0:
                self.writer.close_shard(shard)
        self.summary.skipped = dict(reasons)
        self.progress.finish()
        if self.summary.downmixed:
            self.progress.message(
                f"{self.summary.downmixed} takes had more channels than the codec's "
                f"{self.codec.channels}; their mean was encoded"
            )

    def _todo(self, shards: list[int]) -> Iterator[tuple[int, Take]]:
        for shard in shards:
            for number in self.writer.takes_of(shard):
                if not self.writer.take_done(number):
                    yield number, self.reader.dataset.takes[number]

    def _add(
        self, number: int, take: Take, found: LoadedTake | Skip, reasons: Counter[str]
    ) -> None:
        skip = found if isinstance(found, Skip) else self._encode_one(number, take, found)
        if skip is not None:
            if self.strict:
                raise InputError(f"take {take.key}: {skip.reason}: {skip.detail}")
            self.writer.add_skip(number, take.key, skip.reason, skip.detail)
            reasons[skip.reason] += 1
        self.progress.advance(1, left_out=sum(reasons.values()))

    def _encode_one(self, number: int, take: Take, loaded: LoadedTake) -> Skip | None:
        began = time.perf_counter()
        try:
            codes = encode_take(self.codec, loaded.audio, self.plan)
        except InputError as error:
            return Skip("refused by the codec", str(error))
        num_samples = loaded.audio.shape[1]
        self.summary.encode_sec += time.perf_counter() - began
        self.summary.audio_sec += num_samples / self.codec.clock.sample_rate
        self.summary.downmixed += loaded.file_channels > self.codec.channels
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
            "reference": take.reference,
        }
        self.writer.add_take(number, row, codes)
        return None
