"""Says what is inside a cache or a file of tensors, without torch."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from midigroove_core.atomic import read_json
from midigroove_core.cache import Cache, CacheWriter
from midigroove_core.cache.format import HEADER, PLAN
from midigroove_core.checkpoint import KEY, STATE_KEY, checkpoint_file, read_metadata
from midigroove_core.errors import InputError
from midigroove_core.hub import HubAddress, is_address
from midigroove_core.tensorfile import TensorFile, read_header

RUN = "config.toml"
"""A folder with it is a training run; its best checkpoint is looked at."""


def inspect_path(path: str | Path, *, verify: bool = False) -> dict[str, Any]:
    """What a cache, a checkpoint (or a run's best one) or another safetensors file holds.

    Args:
        path: a folder or a file; or a checkpoint `hf://USER/NAME`, a cache
            `hf://datasets/USER/NAME`.
        verify: read every byte of a cache and compare it with the sums in its header.

    Returns:
        JSON; `kind` is "cache", "unfinished cache", "checkpoint", "training state" or "tensors".

    Raises:
        InputError: none of these, or damaged; names the file.
    """
    if is_address(path) and HubAddress.parse(path).kind == "dataset":
        return _cache(path, verify)
    path = checkpoint_file(path) if is_address(path) else Path(path)
    if path.is_dir() and not (path / RUN).exists():
        if (path / PLAN).exists() and not (path / HEADER).exists():
            return _unfinished(path)
        return _cache(path, verify)
    path = checkpoint_file(path)
    file = read_header(path)
    weights = _weights(file)
    if KEY in file.metadata:
        return {"kind": "checkpoint", **weights, **read_metadata(path).to_json()}
    if STATE_KEY in file.metadata:
        state = file.json(STATE_KEY, "a midigroove training state", dict[str, Any])
        return {"kind": "training state", **weights, "state": state}
    return {"kind": "tensors", **weights, "metadata": file.metadata}


def _cache(path: str | Path, verify: bool) -> dict[str, Any]:
    cache = Cache.open(path)
    damaged = cache.verify() if verify else []
    if damaged:
        raise InputError("; ".join(damaged))
    frames = sum(entry.num_frames for entry in cache.entries)
    samples = sum(entry.num_samples for entry in cache.entries)
    header = {name: value for name, value in cache.header.items() if name != "files"}
    files = cache.header["files"].values()
    return {
        "kind": "cache",
        "fingerprint": cache.fingerprint,
        **header,
        "hours": samples / cache.clock.sample_rate / 3600,
        "frames": frames,
        "bytes": sum(file["bytes"] for file in files),
        "shards": len(files) - 3,
        "takes_by_split": dict(sorted(Counter(entry.split for entry in cache.entries).items())),
        "vocabularies": cache.vocabularies(),
        **({"verified": True} if verify else {}),
    }


def _unfinished(path: Path) -> dict[str, Any]:
    plan = read_json(path / PLAN)
    writer = CacheWriter(path, plan)
    done = sum(writer.shard_done(shard) for shard in range(writer.num_shards))
    return {"kind": "unfinished cache", "shards_done": done, "shards": writer.num_shards, **plan}


def _weights(file: TensorFile) -> dict[str, Any]:
    tensors = file.tensors.values()
    return {
        "parameters": sum(prod(info.shape) for info in tensors),
        "tensors": len(file.tensors),
        "dtypes": sorted({info.dtype for info in tensors}),
        "bytes": file.path.stat().st_size,
    }
