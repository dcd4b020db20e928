"""A cache from somebody else: right, or refused in one line, and nothing out of its folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.trainable_cache import make_cache

from midigroove_core.cache import Cache
from midigroove_core.cache.replace import move_in
from midigroove_core.cache.work import read_work, save_work
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.tensorfile import read_header

HUGE = 10**30


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cache(tmp_path_factory.mktemp("schema") / "cache", performances=3).path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: h.update(schema=True), "schema is True"),
        (lambda h: h.update(files=[]), "files: expected object, got array"),
        (lambda h: h["files"].update({"../../x": h["files"]["index.jsonl"]}), "no file of a cache"),
        (lambda h: h["files"].update({"index.jsonl": {}}), "missing required field bytes"),
        (lambda h: h["files"]["index.jsonl"].update(sha256=3), "files.index.jsonl.sha256"),
        (lambda h: h["files"].pop("skipped.jsonl"), "skipped.jsonl is missing"),
        (lambda h: h["files"].pop("codes-00000.safetensors"), "codes-00000.safetensors is missing"),
        (lambda h: h["codec_facts"].update(codebooks=[]), "codec_facts.codebooks: expected"),
        (lambda h: h["codec_facts"].update(hop_length=0), "codec_facts.hop_length: expected"),
        (lambda h: h["codec_facts"].update(sample_rate="44100"), "codec_facts.sample_rate"),
        (lambda h: h.update(codes_dtype="uint32"), "codes_dtype: uint32 does not suit"),
        (lambda h: h["encoding"].update(takes_per_shard=0), "encoding.takes_per_shard"),
        (lambda h: h["dataset"].update(num_takes=HUGE), "dataset.num_takes"),
        (lambda h: h["counts"].update(skipped={"x": -1}), "counts.skipped.x: expected int"),
    ],
)
def test_a_wrong_header(
    whole: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    shutil.copytree(whole, tmp_path / "c")
    header = json.loads((tmp_path / "c" / "cache.json").read_text())
    change(header)
    (tmp_path / "c" / "cache.json").write_text(json.dumps(header))
    with pytest.raises(MidigrooveError) as caught:
        Cache.open(tmp_path / "c")
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[" * 9999, "1" * 9999, '{"a": NaN}', "\ufeff[]", "\x00", '{"schema": 1}', "null"]
)
def test_headers_that_are_none(whole: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(whole, tmp_path / "c")
    (tmp_path / "c" / "cache.json").write_text(text)
    with pytest.raises(InputError, match="cache.json"):
        Cache.open(tmp_path / "c")


def test_a_replacement_moves_no_file_from_elsewhere(whole: Path, tmp_path: Path) -> None:
    new = tmp_path / "cache" / "replacement"
    shutil.copytree(whole, new)
    (tmp_path / "secret").write_text("mine")
    header = json.loads((new / "cache.json").read_text())
    header["files"]["../../secret"] = header["files"]["index.jsonl"]
    (new / "cache.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match="no file of a cache"):
        move_in(tmp_path / "cache")
    assert (tmp_path / "secret").read_text() == "mine"


def test_two_takes_of_one_name(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "c")
    index = tmp_path / "c" / "index.jsonl"
    lines = index.read_text().splitlines()
    text = "\n".join([lines[0], lines[0], *lines[2:]]) + "\n"
    header = json.loads((tmp_path / "c" / "cache.json").read_text())
    header["files"]["index.jsonl"]["bytes"] = len(text.encode())
    (tmp_path / "c" / "cache.json").write_text(json.dumps(header))
    index.write_text(text)
    with pytest.raises(InputError, match="two takes are called"):
        Cache.open(tmp_path / "c")


def test_work_that_was_damaged_is_found(tmp_path: Path) -> None:
    path = tmp_path / "take.safetensors"
    save_work(path, {}, {"skipped": {"key": "a", "style": "blue"}})
    assert read_work(path, "it", dict[str, Any])[0]["skipped"]["style"] == "blue"
    path.write_bytes(path.read_bytes().replace(b"blue", b"gray"))
    with pytest.raises(InputError, match="is damaged; remove it"):
        read_work(path, "it", dict[str, Any])


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, "no F32 of the shape"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}, "does not begin where"),
        ({"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}, "a.shape.0: expected int"),
        ({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}, "a.shape.0: expected int >= 0"),
        ({"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}, "no dtype 'F99' is known"),
        ({"dtype": 3, "shape": [1], "data_offsets": [0, 4]}, "a.dtype: expected str"),
        ({"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 4]}, "a.shape.0"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [0]}, "a.data_offsets: expected"),
        ({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, "damaged: 4 bytes of tensors"),
        ("x", "a: expected object, got str"),
    ],
)
def test_tensor_headers(tmp_path: Path, entry: object, says: str) -> None:
    header = json.dumps({"a": entry}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    with pytest.raises(InputError) as caught:
        read_header(path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_descriptors_do_not_grow_with_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midigroove_core.cache.reader.OPEN_SHARDS", 2)
    cache = make_cache(tmp_path / "cache", performances=24, seconds=1.0)
    shards = {entry.shard for entry in cache.entries}
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        for entry in cache.entries:
            assert cache.codes(entry).shape[1] == entry.num_frames
    assert len(shards) == 6 and len(os.listdir("/proc/self/fd")) <= before + 2
