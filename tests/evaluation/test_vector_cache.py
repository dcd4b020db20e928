"""The cache of reference vectors: what hits, what misses, and what a broken file costs: nothing."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from midigroove_core import Embedding
from midigroove_core.cache import CacheEntry
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.scoring import vector_cache
from midigroove_core.evaluation.scoring.sets import SetCollector
from midigroove_core.evaluation.scoring.vector_cache import VectorCache
from midigroove_core.midi import DrumPerformance
from midigroove_core.usercache import user_cache

RATE = 16000


class Counting(Embedding):
    """Some statistics, and how often they were asked for."""

    embedding_id: ClassVar[str] = "counting"
    sample_rate = RATE
    license = "MIT"
    keep_vectors: ClassVar[bool] = True

    def __init__(self, weights: str = "a") -> None:
        self.calls = 0
        self._weights = weights

    def embed(self, audio: np.ndarray) -> np.ndarray:
        self.calls += 1
        parts = audio[: len(audio) // 4 * 4].reshape(4, -1)
        return np.stack([parts.mean(axis=1), parts.std(axis=1), parts.max(axis=1)])

    @property
    def weights_sha(self) -> str:
        return self._weights


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "vectors.sqlite3"


def audio(seed: int, seconds: float = 0.5) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, int(RATE * seconds)).astype(np.float32)


def vectors(
    path: Path, embedding: Counting, clips: list[np.ndarray], **changes: object
) -> tuple[list[np.ndarray], list[str]]:
    """What a new cache on that file gives, and what it said."""
    said: list[str] = []
    arguments = {"sample_rate": RATE, "device": "cpu", **changes}
    cache = VectorCache(embedding, message=said.append, path=path, **arguments)
    return [cache.vectors(clip, embedding.embed) for clip in clips], said


def test_the_second_time_nothing_is_embedded(path: Path) -> None:
    embedding, clips = Counting(), [audio(0), audio(1)]
    first, said = vectors(path, embedding, clips)
    assert embedding.calls == 2
    second, _ = vectors(path, embedding, clips)
    assert embedding.calls == 2 and said == []
    for one, two in zip(first, second, strict=True):
        assert two.dtype == np.float32 and np.array_equal(one, two)


def test_other_content_weights_rate_device_or_version_miss(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = audio(0)
    vectors(path, Counting(), [clip])
    changed = clip.copy()
    changed[-1] = np.nextafter(changed[-1], 1)
    for weights, other, changes in (
        ("a", changed, {}),
        ("b", clip, {}),
        ("a", clip, {"sample_rate": 2 * RATE}),
        ("a", clip, {"device": "cuda:0"}),
    ):
        embedding = Counting(weights)
        vectors(path, embedding, [other], **changes)
        assert embedding.calls == 1
    monkeypatch.setattr(vector_cache, "__version__", "another")
    embedding = Counting()
    vectors(path, embedding, [clip])
    assert embedding.calls == 1


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00garbage"])
def test_a_broken_file_is_one_line_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    embedding, clips = Counting(), [audio(0), audio(1)]
    found, said = vectors(path, embedding, clips)
    assert embedding.calls == 2 and len(found) == 2
    assert len(said) == 1 and "\n" not in said[0]
    assert str(path) in said[0] and "MIDIGROOVE_CACHE_DIR" in said[0]
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    embedding = Counting()
    _, said = vectors(tmp_path / "file" / "vectors.sqlite3", embedding, [audio(0), audio(1)])
    assert embedding.calls == 2 and len(said) == 1


def test_a_file_that_breaks_on_the_way_is_one_line(path: Path) -> None:
    embedding, said = Counting(), []
    cache = VectorCache(embedding, RATE, "cpu", said.append, path)
    cache.vectors(audio(0), embedding.embed)
    path.write_bytes(b"gone bad" * 1000)
    for seed in (1, 2):
        cache.vectors(audio(seed), embedding.embed)
    assert embedding.calls == 3 and len(said) == 1


def test_a_damaged_line_is_embedded_again(path: Path) -> None:
    embedding, clip = Counting(), audio(0)
    (true,), _ = vectors(path, embedding, [clip])
    with closing(sqlite3.connect(path)) as db, db:
        (data,) = db.execute("SELECT data FROM vectors").fetchone()
        db.execute("UPDATE vectors SET data = ?", (bytes([data[0] ^ 1]) + data[1:],))
    for calls in (2, 2):
        (found,), said = vectors(path, embedding, [clip])
        assert np.array_equal(found, true) and embedding.calls == calls and said == []


CHANGES = ["size = 1", "size = 0", "size = 'x'", "data = 'text'"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_row_never_gives_other_vectors(path: Path, change: str) -> None:
    embedding, clip = Counting(), audio(0)
    (true,), _ = vectors(path, embedding, [clip])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE vectors SET {change}")
    (found,), said = vectors(path, embedding, [clip])
    assert np.array_equal(found, true) and embedding.calls == 2 and said == []


def test_the_older_half_goes_when_there_is_too_much(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [audio(seed) for seed in range(8)]
    vectors(path, Counting(), clips)
    monkeypatch.setattr(vector_cache, "MAX_BYTES", 1000)
    embedding = Counting()
    vectors(path, embedding, clips[:4:-1])
    assert embedding.calls == 0, "the newest are kept"
    monkeypatch.setattr(vector_cache, "MAX_BYTES", 10**9)
    vectors(path, embedding, clips[:4])
    assert embedding.calls == 4


def test_two_at_once(path: Path) -> None:
    """Threads with connections of their own lock the file as processes do."""
    clips, said, found = [audio(seed, 0.05) for seed in range(20)], [], []

    def work() -> None:
        embedding = Counting()
        cache = VectorCache(embedding, RATE, "cpu", said.append, path)
        found.append([cache.vectors(clip, embedding.embed) for clip in clips])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == []
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    embedding = Counting()
    vectors(path, embedding, clips)
    assert embedding.calls == 0


def clip(index: int) -> EvalClip:
    entry = CacheEntry(
        f"take{index}", f"p{index}", "", "test", "kit", "", "", 120.0, "beat", "4-4", 0, RATE, 1.0,
        0, 0,
    )  # fmt: skip
    empty = np.zeros(0)
    played = DrumPerformance(
        onset_sec=empty, duration_sec=empty, pitch=empty.astype(int), velocity=empty.astype(int),
        end_sec=1.0,
    )  # fmt: skip
    return EvalClip(index, entry, played, 0.0, 0.5)


def test_sets_are_the_same_with_and_without_and_only_references_are_kept(path: Path) -> None:
    lines, calls = [], []
    for cached in (None, path, path):
        embedding = Counting()
        cache = VectorCache(embedding, RATE, "cpu", pytest.fail, cached) if cached else None
        collector = SetCollector(embedding, RATE, "recording", cache)
        for index in range(12):
            collector.add("recording", clip(index), audio(index), audio(index))
            collector.add("system", clip(index), audio(100 + index), audio(index))
        lines.append(collector.compare("recording", ["system", "recording"]))
        calls.append(embedding.calls)
    assert lines[0] == lines[1] == lines[2] and lines[0].floors
    assert {"system"} == {x.row for x in lines[0].lines}
    assert calls == [24, 24, 12]


def test_a_level_that_is_off_is_no_distance_unless_it_is_asked_for() -> None:
    """`Counting` hears level as a difference; the level difference is a column of its own."""
    found = {}
    for same in (True, False):
        collector = SetCollector(Counting(), RATE, "recording", same_loudness=same)
        for index in range(12):
            collector.add("recording", clip(index), audio(index), audio(index))
            collector.add("quiet", clip(index), 0.4 * audio(index), audio(index))
        sets = collector.compare("recording", ["quiet", "recording"])
        assert sets.same_loudness is same
        (found[same],) = [line.kernel_audio_distance for line in sets.lines]
    assert abs(found[True]) < 5.0 < 10.0 < found[False]


def test_the_folder_is_the_named_one_or_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path.home() not in user_cache().parents, "tests do not touch the user's cache"
    monkeypatch.setenv("MIDIGROOVE_CACHE_DIR", str(tmp_path / "named"))
    assert user_cache() == tmp_path / "named"
    monkeypatch.delenv("MIDIGROOVE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert user_cache() == tmp_path / "xdg" / "midigroove"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache() == tmp_path / ".cache" / "midigroove"
