"""What may lie on a hub, small: fixtures for the tests of push and pull."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from safetensors.numpy import save

from midigroove_core.atomic import sha256_of
from midigroove_core.tensorfile import read_header
from support.hub_server import Hub, ask, running_hub
from support.trainable_cache import make_cache


def small_checkpoint(path: Path, **changes: Any) -> bytes:
    """A file that says of itself what another says, or what is changed, and has hardly a weight."""
    metadata = read_header(path).metadata
    said = {**json.loads(metadata["midigroove"]), **changes}
    return save({"one": np.zeros(1, np.float32)}, {"midigroove": json.dumps(said)})


@pytest.fixture(scope="module")
def cache_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = make_cache(tmp_path_factory.mktemp("cache") / "c").path
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def kit_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder, shots = tmp_path_factory.mktemp("kit"), {}
    for number, name in enumerate(("kick.wav", "snare_064.wav", "snare_127.wav", "hat.flac")):
        decay = np.exp(-np.arange(4000) / 500) * np.sin(np.arange(4000) * (0.02 + 0.05 * number))
        soundfile.write(folder / name, decay, 44100)
        shots[name] = (folder / name).read_bytes()
    listed = {n: {"bytes": len(data), "sha256": sha256_of(data)} for n, data in shots.items()}
    content = {"schema": 1, "license": "CC0-1.0", "files": listed}
    return {**shots, "kit.json": json.dumps(content).encode(), "README.md": b"hello"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that this test asks, and a cache of what it gets."""
    with running_hub() as server:
        ask(monkeypatch, server, tmp_path / "hub")
        yield server
