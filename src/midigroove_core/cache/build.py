"""Encodes a dataset once, into a cache that training and evaluation read."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core import bounds
from midigroove_core.allocator import keep_freed_memory
from midigroove_core.cache import Cache, CacheWriter
from midigroove_core.cache.encoding import CacheSummary, EncodingRun
from midigroove_core.cache.format import HEADER, REPLACEMENT, SKIPPED, SkippedTake
from midigroove_core.cache.header import make_header
from midigroove_core.cache.replace import check_replaceable, discard, move_in
from midigroove_core.cache.shares import holding_share, share_of
from midigroove_core.coding.encode import EncodingPlan, TakeEncoder
from midigroove_core.coding.resample import device_resampler
from midigroove_core.device import choose_device
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.structured import read_json_lines_as
from midigroove_core.takes.dataset import refuse_overlap
from midigroove_core.takes.reading import TakeReader

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec
    from midigroove_core.takes import Dataset

TAKES_PER_SHARD = 64

RESAMPLERS = ("soxr", "device")

_MOST_READERS = 8
"""Per codec; each reads and resamples some 200 times as fast as takes play."""


def build_cache(
    dataset: Dataset,
    codec: Codec,
    out: str | Path,
    *,
    device: str = "auto",
    batch: int | None = None,
    workers: int | None = None,
    rank: int = 0,
    world: int = 1,
    finish: bool = False,
    strict: bool = False,
    normalize: bool = False,
    resample: str = "soxr",
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
        batch: windows that are encoded together; None chooses by device.
        workers: processes that read ahead, or 0; None is 0 on CPUs, and else so many as help.
        rank, world: this process is number `rank` of `world` that build the cache together, each a
            stretch of the takes; the last one to end completes it.
        finish: encode what all others, who must have ended, left undone, instead of a share.
        strict: stop at the first take that cannot be used, instead of counting it.
        normalize: bring each take's peak to -1 dBFS; the factor is in the index as `gain`.
        resample: "soxr", where takes are read, or "device", where the codec is (torchaudio).
        overwrite: make the cache in `out` again; the old one stays until the new one is whole.
        takes_per_shard: takes in one file of codes.
        progress: told about every take.
        registry: says which distribution the codec came from.

    Raises:
        MismatchError: `out` is a cache of something else; names the field.
        InputError: nothing cached, a performance in two splits, or (strict) a take of no use.
        MidigrooveError: a full disk, after which the same call goes on later; another process at
            work with this rank, or with another number of ranks.
    """
    share = (0, 1) if finish else (rank, world)
    began, summary, progress = time.perf_counter(), CacheSummary(Path(out)), progress or Silent()
    _check_ranks(summary.path, *share, overwrite)
    _check_takes(dataset, progress, batch=batch, takes_per_shard=takes_per_shard)
    codec = codec.to(choose_device(device))
    many, plan = _readers(codec, workers), EncodingPlan.for_codec(codec, batch)
    encoding = {"normalize": normalize, "takes_per_shard": takes_per_shard, **_resampler(resample)}
    reader, encoder = _reader(dataset, codec, encoding), TakeEncoder(codec, plan)
    header = _header(dataset, encoder, encoding, registry)
    with holding_share(summary.path, *share):
        writer = (_replacing_writer if overwrite else _writer)(summary.path, header)
        run = EncodingRun(writer, reader, encoder, many, strict, progress, summary)
        _build(run, *share, overwrite)
    summary.wall_sec = time.perf_counter() - began
    return summary


def _build(run: EncodingRun, rank: int, world: int, overwrite: bool) -> None:
    """Encodes a share, and completes the cache if all else is there."""
    writer, out = run.writer, run.summary.path
    if not writer.complete:
        keep_freed_memory()
        run.encode(share_of([take.duration_sec for take in run.reader.dataset.takes], rank, world))
        if not writer.missing_shards():
            _finish(writer)
            writer.complete = True
    if overwrite and move_in(out):
        writer.path = out
    _add_totals(run.summary, writer, run.strict)


def _check_ranks(out: Path, rank: int, world: int, overwrite: bool) -> None:
    if not 0 <= rank < world:
        raise MidigrooveError(f"rank is {rank}, expected a number from 0 to {world - 1}")
    if overwrite and world > 1:
        raise MidigrooveError(f"`overwrite` is for one process; remove {out} before starting ranks")
    if out.exists() and not out.is_dir():
        raise MidigrooveError(f"{out}: is a file; a cache is a folder")


def _resampler(resample: str) -> dict[str, str]:
    """What a header says of it; nothing of soxr."""
    if resample not in RESAMPLERS:
        raise InputError(f"resample is {resample!r}, expected one of {', '.join(RESAMPLERS)}")
    return {"resampler": device_resampler()} if resample == "device" else {}


def _reader(dataset: Dataset, codec: Codec, encoding: Mapping[str, Any]) -> TakeReader:
    rate, keep_rate = codec.clock.sample_rate, "resampler" in encoding
    normalize = encoding["normalize"]
    return TakeReader(dataset, rate, codec.channels, normalize=normalize, keep_rate=keep_rate)


def _header(
    dataset: Dataset, encoder: TakeEncoder, encoding: Mapping[str, Any], registry: Registry | None
) -> dict[str, Any]:
    facts = {"segment_frames": encoder.codec.segment_frames, **encoder.plan.to_json(), **encoding}
    return make_header(dataset, encoder.codec, facts, registry or Registry())


def _readers(codec: Codec, workers: int | None) -> int:
    """Processes that read for a codec: as asked for, or none on CPUs, which it keeps busy, and this
    process's part of the cores for a GPU, which must not wait."""
    if workers is not None or codec.device.type == "cpu":
        return workers or 0
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return min(_MOST_READERS, max(1, (os.cpu_count() or 1) // beside - 1))


def _check_takes(dataset: Dataset, progress: Progress, **counts: int | None) -> None:
    for name, value in counts.items():
        if value is not None:
            bounds.AT_LEAST_ONE.check(f"`{name}`", value)
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
