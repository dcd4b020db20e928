"""The safetensors header as we read it agrees with the library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from midigroove_core.errors import InputError
from midigroove_core.tensorfile import read_header, save_arrays


def test_arrays_agree_with_the_library(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "u16": rng.integers(0, 9, (3, 4)).astype(np.uint16),
        "f32": rng.normal(size=(2, 1, 5)).astype(np.float32),
        "f64": rng.normal(size=7),
        "i64": np.arange(3),
        "empty": np.zeros((0, 2)),
        "turned": rng.normal(size=(3, 2)).T,
    }
    save_arrays(tmp_path / "x.safetensors", arrays, "key", {"a": [1, "ü"]})
    file = read_header(tmp_path / "x.safetensors")
    assert file.json("key", "a test file", dict) == {"a": [1, "ü"]}
    found, other = file.arrays(), load_file(tmp_path / "x.safetensors")
    for name, values in arrays.items():
        assert found[name].dtype == values.dtype and found[name].shape == values.shape
        assert np.array_equal(found[name], values) and np.array_equal(found[name], other[name])
        assert not found[name].flags.writeable or values.size == 0


def test_a_file_without_tensors_is_a_file(tmp_path: Path) -> None:
    save_arrays(tmp_path / "x.safetensors", {}, "key", {"only": "words"})
    file = read_header(tmp_path / "x.safetensors")
    assert (file.tensors, file.arrays(), file.json("key", "it", dict)) == (
        {},
        {},
        {"only": "words"},
    )


@pytest.mark.parametrize("cut", [0, 4, 8, 30, -1])
def test_cut_files_are_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.safetensors"
    save_arrays(path, {"a": np.arange(5)}, "key", {})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="x.safetensors: (damaged|not a safetensors file)"):
        read_header(path)
