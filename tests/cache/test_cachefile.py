"""Reading a cache: exact, fast, safe in workers, and plain about damage."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.cache_fixtures import performance

from midigroove_core.cache import Cache, CacheWriter
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.interfaces.codec import Codebook, residual_codebooks

HEADER = {
    "codec_id": "toy",
    "codec_config": {"seed": 0},
    "codec_facts": {
        "codec_id": "toy",
        "sample_rate": 8000,
        "hop_length": 100,
        "channels": 1,
        "codebooks": [book.to_json() for book in residual_codebooks(2, 1024)],
        "license": "MIT",
    },
    "weights_sha": "ab" * 32,
    "provider": {"distribution": "toys", "version": "1.0"},
    "versions": {"midigroove": "0.1.0"},
    "dataset": {"name": "x", "fingerprint": "f", "num_takes": 5},
    "encoding": {"takes_per_shard": 2},
}


def codes_of(take: int) -> np.ndarray:
    return np.random.default_rng(take).integers(0, 1024, (2, 40 + take))


def row(take: int) -> dict[str, object]:
    return {
        "key": f"a/{take}.wav",
        "performance_key": f"p{take // 2}",
        "midi_path": f"{take // 2}.mid",
        "split": "test" if take == 4 else "train",
        "kit": "Jazz" if take % 2 else "Brush",
        "drummer": "unknown",
        "style": "funk",
        "bpm": 90.0,
        "beat_type": "beat",
        "time_signature": "4-4",
        "num_frames": 40 + take,
        "num_samples": 3990 + 100 * take,
        "gain": 1.0,
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    writer = CacheWriter(tmp_path / "cache", HEADER)
    for shard in range(writer.num_shards):
        for take in writer.takes_of(shard):
            played = performance(np.random.default_rng(take // 2), 0.5 + take // 2)
            writer.add_performance(f"{take // 2}.mid", played)
            writer.add_take(take, row(take), codes_of(take))
        writer.close_shard(shard)
    assert writer.finish() == 5
    return tmp_path / "cache"


def test_windows_of_codes_are_exact(path: Path) -> None:
    cache = Cache.open(path)
    assert (cache.codebook_sizes, cache.clock.hop_length) == ([1024, 1024], 100)
    for take, entry in enumerate(cache.entries):
        assert cache.codes(entry).dtype == np.uint16
        assert np.array_equal(cache.codes(entry), codes_of(take))
        assert np.array_equal(cache.codes(entry, 7, 20), codes_of(take)[:, 7:27])
    cache.codes(entry)[:] = 0  # a copy: the cache itself cannot be written to
    assert np.array_equal(cache.codes(entry), codes_of(4))


@pytest.mark.parametrize(("start", "count"), [(-1, 5), (30, 20), (41, None), (0, -1)])
def test_frames_outside_the_take_are_refused(path: Path, start: int, count: int | None) -> None:
    cache = Cache.open(path)
    with pytest.raises(InputError, match="a/0.wav: frames .* not inside the take's 40"):
        cache.codes(cache.entries[0], start, count)


def test_performances_are_stored_once_and_exactly(path: Path) -> None:
    cache = Cache.open(path)
    for take, entry in enumerate(cache.entries):
        wanted = performance(np.random.default_rng(take // 2), 0.5 + take // 2).to_arrays()
        found = cache.performance(entry).to_arrays()
        assert {name: value.tolist() for name, value in found.items()} == {
            name: value.tolist() for name, value in wanted.items()
        }
    assert cache.performance(cache.entries[0]) is cache.performance(cache.entries[1])


def test_splits_vocabularies_and_keys(path: Path) -> None:
    cache = Cache.open(path)
    assert [entry.key for entry in cache.split("test")] == ["a/4.wav"]
    assert cache.vocabularies() == {"kit": ["Brush", "Jazz"], "drummer": [], "style": ["funk"]}
    assert cache.entry("a/3.wav").num_frames == 43
    with pytest.raises(InputError, match="no take 'a/9.wav'"):
        cache.entry("a/9.wav")


def test_it_may_be_pickled_to_a_worker(path: Path) -> None:
    cache = Cache.open(path)
    cache.codes(cache.entries[0])
    other = pickle.loads(pickle.dumps(cache))
    assert np.array_equal(other.codes(other.entries[3]), codes_of(3))
    assert other.fingerprint == cache.fingerprint


def test_reading_imports_no_torch(path: Path) -> None:
    script = (
        "import sys; from midigroove_core.cache import Cache; "
        f"c = Cache.open({str(path)!r}); c.codes(c.entries[0]); c.performance(c.entries[0]); "
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", script], env=environment).returncode == 0


@pytest.mark.parametrize(
    "name", ["index.jsonl", "skipped.jsonl", "performances.safetensors", "codes-00001.safetensors"]
)
def test_a_missing_or_truncated_file_is_named(path: Path, name: str) -> None:
    file = path / name
    data = file.read_bytes()
    file.write_bytes(data[:-7] if data else b"more")
    with pytest.raises(
        InputError, match=f"{name}: damaged: .* expected {len(data)}; .*`overwrite`"
    ):
        Cache.open(path)
    file.unlink()
    with pytest.raises(InputError, match=f"{name}: missing from the cache; .*`overwrite`"):
        Cache.open(path)


def test_verify_finds_a_flipped_bit(path: Path) -> None:
    assert Cache.open(path).verify() == []
    file = path / "codes-00002.safetensors"
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    assert [line.split(":")[0] for line in Cache.open(path).verify()] == [str(file)]


def test_what_is_not_a_cache_is_told_apart(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such cache; make one"):
        Cache.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match="not a cache"):
        Cache.open(tmp_path)
    CacheWriter(tmp_path / "begun", HEADER)
    with pytest.raises(InputError, match="begun: not finished; give the same"):
        Cache.open(tmp_path / "begun")
    (path / "cache.json").write_text("{")
    with pytest.raises(InputError, match="cache.json: not readable as JSON"):
        Cache.open(path)


def test_another_schema_is_refused(path: Path) -> None:
    header = json.loads((path / "cache.json").read_text())
    (path / "cache.json").write_text(json.dumps({**header, "schema": 99}))
    with pytest.raises(MismatchError, match="schema is 99, this version reads 1"):
        Cache.open(path)
    del header["weights_sha"]
    (path / "cache.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match="missing required field weights_sha"):
        Cache.open(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": None}, "line 2: num_frames: expected int, got null"),
        ({"kit": ...}, "line 2: object missing required field kit"),
    ],
)
def test_a_bad_row_is_named(path: Path, change: dict[str, object], message: str) -> None:
    rows = (path / "index.jsonl").read_text().splitlines()
    changed = {**json.loads(rows[1]), **change}
    rows[1] = json.dumps({name: value for name, value in changed.items() if value is not ...})
    text = "\n".join(rows) + "\n"
    (path / "index.jsonl").write_text(text)
    header = json.loads((path / "cache.json").read_text())
    header["files"]["index.jsonl"]["bytes"] = len(text)
    (path / "cache.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match=message):
        Cache.open(path)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.full((2, 40), 1024), r"codebook 0 lie in \[1024, 1024\], expected \[0, 1023\]"),
        (np.full((2, 40), -1), r"codebook 0 lie in \[-1, -1\]"),
        (np.zeros((3, 40), dtype=int), r"codes are \[3, 40\], expected \[2, 40\]"),
    ],
)
def test_codes_that_the_facts_do_not_allow_are_refused(
    tmp_path: Path, codes: np.ndarray, message: str
) -> None:
    writer = CacheWriter(tmp_path / "cache", HEADER)
    with pytest.raises(MidigrooveError, match=message):
        writer.add_take(0, row(0), codes)


def _with_sizes(*sizes: int) -> dict:
    books = [Codebook(size, level).to_json() for level, size in enumerate(sizes)]
    return {**HEADER, "codec_facts": {**HEADER["codec_facts"], "codebooks": books}}


@pytest.mark.parametrize(("size", "dtype"), [(65536, "uint16"), (65537, "uint32")])
def test_the_type_of_the_codes_follows_the_largest_codebook(
    tmp_path: Path, size: int, dtype: str
) -> None:
    header = _with_sizes(4, size)
    header["dataset"] = {**HEADER["dataset"], "num_takes": 1}
    writer = CacheWriter(tmp_path / "cache", header)
    codes = np.stack([np.full(40, 3), np.full(40, size - 1)])
    writer.add_performance(row(0)["midi_path"], performance(np.random.default_rng(0), 2.0))
    writer.add_take(0, row(0), codes)
    writer.close_shard(0)
    writer.finish()
    cache = Cache.open(tmp_path / "cache")
    assert cache.header["codes_dtype"] == cache.dtype == dtype
    read = cache.codes(cache.entries[0])
    assert read.dtype == dtype and np.array_equal(read, codes)


def test_damage_is_found_when_the_take_is_read(path: Path) -> None:
    file = path / "codes-00002.safetensors"
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    cache = Cache.open(path)
    bad = [entry for entry in cache.entries if entry.shard == 2][-1]
    good = next(entry for entry in cache.entries if entry.shard == 0)
    cache.codes(good)
    for _ in range(2):
        with pytest.raises(InputError, match=f"codes-00002.*{bad.key}.*not those.*written"):
            cache.codes(bad, 0, 1)


def test_codes_out_of_range_are_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midigroove_core.cache.reader.checksum", lambda codes: entry.crc32)
    cache = Cache.open(path)
    entry = cache.entries[0]
    cache._sizes[1] = 1
    with pytest.raises(InputError, match=rf"take '{entry.key}': codes of codebook 1 go up to"):
        cache.codes(entry)


def test_damaged_events_are_found_when_they_are_read(path: Path) -> None:
    file = path / "performances.safetensors"
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    cache = Cache.open(path)
    with pytest.raises(InputError, match="performances.safetensors: its content is not"):
        cache.performance(cache.entries[0])


def test_lines_of_the_index_end_at_line_feeds_alone(tmp_path: Path) -> None:
    name = "odd\u2028name\u0085with\x1cmarks.wav"
    header = {**HEADER, "dataset": {**HEADER["dataset"], "num_takes": 1}}
    writer = CacheWriter(tmp_path / "cache", header)
    writer.add_performance(row(0)["midi_path"], performance(np.random.default_rng(0), 2.0))
    writer.add_take(0, {**row(0), "key": name}, np.zeros((2, 40), int))
    writer.close_shard(0)
    writer.finish()
    cache = Cache.open(tmp_path / "cache")
    assert [entry.key for entry in cache.entries] == [name]
    assert cache.codes(cache.entries[0]).shape == (2, 40)
